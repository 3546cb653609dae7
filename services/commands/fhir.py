"""`python app.py fhir …`: results for other systems, as FHIR R4."""

from __future__ import annotations

import json
from datetime import datetime
from typing import IO, TYPE_CHECKING

import click

from services.commands import clear_errors, configure

if TYPE_CHECKING:
    from pathlib import Path

    from services.fhir.source import Source
    from services.ledger.meter import Meter
    from services.settings import Settings

_since = click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="only what changed from this day on; push: also what it has"
)
_hub = click.option("--hub", is_flag=True, help="of all sites, from the hub's store, with reviewers' verdicts")


@click.group()
def fhir() -> None:
    """Results for other systems, as FHIR R4: pseudonymous, and labelled as a machine's until a person confirms."""


@fhir.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", atomic=True))
@_since
@_hub
def fhir_export(file: IO[str], since: datetime | None, hub: bool) -> None:
    """Write one transaction Bundle to FILE (- for the screen). Withdrawn screenings are not in it."""
    from services.fhir.bundle import entries
    from services.fhir.resources import Names
    from services.fhir.source import Cursor

    with clear_errors(OSError, *_identity_errors()):
        configured = configure("command")
        source, _, _ = _source(configured, hub=hub)
        cursor = Cursor(_begin(since) - 1 if since else 0, 0)
        records = []
        while changes := source.changes(cursor, 500):
            records += [change.record for change in changes]
            cursor = Cursor(changes[-1].at, changes[-1].number)
        file.write('{"resourceType":"Bundle","type":"transaction","entry":[')
        for number, entry in enumerate(entries(records, Names(configured.fhir_namespace))):
            file.write(("," if number else "") + "\n" + json.dumps(entry, ensure_ascii=False))
        file.write("\n]}\n")


@fhir.command("push")
@click.argument("url")
@_since
@_hub
def fhir_push(url: str, since: datetime | None, hub: bool) -> None:
    """Send what changed since the last push to the FHIR server at URL; after a break it goes on from there."""
    from services.fhir.push import Progress, PushError, push
    from services.fhir.resources import Names

    with clear_errors(PushError, OSError, *_identity_errors()):
        configured = configure("command")
        source, directory, meter = _source(configured, hub=hub)
        pushed = push(
            source,
            url,
            Names(configured.fhir_namespace),
            Progress(directory / "fhir-push.json", url),
            since=_begin(since) if since else None,
            token=configured.fhir_token.get_secret_value(),
            meter=meter,
        )
        click.echo(f"{pushed.screenings} screenings in {pushed.bundles} bundles.")


def _source(configured: Settings, *, hub: bool) -> tuple[Source, Path, Meter]:
    """The store to read, the folder to remember in, and who counts the bytes: the hub's link is no metered one."""
    from services.ledger.meter import NO_METER

    if hub:
        from services.fhir.hub import HubResults
        from services.hub import runtime as hub_runtime

        found = hub_runtime.current()
        found.migrate()
        return HubResults(found), configured.hub_dir, NO_METER
    from services import runtime
    from services.fhir.edge import Site
    from services.store.migrate import migrate

    site = runtime.current()
    migrate(site.db)
    return Site(site), configured.data_dir, site.tally


def _begin(since: datetime) -> int:
    from services.ledger.entries import begins_ms

    return begins_ms(since.date().isoformat())


def _identity_errors() -> tuple[type[Exception], ...]:
    from services.sync.identity import NotEnrolled

    return (NotEnrolled,)
