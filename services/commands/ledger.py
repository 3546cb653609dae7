"""`python app.py ledger`: what the link and the carriers cost."""

from __future__ import annotations

import json

import click

from services.commands import clear_errors, configure


@click.command()
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 400), help="how many, today included")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def ledger(days: int, as_json: bool) -> None:
    """Bytes, SMS parts and call seconds by day and purpose, with what they cost."""
    from services import runtime
    from services.ledger.report import report
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        found = report(runtime.current(), days)
        click.echo(json.dumps(found.as_json()) if as_json else "\n".join(found.as_text()))
