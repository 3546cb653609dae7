"""`python app.py messages …`: the catalogues' check, their review, and the way to translators and back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flows.translation.exchange import Row

_TRANSLATED = click.Choice(["sw", "luo"])


class _clear_errors:  # noqa: N801 - reads as a phrase
    """Turns what is wrong with a file or a name into one clear line."""

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        from flows.translation.exchange import BadFile
        from flows.translation.pofile import BadCatalogue
        from flows.translation.review import CannotReview

        if isinstance(error, OSError):
            raise click.ClickException(f"{error.filename}: {error.strerror or error}") from None
        if isinstance(error, BadFile | BadCatalogue | CannotReview):
            raise click.ClickException(str(error)) from None


@click.group()
def messages() -> None:
    """What people hear and read, in every language (check, report, reviewed, export, import, formats)."""


@messages.command("check")
def messages_check() -> None:
    """Print what is wrong with the catalogues. Exit status 1 if anything is."""
    from flows.catalogue import LANGUAGES
    from flows.translation.check import problems
    from flows.translation.cldr import header_problems

    with _clear_errors():
        found = problems() + [fault for language in LANGUAGES for fault in header_problems(language)]
    for fault in found:
        click.echo(fault)
    click.echo(f"{len(found)} found." if found else "The catalogues are sound.", err=bool(found))
    sys.exit(1 if found else 0)


@messages.command("report")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def messages_report(as_json: bool) -> None:
    """Count, for each language, what a native speaker has reviewed and what is still a draft."""
    from flows.translation.review import STATES, report

    with _clear_errors():
        counted = report()
    if as_json:
        click.echo(json.dumps(counted))
        return
    click.echo("".join(["language", *(f"{state:>10}" for state in STATES)]))
    for language, states in counted.items():
        click.echo("".join([f"{language:8}", *(f"{states[state]:10}" for state in STATES)]))


@messages.command("reviewed")
@click.option("--language", type=_TRANSLATED, required=True)
@click.option("--by", required=True, help="the native speaker who reviewed them")
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
def messages_reviewed(language: str, by: str, ids: tuple[str, ...]) -> None:
    """Mark messages as reviewed today: all of them, or none if one cannot be."""
    from datetime import date

    from flows.translation.review import mark_reviewed

    with _clear_errors():
        mark_reviewed(language, ids, by=by, on=date.today())
    click.echo(f"{len(ids)} marked as reviewed by {by}.")


@messages.command("export")
@click.option("--language", type=_TRANSLATED, required=True)
@click.option("--format", "kind", type=click.Choice(["xlsx", "po"]), help="default: as FILE is named")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def messages_export(language: str, kind: str | None, file: Path) -> None:
    """Write every message into FILE for a translator."""
    from flows.translation.exchange import rows

    with _clear_errors():
        found = rows(language)
        if _kind(file, kind) == "xlsx":
            from flows.translation import spreadsheet

            spreadsheet.write(file, language, found)
        else:
            from flows.translation import po

            po.write(file, language, found)
    click.echo(f"{file}: {len(found)} messages")


@messages.command("import")
@click.option("--language", type=_TRANSLATED, required=True)
@click.option("--by", default="", help="the native speaker who reviewed what the file says is reviewed")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def messages_import(language: str, by: str, file: Path) -> None:
    """Take a translator's FILE back. Exit status 1 if a row was refused; the others are taken."""
    from datetime import date

    from flows.translation.exchange import take

    with _clear_errors():
        done = take(language, _read(file, language), by=by, on=date.today())
    for refused in done.refused:
        click.echo(f"{refused.where}, {refused.id}: {refused.reason}", err=True)
    if done.unsigned:
        click.echo(f"{len(done.unsigned)} kept as drafts: say with --by NAME who reviewed them.", err=True)
    click.echo(f"{len(done.taken)} taken, {len(done.refused)} refused.")
    sys.exit(1 if done.refused else 0)


@messages.command("formats")
def messages_formats() -> None:
    """Write how each language writes dates and numbers, from CLDR: after a new release of Babel."""
    from flows.catalogue import LANGUAGES
    from flows.translation.cldr import write_formats

    with _clear_errors():
        for language in LANGUAGES:
            click.echo(str(write_formats(language)))


def _read(file: Path, language: str) -> list[Row]:
    if _kind(file, None) == "xlsx":
        from flows.translation import spreadsheet

        return spreadsheet.read(file, language)
    from flows.translation import po

    return po.read(file, language)


def _kind(file: Path, said: str | None) -> str:
    kind = said or file.suffix.removeprefix(".").casefold()
    if kind not in ("xlsx", "po"):
        raise click.UsageError(f"{file}: name it .xlsx or .po")
    return kind
