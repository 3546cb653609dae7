"""`python app.py worker …`: health workers, and the queue workers that `run` starts."""

from __future__ import annotations

import click

from services.commands import clear_errors, configure, msisdn_of


@click.group()
def worker() -> None:
    """Health workers (add, list, remove, pin), and the queue workers that `run` starts."""


@worker.command("add")
@click.argument("phone")
@click.argument("name")
@click.option("--language", type=click.Choice(["en", "sw", "luo"]), help="the worker's language")
def worker_add(phone: str, name: str, language: str | None) -> None:
    """Let PHONE open screenings as NAME."""
    from services import runtime
    from services.screening.people import add_worker
    from services.store import audit
    from services.store.migrate import migrate

    with clear_errors():
        msisdn = msisdn_of(phone, configure("command").region)
        migrate(runtime.current().db)
        with runtime.current().db.write() as tx:
            added = add_worker(tx, msisdn=msisdn, name=name, language=language)
            audit.record(tx, audit.by_command(), "worker-add", audit.phone(msisdn))
        click.echo(f"{'Added' if added else 'Updated'} {name}, {msisdn}.")


@worker.command("list")
def worker_list() -> None:
    """Show every health worker."""
    from services import runtime
    from services.screening.people import workers
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.read() as tx:
            for row in workers(tx):
                click.echo(f"{row['msisdn']}  {row['name']}{'' if row['active'] else '  (removed)'}")


@worker.command("remove")
@click.argument("phone")
def worker_remove(phone: str) -> None:
    """Take the right to open screenings from PHONE."""
    from services import runtime
    from services.screening.people import remove_worker
    from services.store import audit

    with clear_errors():
        msisdn = msisdn_of(phone, configure("command").region)
        with runtime.current().db.write() as tx:
            removed = remove_worker(tx, msisdn=msisdn)
            if removed:
                audit.record(tx, audit.by_command(), "worker-remove", audit.phone(msisdn))
        if not removed:
            raise click.ClickException(f"{msisdn} is no health worker: see `python app.py worker list`")


@worker.command("run")
@click.argument("queue_name", metavar="QUEUE", type=click.Choice(["inference", "speech", "delivery"]))
@click.option("--slot", default=0, help="tells several workers of one queue apart")
def worker_run(queue_name: str, slot: int) -> None:
    """Work on one QUEUE until stopped."""
    from services import queue
    from services.warming import WARM

    with clear_errors():
        configured = configure(f"{queue_name}-{slot}")
        queue.work(queue_name, slot, configured.queue_url, warm=WARM[queue_name])


@worker.command("pin")
@click.argument("phone")
def worker_pin(phone: str) -> None:
    """Forget the PIN of PHONE, for who forgot hers; she chooses another one at her next use."""
    from services import runtime
    from services.screening.pins import forget_pin
    from services.store import audit

    with clear_errors():
        msisdn = msisdn_of(phone, configure("command").region)
        with runtime.current().db.write() as tx:
            forgotten = forget_pin(tx, msisdn=msisdn)
            audit.record(tx, audit.by_command(), "worker-pin-forgotten", audit.phone(msisdn))
        if not forgotten:
            raise click.ClickException(f"{msisdn} has no PIN, or is no health worker: see `python app.py worker list`")
