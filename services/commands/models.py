"""`python app.py models …`: sign models and voices at the hub, and see what a site makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.commands import clear_errors, configure

if TYPE_CHECKING:
    from services.updates.keys import KeyFolder
    from services.updates.repository import Repository

_KEYS = click.option(
    "--keys",
    "folders",
    multiple=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="folder that `models keys` wrote; once for each person who signs",
)
_PASSPHRASES = click.option(
    "--passphrase-file",
    "passphrases",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="instead of being asked; one for each folder, in their order; an empty file: not encrypted",
)
_ROLES = ("root", "targets", "snapshot", "timestamp", "expiry")


@click.group()
def models() -> None:
    """Models and voices: signed and published at the hub, fetched and tried at a site."""


@models.command("keys")
@click.argument("folders", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--root-threshold", default=1, show_default=True, help="so many must sign whose keys count")
@click.option("--targets-threshold", default=1, show_default=True, help="so many must sign a release")
@click.option("--renew", type=click.Choice(_ROLES), help="replace a role's keys, or only make the root live longer")
@_PASSPHRASES
def models_keys(
    folders: tuple[Path, ...],
    root_threshold: int,
    targets_threshold: int,
    renew: str | None,
    passphrases: tuple[Path, ...],
) -> None:
    """Hub: make the keys that sign updates. FOLDER… lie elsewhere, such as on a USB stick: one for each person."""
    from services.updates.trust import fingerprint

    with _repository() as repository:
        offline = _open(folders, passphrases, new=renew is None)
        with repository.changing():
            if renew is None:
                content = repository.begin(offline, root_threshold, targets_threshold)
            else:
                content = repository.renew(None if renew == "expiry" else renew, offline)  # type: ignore[arg-type]
        click.echo(f"Root of trust: {fingerprint(content)}. Sites get it when they enrol, and follow its successors.")
        click.echo("Keep the folders away from the hub, and a copy of each elsewhere.")


@models.command("publish")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--language", type=click.Choice(["en", "sw", "luo"]), help="PATH is a Piper voice for this language")
@click.option("--version", help="of a voice; a model's stands in its manifest")
@_KEYS
@_PASSPHRASES
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def models_publish(
    path: Path,
    language: str | None,
    version: str | None,
    folders: tuple[Path, ...],
    passphrases: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Hub: try a release, sign it and offer it to every site. PATH is a programme's folder, or a Piper voice."""
    from services.updates.installed import MODELS
    from services.updates.publish import publish, read_model, read_voice

    if (language is None) != (version is None):
        raise click.UsageError("a voice needs --language and --version, a model neither")
    with _repository() as repository:
        keys = _open(folders, passphrases)
        source = read_voice(path, language, version) if language and version else read_model(path)
        with source as release:
            done = publish(repository, release, keys, MODELS)
        done["sites"] = _hint()
        if as_json:
            click.echo(json.dumps(done))
            return
        click.echo(f"Published {done['subject']} {done['version']}; {done['sites']} sites hear of it.")
        for each in done["files"]:
            patches = "".join(f", patch from {base}: {size}" for base, size in each["patches"].items())
            click.echo(f"  {each['file']}: {each['bytes']} bytes, {each['whole']} over the link{patches}")


@models.command("withdraw")
@click.argument("subject", metavar="models/PROGRAMME|voices/LANGUAGE")
@click.argument("version")
@_KEYS
@_PASSPHRASES
def models_withdraw(subject: str, version: str, folders: tuple[Path, ...], passphrases: tuple[Path, ...]) -> None:
    """Hub: have every site stop using VERSION and go back to the one before it."""
    from services.updates.installed import MODELS
    from services.updates.publish import withdraw

    with _repository() as repository:
        left = withdraw(repository, subject, version, _open(folders, passphrases), MODELS)
        before = f"{left} is offered again" if left else "nothing else was published: sites use what came with Jicho"
        click.echo(f"Withdrawn: {subject} {version}; {before}. {_hint()} sites hear of it.")


