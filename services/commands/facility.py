"""`python app.py facility …`: where referred patients are sent."""

from __future__ import annotations

from pathlib import Path

import click

from services.commands import clear_errors, configure


@click.group()
def facility() -> None:
    """Where referred patients are sent, and whether they went (add, list, report, remove, import, export)."""


@facility.command("add")
@click.argument("name")
@click.argument("town")
@click.option("--phone", default="", help="number that people may ring")
@click.option("--service", "services", multiple=True, help="what it offers; may be repeated; default: eye clinic")
@click.option("--days", default="", help="opening days, such as mon-fri or 'tue thu'")
@click.option("--latitude", default="", help="degrees, south is negative")
@click.option("--longitude", default="", help="degrees, west is negative")
@click.option("--ours", is_flag=True, help="it is this clinic itself")
def facility_add(
    name: str, town: str, phone: str, services: tuple[str, ...], days: str, latitude: str, longitude: str, ours: bool
) -> None:
    """List NAME in TOWN, or change what is known of it."""
    from services import runtime
    from services.screening.facilities import put
    from services.screening.facility_table import BadFacility, from_words
    from services.store import audit
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        try:
            new = from_words(
                {
                    "name": name,
                    "town": town,
                    "phone": phone,
                    "services": ";".join(services),
                    "days": days,
                    "latitude": latitude,
                    "longitude": longitude,
                    "ours": "yes" if ours else "",
                }
            )
        except BadFacility as problem:
            raise click.ClickException(str(problem)) from None
        migrate(runtime.current().db)
        with runtime.current().db.write() as tx:
            added = put(tx, new)
            audit.record(tx, audit.by_command(), "facility-save", f"facility:{new.place}")
        click.echo(f"{'Added' if added else 'Updated'} {new.place}.")


@facility.command("list")
def facility_list() -> None:
    """Show every facility with its number, and which one referred patients are sent to."""
    from services import runtime
    from services.screening.facilities import listed, nearest
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.read() as tx:
            chosen = nearest(tx)
            for each in listed(tx):
                where = "" if each.latitude is None else f"{each.latitude:g} {each.longitude:g}"
                notes = (each.phone, ", ".join(each.services), " ".join(each.days), where, "ours" if each.ours else "")
                sent = "  <- referred patients" if chosen and each.id == chosen.id else ""
                click.echo(f"{each.id:4}  {'; '.join(filter(None, (each.place, *notes)))}{sent}")
            if chosen is None:
                place = runtime.current().settings.referral_place or "the eye clinic"
                click.echo(f"No facility with an eye clinic is listed: patients are sent to “{place}”.")


@facility.command("report")
@click.option("--json", "as_json", is_flag=True, help="for another program")
def facility_report(as_json: bool) -> None:
    """Show what became of referrals: how many were opened, reminded, attended and are overdue, by facility."""
    import json

    from services import runtime
    from services.screening.referral_report import referrals_by_facility
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.read() as tx:
            found = referrals_by_facility(tx)
    if as_json:
        click.echo(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("Nobody was referred yet.")
        return
    click.echo(f"{'opened':>7}{'reminded':>10}{'unreached':>11}{'attended':>10}{'overdue':>9}  facility")
    for each in found:
        counts = f"{each.opened:7}{each.reminded:10}{each.unreached:11}{each.attended:10}{each.overdue:9}"
        click.echo(f"{counts}  {each.place}")


@facility.command("remove")
@click.argument("number", type=int)
def facility_remove(number: int) -> None:
    """Send nobody to facility NUMBER any more."""
    from services import runtime
    from services.screening.facilities import remove
    from services.store import audit
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.write() as tx:
            removed = remove(tx, number)
            if removed:
                audit.record(tx, audit.by_command(), "facility-remove", f"facility:{number}")
        if not removed:
            raise click.ClickException(f"there is no facility {number}: see `python app.py facility list`")


@facility.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def facility_import(file: Path) -> None:
    """List every facility of FILE, a CSV as `facility export` writes it. All of them, or none if a row is wrong."""
    from services import runtime
    from services.screening.facilities import put_all
    from services.screening.facility_table import BadTable, read_table
    from services.store import audit
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        try:
            found = read_table(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise click.ClickException(f"{file} is not in UTF-8: save it as “CSV UTF-8”") from None
        except BadTable as problem:
            raise click.ClickException(f"nothing was changed.\n{problem}") from None
        migrate(runtime.current().db)
        with runtime.current().db.write() as tx:
            added = put_all(tx, found)
            audit.record(tx, audit.by_command(), "facility-import", rows=len(found))
        click.echo(f"Added {added}, updated {len(found) - added}.")


@facility.command("export")
def facility_export() -> None:
    """Print every facility as CSV."""
    from services import runtime
    from services.screening.facilities import listed
    from services.screening.facility_table import write_table
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.read() as tx:
            click.echo(write_table(listed(tx)), nl=False)
