"""Jicho's application factory and its command line: `python app.py --help`."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services import settings
from services.bench import BENCHES
from services.commands import clear_errors, configure, until_signalled
from services.commands.account import account
from services.commands.audit import audit
from services.commands.backup import backup, backups, recovery_key, restore
from services.commands.carriers import carriers
from services.commands.doctor import doctor
from services.commands.facility import facility
from services.commands.fhir import fhir
from services.commands.hub import hub
from services.commands.keys import keys
from services.commands.ledger import ledger
from services.commands.messages import messages
from services.commands.models import models
from services.commands.person import export, forget
from services.commands.plan import plan
from services.commands.sbom import sbom
from services.commands.schema import schema
from services.commands.sync import sync
from services.commands.voices import voices
from services.commands.webapp import webapp
from services.commands.worker import worker
from services.programmes import FIRST

if TYPE_CHECKING:
    from flask import Flask
    from PIL import Image

# Everything else is imported where it is used: a process pays only for what it does.


def create_app() -> Flask:
    """The gateway as a WSGI application, for waitress here or any other server in production."""
    from services.gateway.application import create_gateway

    return create_gateway()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Jicho: eye screening by any phone, where the network and the power are poor."""


main.add_command(account)
main.add_command(audit)
main.add_command(backup)
main.add_command(backups)
main.add_command(carriers)
main.add_command(doctor)
main.add_command(export)
main.add_command(facility)
main.add_command(fhir)
main.add_command(forget)
main.add_command(hub)
main.add_command(keys)
main.add_command(ledger)
main.add_command(messages)
main.add_command(models)
main.add_command(plan)
main.add_command(recovery_key)
main.add_command(restore)
main.add_command(sbom)
main.add_command(schema)
main.add_command(sync)
main.add_command(voices)
main.add_command(webapp)
main.add_command(worker)


@main.command()
def run() -> None:
    """Run the whole service: queue, workers, gateway and, for a trial, a stand-in carrier with a phone to try it."""
    from services import launcher

    with clear_errors():
        configured = configure("launcher")
        try:
            launcher.run(configured)
        except (launcher.AlreadyRunning, launcher.StartFailed) as error:
            raise click.ClickException(str(error)) from None


@main.command()
def gateway() -> None:
    """Answer carriers' callbacks on JICHO_HOST:JICHO_PORT."""
    import waitress

    with clear_errors():
        configured = configure("gateway")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # what was counted is written down at an orderly end
        waitress.serve(
            create_app(),
            host=configured.host,
            port=configured.port,
            threads=configured.gateway_threads,
            max_request_body_size=32 * 1024 * 1024,
            # A hundred connections that say nothing would otherwise shut everybody out for two minutes.
            connection_limit=500,
            channel_timeout=30,
            cleanup_interval=10,
            asyncore_use_poll=True,  # select() ends at descriptor 1024
            ident=None,
            clear_untrusted_proxy_headers=True,
            **(_proxied(configured.proxy) if configured.proxy else {}),  # waitress takes no "none" for these
        )


def _proxied(address: str) -> dict[str, Any]:
    return {
        "trusted_proxy": address,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }


@main.command()
def simulator() -> None:
    """Run the stand-in carrier and its /phone page (refused when JICHO_CARRIER=live)."""
    import waitress

    from services.channels.registry import simulator_config
    from services.channels.simulator import create_simulator

    with clear_errors():
        configured = configure("simulator")
        if configured.carrier != "simulator":
            raise click.ClickException("the stand-in carrier is off with JICHO_CARRIER=live")
        application = create_simulator(simulator_config(configured))
        waitress.serve(application, host=configured.host, port=configured.simulator_port, threads=12, ident=None)


@main.command()
def prepare() -> None:
    """Migrate the store and wait for the queue server (the launcher does it at start)."""
    from services import queue, runtime
    from services.people.accounts import nobody_yet
    from services.store.audit_settings import note_settings
    from services.store.keyring import site_keys
    from services.store.migrate import migrate
    from services.store.old_files import seal_old_files
    from services.store.schema import forget_old

    with clear_errors():
        configured = configure("prepare")
        site = runtime.current()
        migrate(site.db)
        forget_old(site.db)
        seal_old_files(site.db, site.personal_files(), site_keys())
        with site.db.write() as tx:
            note_settings(tx, configured)
        with site.db.read() as tx:
            if nobody_yet(tx):
                click.echo(
                    "Nobody has an account for the console yet: "
                    ".venv/bin/python app.py account add achieng --role nurse --role administrator"
                )
        queue.wait_until_ready(configured.queue_url)


@main.command()
def relay() -> None:
    """Move due work from the store to the queue."""
    from services import runtime
    from services.messaging.relay import relay as move

    with clear_errors():
        configure("relay")
        move(runtime.current(), stopping=until_signalled())


