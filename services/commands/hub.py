"""`python app.py hub …`: the other end of sync, a program of its own with a store of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from services.commands import clear_errors, configure

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from services.store.database import Database


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


@hub.command("work")
def hub_work() -> None:
    """Do the hub's hourly work, with others of the same REDIS_URL: counts for monitoring, alerts, photographs to ask
    for. Without REDIS_URL `hub run` does it itself."""
    import redis

    with clear_errors(redis.RedisError, ValueError):
        settings = configure("hub-work")
        if not settings.redis_url:
            raise click.ClickException("REDIS_URL is not set: `python app.py hub run` does this work itself")
        from services.hub.runtime import current
        from services.hub.work import work

        current().migrate()
        work(settings)


@hub.group("reviewer")
def hub_reviewer() -> None:
    """Who may look at the hub's pages."""


@hub_reviewer.command("add")
@click.argument("name")
@click.option("--operator", is_flag=True, help="sees sites, monitoring and alerts, but no photograph")
def hub_reviewer_add(name: str, operator: bool) -> None:
    """Let NAME in and print the password, once. A known name gets a new one. An operator of a hub with
    JICHO_HUB_PUBLIC_URL gets a second factor too."""
    from services.hub.reviewers import add
    from services.settings import current

    with clear_errors(), _store().write() as tx:
        click.echo(add(tx, name, "operator" if operator else "reviewer"))
        if operator and current().hub_public_url:
            _show_second_factor(tx, name)


@hub_reviewer.command("second-factor")
@click.argument("name")
@click.option("--off", is_flag=True, help="ask for no code any more, for who lost the phone")
def hub_reviewer_second_factor(name: str, off: bool) -> None:
    """Show a QR code, once, for NAME's authenticator app: from now on its codes are asked besides the password."""
    from services.hub.reviewers import secure_no_more

    with clear_errors(), _store().write() as tx:
        if not off:
            _show_second_factor(tx, name)
        elif not secure_no_more(tx, name):
            raise click.ClickException(f"{name} is asked for no code: see `python app.py hub reviewer list`")


@hub_reviewer.command("list")
def hub_reviewer_list() -> None:
    """Show everybody, with the number by which sites know a reviewer."""
    from services.hub.reviewers import listed

    with clear_errors(), _store().read() as tx:
        for each in listed(tx):
            state = "removed" if each["removed_at"] else each["role"]
            secured = "  asked for a code" if each["secured"] else ""
            click.echo(f"{each['id']:4}  {state:9}  {each['name']}{secured}")


@hub_reviewer.command("remove")
@click.argument("name")
def hub_reviewer_remove(name: str) -> None:
    """Let NAME in no more; what was reviewed stays."""
    from services.hub.reviewers import remove

    with clear_errors(), _store().write() as tx:
        if not remove(tx, name):
            raise click.ClickException(f"there is no reviewer {name}: see `python app.py hub reviewer list`")


@hub.command("alerts")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
def hub_alerts(as_json: bool) -> None:
    """Look at everything and show what is wrong; exit status 1 if anything is."""
    from services.hub.alerts import refresh
    from services.hub.weeks import recount
    from services.hub.words import alert_words, words
    from services.settings import current

    with clear_errors(), _store().write() as tx:
        recount(tx)
        found = refresh(tx, current())
    for each in found:
        said = f"{words('alert-' + each['kind'])}: {each['site'] or words('all-sites')}, {alert_words(each)}"
        click.echo(json.dumps(each) if as_json else said)
    if found:
        sys.exit(1)


def _show_second_factor(tx: Connection, name: str) -> None:
    import segno

    from services.hub.reviewers import secure
    from services.people import totp

    made = secure(tx, name)
    if made is None:
        raise click.ClickException(f"there is no reviewer {name}: see `python app.py hub reviewer list`")
    segno.make(totp.uri(made, name=name, clinic="hub"), error="m").terminal(out=sys.stdout, compact=True)
    click.echo(f"For {name}'s authenticator app, or typed into it: {made}")


def _store() -> Database:
    from services.hub import runtime

    configure("command")
    found = runtime.current()
    found.migrate()
    return found.db


def _line(each: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    seen = each["seen_at"]
    when = datetime.fromtimestamp(seen / 1000, UTC).isoformat(timespec="seconds") if seen else "never seen"
    state = "revoked, " if each["revoked_at"] else ""
    report = each["report"] or {}
    details = "; ".join(f"{name} {value}" for name, value in report.items() if value not in (None, "", {}, []))
    return f"{each['id']:4}  {each['name']}: {state}{when}, {each['results']} results{'; ' if details else ''}{details}"
