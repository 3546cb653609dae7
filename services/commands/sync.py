"""`python app.py sync …`: this site's side of the hub."""

from __future__ import annotations

import json

import click

from services.commands import clear_errors, configure, until_signalled


@click.group()
def sync() -> None:
    """This site and its hub (enrol, run, now, status)."""


@sync.command("enrol")
@click.argument("code")
def sync_enrol(code: str) -> None:
    """Make this site one of the hub's, with a CODE from `python app.py hub enrol NAME` there."""
    from services import runtime
    from services.store.migrate import migrate
    from services.sync.history import begin_for
    from services.sync.identity import EnrolmentFailed, enrol

    with clear_errors(EnrolmentFailed):
        configured = configure("command")
        site = runtime.current()
        migrate(site.db)
        identity = enrol(configured.data_dir, code)
        with site.db.write() as tx:
            begin_for(tx, identity)
        click.echo(
            f"Enrolled as site {identity.site}, {identity.name}: a running service sends its results from now on."
        )


@sync.command("run")
def sync_run() -> None:
    """Send results to the hub whenever there is a link; waits until the site is enrolled."""
    from services import runtime
    from services.sync.running import run

    with clear_errors():
        configure("sync")
        run(runtime.current(), stopping=until_signalled())


@sync.command("now")
def sync_now() -> None:
    """Send everything that waits, now."""
    from services import runtime
    from services.store.migrate import migrate
    from services.sync.client import HubError, hub_client
    from services.sync.identity import NotEnrolled
    from services.sync.sender import Sender

    with clear_errors(NotEnrolled, HubError):
        configure("command")
        site = runtime.current()
        migrate(site.db)
        with hub_client(site) as client:
            click.echo(f"Sent {Sender(site, client).send_all()} events.")


@sync.command("status")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def sync_status(as_json: bool) -> None:
    """Show whether this site is enrolled, and what waits for the hub."""
    from services import runtime
    from services.store.migrate import migrate
    from services.sync.status import status

    with clear_errors():
        configure("command")
        site = runtime.current()
        migrate(site.db)
        found = status(site)
        if as_json:
            click.echo(json.dumps(found))
            return
        for name, value in found.items():
            click.echo(f"{name.replace('_', ' ')}: {'unknown' if value is None else value}")
