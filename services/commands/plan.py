"""`python app.py plan`: from what a site has to the stack that fits it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.commands import clear_errors
from services.site.plan.answers import QUESTIONS, BadAnswer, Question, parse
from services.site.plan.models import FIRST, shipped, tiers_of_first

if TYPE_CHECKING:
    from services.settings import Settings
    from services.site.plan.probe import Measured, Place, Step, TierTime

_PHOTOGRAPHS, _SIDE = 2, 1600  # as many and as large as give a median within seconds that compares with `bench`
_FETCHED_BYTES = 256 * 1024
_SMALLEST_BYTES = 64 * 1024


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for question in reversed(QUESTIONS):
        usual = f"; {question.usual} unless said otherwise"
        shown = question.asks if question.choices is None else f"{question.asks.rstrip('?')}: {question.allowed}"
        option = click.option(f"--{question.option}", question.name, metavar="ANSWER", help=shown + usual)
        command = option(command)
    return command


@click.command()
@_options
@click.option("--probe", is_flag=True, help="measure this machine: models, memory, disk, battery, link")
@click.option(
    "--ask/--no-ask", default=None, help="ask what is missing; by default in a terminal where no option is given"
)
@click.option(
    "--json", "as_json", is_flag=True, help="one JSON object; steps of --probe as one object a line before it"
)
def plan(probe: bool, ask: bool | None, as_json: bool, **options: str | None) -> None:
    """Recommend a stack for a site: models that fit, speed, memory, costs a month, and the .env to start with."""
    from services import settings
    from services.site.plan.recommend import measured_answers, recommend
    from services.site.plan.render import as_json as plan_as_json
    from services.site.plan.render import as_lines

    given = {name: value for name, value in options.items() if value is not None}
    with clear_errors(BadAnswer):
        parse(given)  # what is wrong is said before anybody waits for a probe or answers ten questions
        configured = settings.load()
        measured = _probed(configured, as_json) if probe else None
        known = dict(given) if measured is None else measured_answers(given, measured) | given
        asks = sys.stdin.isatty() and not as_json and not given if ask is None else ask
        answers = parse(_asked(known) if asks else known)
        found = recommend(answers, measured, configured)
        if as_json:
            click.echo(json.dumps(plan_as_json(found)))
            return
        if not asks and len(known) < len(QUESTIONS):
            left = [q for q in QUESTIONS if q.name not in known and q.asked and q.applies(vars(answers))]
            usual = ", ".join(f"{question.option} {question.usual}" for question in left)
            click.echo(f"Not said, so taken as usual: {usual}\n" if usual else "", nl=bool(usual))
        click.echo("\n".join(["", *as_lines(found)] if asks else as_lines(found)))


def _asked(known: dict[str, str]) -> dict[str, str]:
    """Everything that was not said, asked for one by one."""
    found = dict(known)
    for question in QUESTIONS:
        if question.name not in found and question.asked and question.applies(found):
            found[question.name] = _ask(question)
    return found


def _ask(question: Question) -> str:
    def read(said: str) -> str:
        chosen = said.strip()
        if question.choices is not None and chosen.isdecimal() and 1 <= int(chosen) <= len(question.choices):
            chosen = list(question.choices)[int(chosen) - 1]
        try:
            question.read(chosen)
        except BadAnswer as problem:
            raise click.UsageError(str(problem)) from None
        return chosen

    for number, (value, means) in enumerate((question.choices or {}).items(), 1):
        if number == 1:
            click.echo(f"\n{question.asks}")
        click.echo(f"  {number}. {value}: {means}")
    words = "Which" if question.choices is not None else f"\n{question.asks} ({question.allowed})"
    found: str = click.prompt(words, default=question.usual, value_proc=read)
    return found


def _probed(configured: Settings, as_json: bool) -> Measured:
    for step in steps(configured):
        if as_json:
            click.echo(json.dumps({"step": step.title, "found": step.found}))
        else:
            click.echo(f"{step.title:18} {step.found}")
    if not as_json:
        click.echo()
    return step.measured


def steps(configured: Settings) -> Iterator[Step]:
    """Measures this machine, as `services.site.plan.probe` says, with the models that came with this release."""
    from services.site.plan.probe import probe

    tiers = [model.tier for model in tiers_of_first(shipped({}))]
    with tempfile.TemporaryDirectory(prefix="jicho-plan-") as folder:
        _enlarge_retinas(Path(folder))
        yield from probe(
            configured.data_dir,
            configured.ups,
            tiers=tiers,
            read_tier=lambda tier: _read_tier(tier, Path(folder)),
            places=_places(configured),
            throughput=lambda: _throughput(configured),
        )


def _enlarge_retinas(folder: Path) -> None:
    """The drawn retinas that models are checked on, as large as a camera's: to draw one so large takes nine seconds of
    processor time, and it is read in the same time (63 ms against 60 to 64 with the light model)."""
    from PIL import Image

    from services.inference.manifest import load_grades
    from services.screening.engines import MODELS

    gradable = [case.file for case in load_grades(MODELS, FIRST).golden if case.gradable]
    for file in gradable[:_PHOTOGRAPHS]:
        with Image.open(file) as image:
            large = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        large.save(folder / file.name, "JPEG", quality=85)


def _read_tier(tier: str, photographs: Path) -> TierTime:
    """In a process of its own, as a worker is, and by what `bench inference` measures with: the figures compare."""
    from services.bench.inference import measured
    from services.site.plan.probe import NotMeasured, TierTime

    try:
        found = measured("end-to-end", tier, str(photographs))
    except (subprocess.CalledProcessError, OSError, ValueError) as problem:
        raise NotMeasured(f"the model did not run ({problem})") from None
    return TierTime(found["end_to_end_p50_ms"], round(found["rss_mb"] * 2**20 / 1e6, 1))


def _places(configured: Settings) -> list[Place]:
    """Whom this site has to reach: the hub it enrolled at, and, with a live carrier, the carrier."""
    from urllib.parse import urlsplit

    from services.site.plan.probe import Place
    from services.sync.identity import NotEnrolled, load

    found = []
    try:
        where = urlsplit(load(configured.data_dir).url)
        found.append(Place("hub", where.hostname or "", where.port or 443))
    except NotEnrolled:
        pass
    if configured.carrier == "live":
        at = urlsplit(configured.at_base_url or "https://api.africastalking.com")
        found.append(Place("carrier", at.hostname or "", at.port or 443))
        if configured.whatsapp_phone_number_id:
            meta = urlsplit(configured.whatsapp_base_url)
            found.append(Place("WhatsApp", meta.hostname or "", meta.port or 443))
    return found


def _throughput(configured: Settings) -> tuple[int, float]:
    """The first quarter of a megabyte of what the hub offers, counted as any other. Raises NotMeasured."""
    from contextlib import suppress

    from sqlalchemy.exc import SQLAlchemyError

    from services.runtime import Runtime
    from services.site.plan.probe import NotMeasured
    from services.sync.client import HubError, hub_client
    from services.sync.identity import NotEnrolled

    site = Runtime(configured)
    try:
        path = _offered(configured)
        with hub_client(site) as client:
            client.get("/healthz", purpose="models")  # the connection is made before the clock runs
            came, began = 0, time.perf_counter()
            for block in client.stream(path, purpose="models", headers={"Range": f"bytes=0-{_FETCHED_BYTES - 1}"}):
                came += len(block)
            took = time.perf_counter() - began
        with suppress(SQLAlchemyError):  # a store that cannot be written is no reason to hide what was measured
            site.tally.flush()
            site.db.close()
    except NotEnrolled:
        raise NotMeasured("this site is enrolled at no hub") from None
    except HubError as problem:
        raise NotMeasured(f"the hub did not send it ({problem.reason})") from None
    return came, took


def _offered(configured: Settings) -> str:
    """The address of a file at the hub that is large enough to time. Raises NotMeasured."""
    from services.site.plan.probe import NotMeasured
    from services.updates.downloads import TARGETS
    from services.updates.trust import folder_of

    metadata = folder_of(configured.data_dir) / "metadata" / "targets.json"
    try:
        targets: dict[str, Any] = json.loads(metadata.read_text(encoding="utf-8"))["signed"]["targets"]
    except (OSError, ValueError, KeyError):
        raise NotMeasured("the hub has offered no file yet; python app.py models update looks for one") from None
    for path, target in sorted(targets.items()):
        if int(target["length"]) >= _SMALLEST_BYTES:
            folder, _, name = path.rpartition("/")
            return f"{TARGETS}{folder}{'/' if folder else ''}{target['hashes']['sha256']}.{name}"
    raise NotMeasured("the hub offers no file that is large enough")
