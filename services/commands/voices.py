"""`python app.py voices …`: what to record, recordings, and other Piper voices."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from services.commands import clear_errors, configure

_LANGUAGE = click.Choice(["en", "sw", "luo"])


@click.group()
def voices() -> None:
    """How calls sound: recorded packs and Piper voices."""


@voices.command("script")
@click.option("--language", type=_LANGUAGE, required=True)
@click.option("--csv", "as_csv", is_flag=True, help="number,message,piece,text, for a spreadsheet")
@click.option("--all", "everything", is_flag=True, help="every message, also those that no call says")
@click.option("--missing", is_flag=True, help="only what is not recorded yet")
def voices_script(language: str, as_csv: bool, everything: bool, missing: bool) -> None:
    """Print what to record, numbered."""
    from services.calls.coverage import coverage
    from services.calls.script import script

    with clear_errors(OSError, ValueError):
        settings = configure("command")
        lines = script(settings, language, everything=everything)
        done = coverage(settings, language).recorded if missing else []
        lines = [line for line in lines if line not in done]
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(["number", "message", "piece", "text"])
            writer.writerows((line.number, line.message, line.piece, line.text) for line in lines)
            return
        for line in lines:
            click.echo(f"{line.number:4}  {line.text}")


@voices.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", type=_LANGUAGE, required=True)
@click.option("--pack", "name", required=True, help="name of the pack, such as achieng")
@click.option("--speaker", required=True, help="who speaks")
@click.option("--consent", required=True, help="what the speaker agreed to, where and when")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a file")
def voices_import(folder: Path, language: str, name: str, speaker: str, consent: str, as_json: bool) -> None:
    """Take recordings named by their number in the script (12.wav). Exit status 1 if one of them cannot be used."""
    from services import runtime
    from services.calls.studio import Pack, take_folder
    from services.speech.packs import PackError
    from services.speech.recording import Unusable
    from services.store.migrate import migrate

    with clear_errors(Unusable, PackError, OSError):
        configure("command")
        site = runtime.current()
        migrate(site.db)
        problems = taken = 0
        for each in take_folder(site, Pack(language, name, speaker, consent), folder):
            problems, taken = problems + bool(each.problem), taken + (not each.problem)
            text = each.line.text if each.line else ""
            if as_json:
                found = {"file": each.file, "text": text, "seconds": each.seconds, "problem": each.problem}
                click.echo(json.dumps(found, ensure_ascii=False))
            else:
                click.echo(each.problem or f"{each.file}: {each.seconds:.1f} s, “{text}”")
        if not problems and not taken:
            raise click.ClickException(f"{folder}: no sound file in it; name them by number, such as 12.wav")
        sys.exit(1 if problems else 0)


@voices.command("remove")
@click.argument("pack")
@click.option("--language", type=_LANGUAGE, required=True)
def voices_remove(pack: str, language: str) -> None:
    """Delete the recordings of PACK, for instance because the speaker takes the consent back."""
    from services.speech.packs import remove

    with clear_errors():
        directory = configure("command").voices_dir
        try:
            number = remove(directory / language / pack)
        except FileNotFoundError:
            raise click.ClickException(f"there is no pack {pack} for {language} at this site") from None
        except OSError as error:
            raise click.ClickException(str(error)) from None
        _renew(language)
        click.echo(f"{number} recordings deleted; calls no longer play them.")


@voices.command("report")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def voices_report(as_json: bool) -> None:
    """Show each language's voice, and how much of what calls say is recorded."""
    from services.calls.coverage import coverage
    from services.speech.installed import voice_of
    from voices import LANGUAGES

    with clear_errors(OSError, ValueError):
        settings = configure("command")
        found: dict[str, dict[str, Any]] = {}
        for language in LANGUAGES:
            covered = coverage(settings, language)
            voice = voice_of(language, settings.voices_dir).package
            found[language] = {
                "voice": voice,
                "recorded": len(covered.recorded),
                "missing": len(covered.missing),
                "stale": [f"{each.message} {each.piece}: {each.text}" for each in covered.stale],
                "damaged": [each.file for each in covered.damaged],
                "others": covered.others,
            }
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
            return
        for language, each in found.items():
            asked = each["recorded"] + each["missing"]
            click.echo(f"{language}: voice {each['voice']}; {each['recorded']} of {asked} pieces recorded")
            for line in each["stale"]:
                click.echo(f"  stale, not played: {line}")
            for line in each["damaged"]:
                click.echo(f"  damaged, not played: {line}")


@voices.command("add")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--language", type=_LANGUAGE, required=True)
@click.option("--name", help="what to call it; default: its file's name")
def voices_add(path: Path, language: str, name: str | None) -> None:
    """Install a Piper voice (.onnx with .onnx.json, or a folder or zip of both), which speaks LANGUAGE from then on."""
    from services.calls.script import every_text
    from services.speech.fitting import fit
    from services.speech.installed import BadVoice, choose, keep, name_of, staged

    with clear_errors(BadVoice, OSError):
        settings = configure("command")
        chosen = name or name_of(path)
        with staged(path, settings.voices_dir) as folder:
            choice = fit(folder, chosen, language, every_text(language))
            keep(folder, settings.voices_dir, chosen)
        choose(settings.voices_dir, language, choice)
        _renew(language)
        click.echo(f"{chosen} speaks {language} from now on.")
        if choice.remap:
            click.echo("It never learned these sounds; said instead: " + _listed(choice.remap))


@voices.command("use")
@click.argument("name")
@click.option("--language", type=_LANGUAGE, required=True)
def voices_use(name: str, language: str) -> None:
    """Have an installed voice NAME speak LANGUAGE; "own" is the one that came with Jicho."""
    from services.calls.script import every_text
    from services.speech.fitting import fit
    from services.speech.installed import BadVoice, choose, folder_of, installed

    with clear_errors(BadVoice, OSError):
        directory = configure("command").voices_dir
        if name != "own" and name not in installed(directory):
            raise click.ClickException(f"{name} is not installed: see `python app.py voices list`")
        fitted = None if name == "own" else fit(folder_of(directory, name), name, language, every_text(language))
        choose(directory, language, fitted)
        _renew(language)
        click.echo(f"{name} speaks {language} from now on.")


@voices.command("list")
def voices_list() -> None:
    """Show which voice speaks each language, and which are installed besides."""
    from services.speech.installed import installed, voice_of
    from voices import LANGUAGES

    with clear_errors(ValueError):
        directory = configure("command").voices_dir
        for language in LANGUAGES:
            click.echo(f"{language}  {voice_of(language, directory).package}")
        for name in installed(directory):
            click.echo(f"installed: {name}")


def _listed(remap: Mapping[str, str]) -> str:
    return ", ".join(f"{symbol} → {instead or 'nothing'}" for symbol, instead in remap.items())


def _renew(language: str) -> None:
    """What was rendered with the old voice is rendered anew."""
    from services import runtime
    from services.calls.clips import renew
    from services.store.migrate import migrate

    site = runtime.current()
    migrate(site.db)
    with site.db.write() as tx:
        renew(tx, language)
