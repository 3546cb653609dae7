"""`python app.py forget PHONE` and `export PHONE`: what a person may ask of the clinic."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from services.commands import clear_errors, configure, msisdn_of


@click.command()
@click.argument("phone")
@click.option("--yes", is_flag=True, help="do not ask")
def forget(phone: str, yes: bool) -> None:
    """Forget whoever has PHONE: take her consents back and erase what is kept of her, here and at the hub."""
    from services import runtime
    from services.rights.forgetting import StillAWorker
    from services.rights.forgetting import forget as forget_person
    from services.store.audit import by_command
    from services.store.migrate import migrate

    with clear_errors(OSError):
        msisdn = msisdn_of(phone, configure("command").region)
        if not yes:
            click.confirm(f"Erase everything that is kept of {msisdn}? It cannot be undone", abort=True)
        migrate(runtime.current().db)
        try:
            done = forget_person(runtime.current(), msisdn, by_command())
        except StillAWorker:
            raise click.ClickException(
                f"{msisdn} is a health worker's: `python app.py worker remove {msisdn}` first"
            ) from None
    if done.nothing:
        click.echo("Nothing was kept of this number.")
        return
    kinds = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(done).items())
    click.echo(f"Forgotten: {kinds}. A running service erases the files of screenings within the hour.")


@click.command()
@click.argument("phone")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def export(phone: str, out: Path) -> None:
    """Write everything that is kept of whoever has PHONE to OUT, a zip file: person.json and her photographs."""
    from services import runtime
    from services.rights.export import export as export_person
    from services.store.audit import by_command
    from services.store.keyring import NotOurs
    from services.store.migrate import migrate

    with clear_errors(OSError, NotOurs):
        msisdn = msisdn_of(phone, configure("command").region)
        migrate(runtime.current().db)
        counts = export_person(runtime.current(), msisdn, out, by_command())
    kinds = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    click.echo(f"{out}: {kinds}")