@main.command()
def scheduler() -> None:
    """Run the periodic duties: lost work, unsettled messages, old audio."""
    from services import runtime
    from services.messaging.relay import scheduler as keep

    with clear_errors():
        configure("scheduler")
        keep(runtime.current(), stopping=until_signalled())


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
@click.option("--programme", default=FIRST, show_default=True, help="whose models")
@click.option("--tier", help="which model; default: the best that fits")
@click.option("--heatmap", type=click.Path(dir_okay=False, path_type=Path), help="draw here where the signs are")
def screen(images: tuple[Path, ...], as_json: bool, programme: str, tier: str | None, heatmap: Path | None) -> None:
    """Grade photographs from files. Needs no server. Exit status 1 if one of them is no photograph."""
    from services.inference.manifest import ModelError
    from services.inference.opening import open_engine
    from services.screening.engines import MODELS
    from services.screening.screen import plainly, screen_file

    if heatmap and len(images) > 1:
        raise click.UsageError("--heatmap takes one photograph")
    try:
        engine = open_engine(MODELS, programme, tier)
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    failed = False
    for path in images:
        try:
            result = screen_file(path, engine, heatmap)
        except OSError as error:
            raise click.ClickException(f"{heatmap}: {error.strerror or error}") from None
        failed = failed or "error" in result
        click.echo(json.dumps(result) if as_json else plainly(result))
    sys.exit(1 if failed else 0)


@main.command()
@click.option("--language", type=click.Choice(["sw", "luo", "en"]), required=True)
@click.argument("text")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def say(language: str, text: str, out: Path) -> None:
    """Speak TEXT into OUT, an 8 kHz WAV as a telephone plays it."""
    from services.speech.say import Piece, SpeechError, speak

    try:
        audio = speak(language, [Piece(text)], cache_dir=None)
        out.write_bytes(audio.wav())
    except (SpeechError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{out}: {audio.seconds:.1f} s")


@main.command()
@click.option("--phone", default="+254711000001", show_default=True, help="who dials")
@click.option("--url", help="the stand-in carrier; default: the one `run` starts here")
def dial(phone: str, url: str | None) -> None:
    """A phone in the terminal: dial, read the screen, type an answer."""
    from services.channels.terminal_phone import converse

    with clear_errors():
        configured = settings.load()
        converse(url or configured.simulator_url, phone, configured.ussd_code)


@main.command()
@click.option("--programme", default=FIRST, show_default=True, help="whose models")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--tier", help="which model; default: the best")
@click.option("--split", help="only these rows of labels.csv")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def evaluate(programme: str, data: Path, tier: str | None, split: str | None, as_json: bool) -> None:
    """Measure a model on a folder with labels.csv (image, grade or label, optional split and source)."""
    from services.inference.classes import Classifier
    from services.inference.evaluate import evaluate as measure
    from services.inference.evaluate_classes import evaluate_classes
    from services.inference.manifest import ModelError
    from services.inference.opening import open_engine
    from services.screening.engines import MODELS
    from services.screening.sanitise import sanitise

    def decode(content: bytes) -> Image.Image:
        return sanitise(content).image

    try:
        engine = open_engine(MODELS, programme, tier)
        if isinstance(engine, Classifier):
            found = evaluate_classes(data, engine, split, decode)
        else:
            found = measure(data, engine, split=split, decode=decode)
    except (ModelError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(found, indent=None if as_json else 2))


@main.command()
@click.argument("what", type=click.Choice(list(BENCHES)))
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@click.option("--seconds", type=click.IntRange(1), help="for ussd (20) and soak (1800): how long")
@click.option("--rounds", type=click.IntRange(1), help="for chaos (500): how many faults, with ten screenings each")
@click.option("--inputs", type=click.IntRange(1), help="for fuzz (1000000): how many")
@click.option("--programme", help=f"for inference ({FIRST}): whose models, or all")
def bench(what: str, as_json: bool, **given: Any) -> None:
    """Measure the models one by one, or the real stack, started for it in a folder of its own."""
    from services.bench import OPTIONS, CannotMeasure, run_bench

    options = {name: value for name, value in given.items() if value is not None}
    if unknown := [name for name in options if OPTIONS.get(what) != name]:
        raise click.UsageError(f"bench {what} knows no --{unknown[0]}")
    try:
        figures = run_bench(what, **options)
    except CannotMeasure as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(json.dumps(figures, indent=None if as_json else 2))


@main.command()
def callbacks() -> None:
    """Print the addresses to give to the carriers (they hold secret tokens)."""
    from services.gateway.addresses import addresses

    with clear_errors():
        for name, address in addresses(settings.load()).items():
            click.echo(f"{name:34} {address}")


if __name__ == "__main__":
    main()