@models.command("refresh")
def models_refresh() -> None:
    """Hub: sign anew what is newest (a running hub does it by itself, whenever a site asks)."""
    with _repository() as repository:
        with repository.changing():
            repository.refresh()
        click.echo(f"Valid until {repository.timestamp().expires:%Y-%m-%d %H:%M} UTC.")


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def models_list(as_json: bool) -> None:
    """Hub: show what is published, what was withdrawn, and until when the signatures hold."""
    from services.updates.releases import read_offer

    with _repository() as repository:
        offer = read_offer(repository.targets())
        signed = (repository.root(), repository.targets(), repository.snapshot(), repository.timestamp())
        expires = {each.type: each.expires.isoformat() for each in signed}
        found = {
            "releases": {subject: release.version for subject, release in offer.releases.items()},
            "withdrawn": {subject: sorted(versions) for subject, versions in offer.withdrawn.items()},
            "expires": expires,
        }
        if as_json:
            click.echo(json.dumps(found))
            return
        for subject, release in offer.releases.items():
            shortest = sum(min(way.bytes for way in file.ways) for file in release.files)
            click.echo(f"{subject} {release.version}: {len(release.files)} files, {shortest} bytes at least")
        for subject, versions in offer.withdrawn.items():
            click.echo(f"{subject}: withdrawn {', '.join(sorted(versions))}")
        for role, until in expires.items():
            click.echo(f"{role} signed until {until}")


@models.command("status")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def models_status(as_json: bool) -> None:
    """Site: show which models and voices are in use, what the hub offers, and why that is not used."""
    from services import runtime
    from services.updates.status import status

    with clear_errors():
        configure("command")
        found = status(runtime.current())
        if as_json:
            click.echo(json.dumps(found))
            return
        for subject, each in found["in_use"].items():
            click.echo(f"{subject}: {each['version']} ({each['from']}){_told(found['offered'].get(subject))}")
        for subject in found["offered"].keys() - found["in_use"].keys():
            click.echo(f"{subject}: none{_told(found['offered'][subject])}")
        if found["problem"]:
            click.echo(f"The last look: {found['problem']}")


@models.command("update")
@click.option("--anyway", is_flag=True, help="even if power, memory, disk or the day's budget say no")
def models_update(anyway: bool) -> None:
    """Site: look now, and fetch, try and use what is newer."""
    from services import runtime
    from services.store.migrate import migrate
    from services.sync.client import HubError
    from services.sync.identity import NotEnrolled
    from services.updates import notes
    from services.updates.fetch import Underway, look_now

    with clear_errors(NotEnrolled, HubError, Underway, OSError):
        configured = configure("command")
        site = runtime.current()
        migrate(site.db)
        look_now(site, anyway=anyway)
        found = notes.read(configured.data_dir)
        for subject, each in found["releases"].items():
            click.echo(f"{subject}{_told(each)}")
        if found["problem"]:
            raise click.ClickException(found["problem"])


@models.command("trust")
@click.argument("root", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def models_trust(root: Path) -> None:
    """Site: trust the signatures that ROOT (the hub's metadata/1.root.json) names, where enrolment brought none."""
    from services.updates.trust import BadRoot, keep_root

    with clear_errors(BadRoot, OSError):
        directory = configure("command").data_dir
        click.echo(
            f"Root of trust: {keep_root(directory, root.read_bytes())}. Compare it with the hub's `models keys`."
        )


@contextmanager
def _repository() -> Iterator[Repository]:
    from services.updates.keys import BadKey
    from services.updates.releases import BadRelease
    from services.updates.repository import NotPublished, Repository

    with clear_errors(NotPublished, BadKey, BadRelease, OSError):
        yield Repository(configure("command").hub_dir / "updates")


def _open(folders: tuple[Path, ...], passphrases: tuple[Path, ...], *, new: bool = False) -> list[KeyFolder]:
    from services.updates.keys import KeyFolder

    if passphrases and len(passphrases) != len(folders):
        raise click.UsageError("give one --passphrase-file for each folder of keys, or none")
    if passphrases:
        words = [file.read_text(encoding="utf-8").strip() for file in passphrases]
    else:
        words = [
            click.prompt(f"Passphrase of the keys in {folder}", hide_input=True, confirmation_prompt=new, default="")
            for folder in folders
        ]
    return [KeyFolder(folder, word or None) for folder, word in zip(folders, words, strict=True)]


def _hint() -> int:
    from services.hub import runtime
    from services.hub.updates import hint

    hub = runtime.current()
    hub.migrate()
    return hint(hub)


def _told(offered: dict[str, Any] | None) -> str:
    if offered is None:
        return ""
    reason = f": {offered['reason']}" if offered["reason"] else ""
    return f"; offered {offered['version']}, {offered['state']}{reason}"
