"""From answers, and what was measured here, to a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from services.settings import Settings
from services.site.plan import estimate
from services.site.plan.advice import Advice, advice
from services.site.plan.answers import Answers, Machine
from services.site.plan.environment import Setting, settings_for
from services.site.plan.estimate import Battery, Bill, Latency, Room
from services.site.plan.figures import SYSTEM_MB, Figures, figures
from services.site.plan.models import MODELS, Model, shipped, tiers_of_first
from services.site.plan.prices import prices
from services.site.plan.probe import Measured
from services.site.plan.stacks import Stack, stack_for, takes_modem

_LAPTOP_HOURS = 24.0


@dataclass(frozen=True)
class Plan:
    """What is recommended. `models` fit the machine; `others` came too and do not, or nothing runs them here.
    `latencies` are theirs, the largest tier first; `room` of what the stack runs on this machine."""

    answers: Answers
    measured: Measured | None
    stack: Stack
    models: tuple[Model, ...]
    others: tuple[Model, ...]
    latencies: tuple[Latency, ...]
    memory: Room
    storage: Room
    kept_mb_a_month: float
    bill: Bill
    battery: Battery | None
    settings: tuple[Setting, ...]
    advice: tuple[Advice, ...]
    steps: tuple[str, ...]

    @property
    def months_until_full(self) -> float | None:
        """Until what is kept has filled the disk; None where nothing is kept."""
        if not self.kept_mb_a_month:
            return None
        return max(0.0, self.storage.have_mb - self.storage.need_mb) / self.kept_mb_a_month


def recommend(
    answers: Answers, measured: Measured | None = None, settings: Settings | None = None, models: Path = MODELS
) -> Plan:
    """The plan for these answers; `settings` has the prices. Never fails: where nothing fits, it says what would."""
    known = figures()
    every = shipped({tier: reading.memory_mb for tier, reading in known.readings.items()}, models)
    tiers = tiers_of_first(every)
    storage = estimate.storage(every, known, answers)
    rooms = {model.tier: estimate.memory(model, known, answers, measured) for model in tiers}
    alone = {model.tier: estimate.memory_alone(model, known, answers, measured) for model in tiers}
    hub = Room(SYSTEM_MB + known.hub_mb, answers.memory_gb * 1000)
    fits = hub.fits if answers.role == "hub" else any(room.fits for room in rooms.values())
    stack = stack_for(
        answers,
        service_fits=storage.fits and fits,
        screen_fits=storage.fits and any(room.fits for room in alone.values()),
    )
    needs = alone if stack.name == "files" else rooms
    held = _held(stack, every, needs, known, answers)
    fitting = [model for model in tiers if model in held]
    best = fitting[0] if fitting else tiers[0]
    memory = hub if stack.name == "hub" else needs[best.tier if fitting else tiers[-1].tier]
    modem = takes_modem(stack, answers)
    told = modem and stack.name == "island"  # what is read from files is told by nobody but the worker
    bill = estimate.bill(answers, known, prices(settings), stack.way, stack.audio, hub=stack.hub, modem=told)
    plan = Plan(
        answers=answers,
        measured=measured,
        stack=stack,
        models=held,
        others=tuple(model for model in every if model not in held),
        latencies=tuple(estimate.latency(model, known, measured) for model in fitting),
        memory=memory,
        storage=storage,
        kept_mb_a_month=estimate.kept_mb_a_month(known, answers) if stack.name in _KEEPS else 0.0,
        bill=bill,
        battery=estimate.battery(answers) if answers.battery_hours and stack.name in _KEEPS else None,
        settings=settings_for(answers, stack, bill),
        advice=(),
        steps=_steps(stack),
    )
    return replace(plan, advice=tuple(advice(plan, known)))


def measured_answers(answers: dict[str, str], measured: Measured) -> dict[str, str]:
    """What a probe knows better than anybody, in the place of answers; the rest as it was."""
    found = dict(answers)
    if measured.memory_mb is not None:
        found["memory_gb"] = f"{measured.memory_mb / 1000:.2f}"
    if measured.disk_free_mb is not None:
        # The program is on the disk already: what it takes was free for it.
        found["storage_gb"] = f"{(measured.disk_free_mb + figures().program_mb) / 1000:.1f}"
    if measured.battery_hours is not None and measured.battery_percent:
        found["battery_hours"] = f"{min(_LAPTOP_HOURS, measured.battery_hours * 100 / measured.battery_percent):.1f}"
    machine = _machine(measured)
    if machine is not None:
        found["machine"] = machine
    return found


def _machine(measured: Measured) -> Machine | None:
    for name, machine in (("Raspberry Pi 4", "raspberry-pi-4"), ("Raspberry Pi 5", "raspberry-pi-5")):
        if name in measured.processor:
            return machine  # type: ignore[return-value]
    if measured.battery_hours is not None:
        return "laptop"
    return None


def _held(
    stack: Stack, every: tuple[Model, ...], rooms: dict[str, Room], known: Figures, answers: Answers
) -> tuple[Model, ...]:
    """What this machine can run: another programme's model is in memory beside the eyes'."""
    if not (stack.runs_here or stack.name == "files") or stack.name == "hub":
        return ()
    eyes = [model for model in tiers_of_first(every) if rooms[model.tier].fits]
    if not eyes:
        return ()
    least = min(rooms[model.tier].need_mb for model in eyes)
    spare = answers.memory_gb * 1000 - least
    beside = [model for model in every if model.programme != eyes[0].programme]
    return (*eyes, *(model for model in beside if estimate.process_memory(model, known, None) <= spare))


_KEEPS = ("online", "edge", "island", "files", "hub")
_RUN = "make run"
_WORKER = "python app.py worker add +254711000001 Achieng"
_FACILITIES = "python app.py facility import facilities.csv"
_ENROL = "python app.py sync enrol CODE"
_APP = "open /app/ on each worker's phone once, over https, and let it load its 9 MB"
_STEPS: dict[str, tuple[str, ...]] = {
    "online": (_RUN, _WORKER, _FACILITIES, _ENROL, "python app.py callbacks"),
    "edge": (_RUN, _WORKER, _FACILITIES, _ENROL),
    "island": (_RUN, _WORKER, _FACILITIES, "python app.py fhir export results.json"),
    "files": ("make setup", "python app.py screen --json eye.jpg"),
    "elsewhere": ("on the server elsewhere: make run", _WORKER, "python app.py callbacks"),
    "pocket": ("on the server elsewhere: make run", _WORKER),
    "nothing": (),
    "hub": ("python app.py hub run", 'python app.py hub enrol "Siaya"', 'python app.py hub reviewer add "Dr Atieno"'),
}


def _steps(stack: Stack) -> tuple[str, ...]:
    with_app = stack.name in ("island", "pocket") or stack.way == "app"
    return (*_STEPS[stack.name], _APP) if with_app else _STEPS[stack.name]
