"""`python app.py hub …`: the other end of sync, a program of its own with a store of its own."""

from __future__ import annotations

import json
from typing import Any

import click

from services.commands import clear_errors, configure


@click.group()
def hub() -> None:
    """The hub: receives what sites send, and sends them what they wait for."""


@hub.command("run")
def hub_run() -> None:
    """Serve the hub over TLS on JICHO_HUB_HOST:JICHO_HUB_PORT."""
    from services.hub.server import serve

    with clear_errors(OSError, ValueError):
        serve(configure("hub"))


@hub.command("enrol")
@click.argument("name")
def hub_enrol(name: str) -> None:
    """Print a one-time code with which the site NAME enrols: `python app.py sync enrol CODE` there."""
    from services.hub import runtime
    from services.hub.certificate import certificate_of
    from services.hub.enrolment import issue

    with clear_errors(OSError, ValueError):
        configured = configure("command")
        pin = certificate_of(configured).pin
        found = runtime.current()
        found.migrate()
        with found.db.write() as tx:
            click.echo(issue(tx, name, configured.hub_url, pin))


@hub.command("sites")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
def hub_sites(as_json: bool) -> None:
    """Show every site: when it was last seen, and what it said of itself."""
    from services.hub import runtime
    from services.hub.sites import listed

    with clear_errors():
        configure("command")
        found = runtime.current()
        found.migrate()
        with found.db.read() as tx:
            for each in listed(tx):
                click.echo(json.dumps(each) if as_json else _line(each))


@hub.command("revoke")
@click.argument("number", type=int)
def hub_revoke(number: int) -> None:
    """Refuse site NUMBER from now on; what it sent stays."""
    from services.hub import runtime
    from services.hub.enrolment import revoke

    with clear_errors():
        configure("command")
        found = runtime.current()
        found.migrate()
        with found.db.write() as tx:
            revoked = revoke(tx, number)
        if not revoked:
            raise click.ClickException(f"there is no site {number} to revoke: see `python app.py hub sites`")


def _line(each: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    seen = each["seen_at"]
    when = datetime.fromtimestamp(seen / 1000, UTC).isoformat(timespec="seconds") if seen else "never seen"
    state = "revoked, " if each["revoked_at"] else ""
    report = each["report"] or {}
    details = "; ".join(f"{name} {value}" for name, value in report.items() if value not in (None, "", {}, []))
    return f"{each['id']:4}  {each['name']}: {state}{when}, {each['results']} results{'; ' if details else ''}{details}"
