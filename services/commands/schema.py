"""`python app.py schema`: what shape the store has, and the way back to an older release."""

from __future__ import annotations

import json

import click

from services.commands import clear_errors, configure


@click.command()
@click.option("--to", "revision", help="change the store back to this schema, for the older release that you install")
@click.option("--upgrade", is_flag=True, help="bring the store to this release's schema, as the next start does")
@click.option("--put-back", is_flag=True, help="undo an upgrade after which nothing ran: the copy from before it")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def schema(revision: str | None, upgrade: bool, put_back: bool, as_json: bool) -> None:
    """Show the schema of this site's store, of this release, and the copies kept before upgrades; or go back to one."""
    from services.launcher import AlreadyRunning, alone
    from services.settings import current
    from services.store.database import Database
    from services.store.migrate import downgrade, migrate
    from services.store.schema import SchemaError, copies, newest, put_copy_back, schema_of

    with clear_errors(SchemaError, AlreadyRunning):
        configure("command")
        db, before = Database(current().store_url), None
        try:
            if upgrade:
                with alone(current().own_dir):
                    with db.read() as tx:
                        before = schema_of(tx)
                    migrate(db)
            if revision is not None:
                with alone(current().own_dir):
                    downgrade(db, revision)
            if put_back:
                with alone(current().own_dir):
                    put_copy_back(db)
            with db.read() as tx:
                now = schema_of(tx)
            kept = [str(path) for path in copies(db)]
        finally:
            db.close()
    if as_json:
        click.echo(json.dumps({"store": now, "release": newest(), "copies": kept}))
        return
    click.echo(f"The store has schema {now or 'none yet'}; this release has {newest()}.")
    if before not in (None, now):
        click.echo(f"It had {before} before.")
    for path in kept:
        click.echo(f"Copy from before an upgrade: {path}")
