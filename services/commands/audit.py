"""`python app.py audit …`: who did what to whose data, and whether the log is whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from services.commands import clear_errors, configure

if TYPE_CHECKING:
    from services.store.audit import Log
    from services.store.database import Database

_AT_HUB = click.option("--hub", is_flag=True, help="the hub's log instead of the site's")


@click.group()
def audit() -> None:
    """The audit log: show it, and verify that nobody changed it."""


@audit.command("show")
@click.option("--last", default=50, show_default=True, help="so many entries")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
@_AT_HUB
def audit_show(last: int, as_json: bool, hub: bool) -> None:
    """Show the newest entries, the oldest of them first. Phones are named by their keyed hash."""
    with clear_errors():
        log, db = _opened(hub)
        with db.read() as tx:
            rows = log.newest(tx, last)
    for row in rows:
        if as_json:
            click.echo(json.dumps(row | {"detail": json.loads(row["detail"])}))
            continue
        at = datetime.fromtimestamp(row["at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        detail = "" if row["detail"] == "{}" else f"  {row['detail']}"
        click.echo(
            f"{row['number']:6}  {at}  {row['actor_kind']} {row['actor']}  {row['action']}  {row['subject']}{detail}"
        )


@audit.command("verify")
@click.option("--head", help="NUMBER:HASH as it was printed before: shows a log that was cut short")
@_AT_HUB
def audit_verify(head: str | None, hub: bool) -> None:
    """Follow the chain from its beginning. Exit status 1, and the first entry that is not what was written, if there is
    one."""
    from services.store.audit import Broken, Head

    known = None
    if head is not None:
        number, _, digest = head.partition(":")
        if not number.isdecimal() or len(digest) != 64:
            raise click.UsageError("--head is NUMBER:HASH, as `audit verify` prints it")
        known = Head(int(number), digest)
    with clear_errors():
        log, db = _opened(hub)
        with db.read() as tx:
            found = log.verify(tx, head=known)
    if isinstance(found, Broken):
        raise click.ClickException(f"entry {found.number} {found.why}: the log was tampered with, or damaged")
    click.echo(f"The log is whole: {found.number} entries. Write this down, elsewhere: {found.number}:{found.hash}")


def _opened(hub: bool) -> tuple[Log, Database]:
    configure("command")
    if hub:
        from services.hub import runtime as hub_runtime
        from services.hub.audit import LOG

        hub_runtime.current().migrate()
        return LOG, hub_runtime.current().db
    from services import runtime
    from services.store.audit import SITE
    from services.store.migrate import migrate

    migrate(runtime.current().db)
    return SITE, runtime.current().db
