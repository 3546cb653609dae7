"""`python app.py backup`, `backups`, `recovery-key`, `restore`: copies of a site, and the way back."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.backup.errors import BackupError
from services.commands import clear_errors, configure

if TYPE_CHECKING:
    from services.backup.place import Place
    from services.backup.shelf import Copy

_NICE = 10
_HUB = click.option("--hub", "of_hub", is_flag=True, help="of the hub on this machine, not of its site")
_KEY_FILE = click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file that holds the recovery key, instead of being asked for it",
)


@click.command("recovery-key")
@click.option("--replace", is_flag=True, help="make a new key: copies made before still need the old one")
@click.option("--unasked", is_flag=True, help="do not ask for the key to be typed back")
@click.option("--age", "as_age", is_flag=True, help="ask for the key and print it as the program `age` takes it")
@_HUB
def recovery_key(replace: bool, unasked: bool, as_age: bool, of_hub: bool) -> None:
    """Make the key that opens copies, and show it once: write it down, on paper, twice."""
    from services.backup import recovery_key as keys

    with clear_errors(BackupError, OSError):
        if as_age:
            click.echo(keys.as_age_identity(_ask(None)))
            return
        place = _place(of_hub)
        if keys.recipient_file(place.directory).exists() and not replace:
            raise click.ClickException("there is a recovery key already; --replace makes a new one for copies to come")
        written = keys.new()
        click.echo(
            f"\n    {written}\n\nWrite it down twice, and keep the papers in two places, neither with the stick."
        )
        click.echo("Without it no copy can be opened, by nobody. It is shown only now.")
        if not unasked:
            while keys.public_half(_ask(None, "Type it back from the paper")) != keys.public_half(written):
                click.echo("That is another key: compare it with the paper.")
        keys.keep_public_half(place.directory, keys.public_half(written))
        click.echo("From now on `python app.py backup DIR` makes copies that this key opens.")


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--by-itself",
    is_flag=True,
    help="as the scheduler does it: gives way to others, and writes only where copies of this place are already",
)
@_HUB
def backup(directory: Path, by_itself: bool, of_hub: bool) -> None:
    """Copy store, photographs and keys to the medium mounted at DIRECTORY, sealed, while the service runs."""
    from services.backup import making
    from services.backup.recovery_key import recipient

    with clear_errors(BackupError, OSError):
        settings = configure("backup")
        place = _place(of_hub)
        if by_itself:
            os.nice(_NICE)
        # Where the stick is not mounted, its mount point is a folder on the machine's own disk.
        if by_itself and not (directory / making.shelf_name(recipient(place.directory)[0])).is_dir():
            making.failed(place, f"{directory} holds no copies of this place: is the stick in?")
            raise click.ClickException(
                f"{directory} holds no copies of this place: put the stick in; `python app.py backup {directory}` "
                "by hand makes the first"
            )
        made = making.make(place, directory, keep=settings.backup_keep)
    click.echo(
        f"Copy {made.copy.number} in {made.copy.folder}: {made.new_files} new files, {made.bytes_written / 1e6:.1f} MB "
        f"written and read back; {made.rotated} old copies deleted."
    )


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--verify", is_flag=True, help="read every file of every copy; exit status 1 if one is damaged")
def backups(directory: Path, verify: bool) -> None:
    """List the copies on a medium."""
    from services.backup.errors import medium
    from services.backup.shelf import copies

    damaged = False
    with clear_errors(BackupError), medium(directory):
        folders = [directory, *sorted(directory.glob("jicho-*"))]
        for copy in [copy for folder in folders for copy in copies(folder)]:
            faults = copy.faults() if verify else []
            damaged = damaged or bool(faults)
            size = sum(size for size, _ in copy.objects.values()) / 1e6
            state = "".join(f"\n    {fault}" for fault in faults) or (" sound" if verify else "")
            click.echo(f"{copy.index}  {_when(copy)}  {len(copy.objects)} files, {size:.1f} MB{state}")
    sys.exit(1 if damaged else 0)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--nothing-since", is_flag=True, help="the machine did nothing after this copy: what waited is sent")
@click.option("--check", "only_check", is_flag=True, help="open and check the copy, and change nothing")
@_KEY_FILE
@_HUB
def restore(path: Path, nothing_since: bool, only_check: bool, key_file: Path | None, of_hub: bool) -> None:
    """Put a copy back on a machine without a store: PATH is a medium (its newest copy) or the index of a copy.

    Asks for the recovery key. What was under way when the copy was made is not sent again: it may have been.
    """
    from services.backup import restoring

    with clear_errors(BackupError, OSError):
        configure("restore")
        place = _place(of_hub)
        copy = restoring.find(path)
        click.echo(f"Copy {copy.number}, made {_when(copy)} by Jicho {copy.version}.")
        key = _ask(key_file)
        if only_check:
            manifest = restoring.check(copy, key)
            click.echo(f"It is whole and opens with this key: the store and {len(manifest['files'])} files.")
            return
        done = restoring.restore(copy, key, place, bring_up=_bring_up(place, nothing_since))
    click.echo(
        f"Restored: the store and {done.files} files. The settings that came with it: "
        f"{place.directory / restoring.SETTINGS}; compare them with this machine's."
    )
    if done.settled is not None:
        click.echo(
            f"Of {done.settled.unknown} messages nobody knows whether they went out; they are not sent again. "
            f"{done.settled.given_up} photographs had not been fetched: their health workers should send them again."
        )
    click.echo(
        "The old machine must not run again. Whoever took consent back after the copy was made is in it again: "
        "repeat it."
    )


def _bring_up(place: Place, nothing_since: bool) -> Any:
    def of_hub(url: str) -> None:
        from services.hub.runtime import Hub
        from services.settings import current

        hub = Hub(current().model_copy(update={"hub_database_url": url}))
        hub.migrate()
        hub.db.close()

    def of_site(url: str) -> Any:
        from services.backup.settling import settle
        from services.runtime import Runtime
        from services.settings import current
        from services.store.migrate import migrate

        site = Runtime(current().model_copy(update={"database_url": url}))
        try:
            migrate(site.db, copy=False)
            return None if nothing_since else settle(site)
        finally:
            site.db.close()

    return of_hub if place.role == "hub" else of_site


def _place(of_hub: bool) -> Place:
    from services.backup.place import hub_place, site_place
    from services.settings import current

    return hub_place(current()) if of_hub else site_place(current())


def _ask(key_file: Path | None, prompt: str = "Recovery key") -> str:
    from services.backup.recovery_key import identity

    if key_file is not None:
        return key_file.read_text(encoding="ascii").strip()
    while True:
        written: str = click.prompt(prompt)
        try:
            identity(written)
        except BackupError as error:
            click.echo(f"{error}.")
        else:
            return written


def _when(copy: Copy) -> str:
    return datetime.fromtimestamp(copy.made_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
