"""`python app.py carriers`: which carriers take SMS and how they are; the processes that hold a session with one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from services.commands import clear_errors, configure, until_signalled

if TYPE_CHECKING:
    from services.channels.modem.session import ModemSession
    from services.channels.outlets import Outlets
    from services.channels.smpp.session import SmppSession
    from services.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object a carrier, one a line")
@click.pass_context
def carriers(context: click.Context, as_json: bool) -> None:
    """Show which carriers take SMS, in which order and how each of them is."""
    if context.invoked_subcommand is not None:
        return
    from services.channels.state import carriers_of

    with clear_errors():
        configured = configure("command")
        for carrier in carriers_of(configured):
            click.echo(json.dumps(carrier.as_json()) if as_json else carrier.as_text())
        if not as_json:
            click.echo(f"order: {configured.sms_routes or '*=' + ','.join(configured.sms_carriers)}")


@carriers.command("run")
@click.argument("name", type=click.Choice(["modem", "smpp"]))
def carriers_run(name: str) -> None:
    """Hold the session with a carrier until stopped (the launcher does it where one is set up)."""
    from services.channels.held import Door, socket_path

    with clear_errors():
        configured = configure(name)
        if name not in configured.sms_carriers:
            setting = {"modem": "JICHO_MODEM_DEVICE", "smpp": "JICHO_SMPP_HOST"}[name]
            raise click.ClickException(f"no {name} is set up: set {setting}")
        outlets = _outlets(name)
        session = _modem(configured, outlets) if name == "modem" else _smpp(configured, outlets)
        path = socket_path(configured.own_dir, name)
        door = Door(path, session.jobs.take, lambda: session.jobs.fault, outlets.late)
        try:
            session.run(until_signalled())
        finally:
            door.close()


def _modem(configured: Settings, outlets: Outlets) -> ModemSession:
    from services.channels.modem.session import ModemConfig, ModemSession

    config = ModemConfig(
        device=configured.modem_device,
        connection=configured.modem_connection,
        data_dir=configured.own_dir,
        number=configured.modem_number,
        pin=configured.modem_pin.get_secret_value(),
        balance_ussd=configured.modem_balance_ussd,
        answer_s=configured.modem_answer_seconds,
        power_command=configured.modem_power_command,
    )
    return ModemSession(config, outlets)


def _smpp(configured: Settings, outlets: Outlets) -> SmppSession:
    from services.channels.smpp.config import SmppConfig
    from services.channels.smpp.session import SmppSession

    config = SmppConfig(
        host=configured.smpp_host,
        port=configured.smpp_port,
        data_dir=configured.own_dir,
        system_id=configured.smpp_system_id,
        password=configured.smpp_password.get_secret_value(),
        sender=configured.smpp_sender,
        system_type=configured.smpp_system_type,
        tls=configured.smpp_tls,
        window=configured.smpp_window,
        enquire_s=configured.smpp_enquire_seconds,
        alphabet=configured.smpp_alphabet,
        long=configured.smpp_long,
        region=configured.region,
    )
    return SmppSession(config, outlets)


def _outlets(name: str) -> Outlets:
    """What comes in goes to the store by the same functions as what carriers post to the gateway."""
    from services import runtime
    from services.channels.base import DeliveryReport, Inbound, Receipt
    from services.channels.outlets import Outlets
    from services.messaging.delivery import record_late_receipt, record_report
    from services.messaging.inbox import receive
    from services.store.keyring import site_keys

    site, place = runtime.current(), f"{name}.session".encode()

    def take(inbound: Inbound) -> None:
        receive(site, inbound)

    def report(found: DeliveryReport, number: str) -> None:
        with site.db.write() as tx:
            record_report(tx, found, recipient=number)

    def late(reference: str, receipt: Receipt) -> None:
        with site.db.write() as tx:
            record_late_receipt(tx, reference, receipt, name)

    keys = site_keys()
    return Outlets(
        receive=take,
        report=report,
        late=late,
        token=lambda value: keys.ring.token(name, value),
        seal=lambda content: keys.seal(content, place),
        open=lambda sealed: keys.open(sealed, place),
    )
