"""Each recommendation in words: what, why, what it assumes, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.site.plan.figures import FASTEST_WANTED_MS, REMINDERS, SYSTEM_MB, Figures
from services.site.plan.models import MB
from services.site.plan.stack_words import STACK_WORDS
from services.site.plan.stacks import takes_modem

if TYPE_CHECKING:
    from services.site.plan.recommend import Plan

_SMALL_DISK_GB = 64
_SLOW_FLUSH_MS = 50
_CPU = ("CPUExecutionProvider", "AzureExecutionProvider")


@dataclass(frozen=True)
class Advice:
    """One recommendation. `assumes` and `changes` may be empty."""

    topic: str
    says: str
    why: str
    assumes: str = ""
    changes: str = ""


def advice(plan: Plan, known: Figures) -> Iterator[Advice]:
    """All that a plan has to say, the most important first."""
    yield _stack(plan)
    if plan.stack.name in ("nothing", "elsewhere", "pocket"):
        yield _room(plan, known)
    if takes_modem(plan.stack, plan.answers):
        yield _modem(plan)
    if plan.latencies:
        yield _models(plan)
        yield _speed(plan, known)
    if plan.answers.role == "clinic" and plan.answers.accelerator != "none":
        yield _accelerator(plan, known)
    if plan.stack.name in ("online", "edge", "island", "files", "hub"):
        yield _power(plan)
        yield _disk(plan, known)
    if plan.bill.data:
        yield _cost(plan, known)
    if plan.measured is not None and plan.measured.hub_kilobytes_a_second:
        yield _link(plan.measured.hub_kilobytes_a_second, known)
    if plan.measured is not None and plan.measured.flush_ms is not None and plan.measured.flush_ms > _SLOW_FLUSH_MS:
        yield _flush(plan.measured.flush_ms)


def _stack(plan: Plan) -> Advice:
    says, why, assumes, changes = STACK_WORDS[plan.stack.name]
    cut = plan.answers.outage_hours > plan.answers.battery_hours
    if plan.stack.name == "island" and not takes_modem(plan.stack, plan.answers):
        assumes += "; the codes by which phones enrol go by SMS elsewhere: read them on the stand-in's /phone page here"
    if plan.stack.name == "online" and cut:
        assumes += "; power cuts here outlast the battery, so let it stand where power is kept, or expect breaks"
    if plan.stack.name == "edge" and plan.stack.way == "mm7":
        assumes += "; and picture messages with them: then only python app.py screen reads photographs"
        changes += (
            "; one smartphone for the worker: then she screens through the breaks; or dialled codes that must "
            "not rest: then a server elsewhere, since phones need no internet here"
        )
    if plan.stack.name == "hub" and plan.answers.internet == "none":
        assumes += "; with no internet there no site reaches it, so it serves only sites of the same network"
    if plan.stack.name == "hub" and not plan.stack.runs_here:
        assumes += "; and more memory or disk than this machine has: see below"
    return Advice("stack", says, why, assumes, changes)


def _room(plan: Plan, known: Figures) -> Advice:
    least = plan.memory
    return Advice(
        "machine",
        f"A server needs {_gb(least.need_mb)} of memory and {_gb(plan.storage.need_mb)} of disk, beside photographs; "
        f"this machine has {_gb(least.have_mb)} and {_gb(plan.storage.have_mb)}.",
        f"The whole service took {known.service_mb:.0f} MB on {known.reference}, shared pages counted once.",
        f"{SYSTEM_MB} MB for an operating system without a desktop",
    )


def _modem(plan: Plan) -> Advice:
    carries = "notices, reminders and the codes by which workers' phones enrol" if plan.bill.carried else ""
    costs = f" {_usd(plan.bill.carried_usd)} a month for them." if plan.bill.carried else ""
    return Advice(
        "SMS",
        f"Put a modem with a SIM into this machine: SMS then come and go without internet.{costs}",
        f"A mobile network needs no internet: the risk questions go by SMS{', and ' if carries else ''}{carries}.",
        "the SIM has airtime, at JICHO_PRICE_MODEM_PART a part; dialled codes and calls need a carrier all the same",
        "no mobile network: then nobody is told anything by phone",
    )


def _models(plan: Plan) -> Advice:
    best = plan.latencies[0].tier
    released = [model for model in (*plan.models, *plan.others) if model.sensitivity is not None]
    found = min(model.sensitivity or 0 for model in released)
    cleared = ", ".join(f"{model.tier} {model.specificity:.0%}" for model in released)
    bundled = sum(model.bytes for model in (*plan.models, *plan.others)) / MB
    largest = max(model.bytes for model in (*plan.models, *plan.others)) / MB
    fitting = ", ".join(f"{model.name} {model.bytes / MB:.1f} MB" for model in plan.models)
    where = (
        "are bundled with the program, as a disk under 64 GB asks for"
        if plan.answers.storage_gb < _SMALL_DISK_GB
        else "come with the program, and newer ones from the hub"
    )
    return Advice(
        "models",
        f"Read with {best}; the site itself takes a smaller tier while battery or memory is short. Fitting: {fitting}.",
        f"Every tier found at least {found:.0%} of the sick eyes it was validated on; a smaller one costs needless "
        f"referrals, since of the well ones it cleared: {cleared}. All {where}: "
        f"{bundled:.1f} MB together, {largest:.1f} MB the largest.",
        "memory of other programmes' models was not measured and is counted as that of the eye model of the same tier",
        "more memory" if plan.others else "",
    )


def _speed(plan: Plan, known: Figures) -> Advice:
    took = plan.latencies[0]
    if took.here:
        load = "" if plan.measured is None else f", at a load of {plan.measured.load:g}"
        return Advice(
            "speed",
            f"A photograph is read in {took.high_ms:.0f} ms{_against(took.high_ms)}.",
            "Measured on this machine: the median of a few drawn photographs of 1600 × 1600 pixels.",
            f"the machine stays as busy as it was{load}",
            "larger photographs, which take longer to open",
        )
    low, high = took.low_ms, took.high_ms
    rest, p95 = known.result_s
    same = plan.answers.machine in ("mini-pc", "laptop", "server")
    unknown = (
        "another processor is faster or slower, by how much only a probe tells"
        if same
        else "no Raspberry Pi, and no ARM processor at all, was measured: it may take several times as long"
    )
    if plan.stack.name == "island":
        unknown += "; the web app reads in the phone's browser, and no phone was measured either"
    texts = (
        f"; its SMS was at the carrier {rest:g} to {p95:g} s after the photograph" if plan.stack.way != "none" else ""
    )
    return Advice(
        "speed",
        f"A photograph is read in {low:.0f} to {high:.0f} ms on the reference machine{_against(high)}{texts}.",
        f"Measured on {known.reference}: at rest, and at a load of {known.busy_load:g}.",
        unknown,
        "measure this machine: python app.py plan --probe",
    )


def _against(milliseconds: float) -> str:
    within = "within" if milliseconds <= FASTEST_WANTED_MS else "beyond"
    return f", {within} the {FASTEST_WANTED_MS} ms wanted"


def _accelerator(plan: Plan, known: Figures) -> Advice:
    reading = known.readings["full"]
    share = reading.graph_ms * reading.views / reading.at_rest_ms
    there = plan.measured.providers if plan.measured is not None else ()
    others = [name for name in there if name not in _CPU]
    kind = plan.answers.accelerator.upper()
    says = f"Do not count on the {kind}: the processor reads."
    if others:
        says = f"ONNX Runtime here offers {', '.join(others)}: it is tried first, and the processor is its fallback."
    return Advice(
        "accelerator",
        says,
        f"The pinned onnxruntime package computes on the processor only; and of a reading on the reference machine "
        f"{100 * share:.0f} % is the model, the rest opens and judges the photograph: no accelerator could save more.",
        f"no {kind} was measured with these models",
        "an onnxruntime build with a provider for it (CUDA, OpenVINO, …): Jicho takes any other provider first",
    )


def _power(plan: Plan) -> Advice:
    answers, battery = plan.answers, plan.battery
    if battery is None:
        if not answers.outage_hours:
            return Advice("power", "Nothing to do: power does not fail.", "No cut was named.", "", "any power cut")
        return Advice(
            "power",
            f"Get a UPS for {_hours(answers.outage_hours)}, or expect to be off for as long.",
            "A cut loses nothing that was acknowledged, but nobody is screened or answered while it lasts.",
            "the longest usual cut is the one that counts",
            "a battery: then the site itself saves it",
        )
    if plan.stack.name == "hub":
        lasts = f"The battery lasts {battery.off_hours:g} of the {answers.outage_hours:g} hours of a cut."
        return Advice("power", lasts, "Sites keep what they could not send and send it later.", "", "")
    rest = (
        f"; a cut of {_hours(answers.outage_hours)} leaves routine photographs waiting for "
        f"{_hours(battery.waits_hours)} and the service off for {_hours(battery.dark_hours)}"
        if battery.waits_hours or battery.dark_hours
        else f"; a cut of {_hours(answers.outage_hours)} is bridged"
    )
    return Advice(
        "power",
        f"On battery from full: the medium model reads after {_hours(battery.half_hours)}, only urgent photographs"
        f" are read after {_hours(battery.pause_hours)}, all is off after {_hours(battery.off_hours)}{rest}.",
        "JICHO_BATTERY_HALF_PERCENT and JICHO_BATTERY_LOW_PERCENT keep what is left for answering phones.",
        "the hours you gave, an even draw and an honest gauge: no power was measured",
        "a larger battery, or JICHO_BATTERY_LOW_PERCENT"
        if battery.waits_hours or battery.dark_hours
        else "longer cuts",
    )


def _disk(plan: Plan, known: Figures) -> Advice:
    months = plan.months_until_full
    if not plan.storage.fits:
        says = f"Free {_gb(plan.storage.need_mb)} on the disk first: there are {_gb(plan.storage.have_mb)}."
    elif months is None:
        says = f"{_gb(plan.storage.need_mb)} of the disk are needed; nothing is kept that grows."
    else:
        says = (
            f"{_gb(plan.storage.need_mb)} of the disk are needed, and {_gb(plan.kept_mb_a_month)} a month for"
            f" photographs: it is full after {_months(months)}."
        )
    hub = plan.stack.name == "hub"
    kilobytes = known.hub_photograph_bytes / 1000 if hub else known.photograph_kept_kb
    rest = f", a hub on SQLite at rest, {known.share_to_hub:.0%} of screenings with photographs" if hub else ""
    return Advice(
        "disk and memory",
        f"{says} {_gb(plan.memory.need_mb)} of {_gb(plan.memory.have_mb)} of memory are needed.",
        "Program and service as measured; photographs stay until a patient takes her consent back.",
        f"{kilobytes:.0f} kB for each photograph kept, {SYSTEM_MB} MB for the operating system{rest}",
        "fewer screenings or a larger disk",
    )


def _cost(plan: Plan, known: Figures) -> Advice:
    bill, answers = plan.bill, plan.answers
    by_message = ""
    if plan.stack.way == "app":
        beside = known.screening["whatsapp"].photographs * answers.photograph_kb * answers.screenings / 1000
        by_message = f"; by WhatsApp instead of the web app, photographs would add {_mb(beside)} and more"
    if plan.stack.name == "hub":
        assumes = f"{answers.screenings:,} screenings, {known.share_to_hub:.0%} with photographs for the hub"
    else:
        assumes = (
            f"{answers.screenings:,} screenings, photographs of {answers.photograph_kb} kB, {answers.with_phone} of "
            f"100 patients with a phone, {known.share_to_hub:.0%} with photographs for the hub, {REMINDERS} reminders "
            f"for each of the {known.share_referred:.0%} who are referred"
        )
    carried = f", and {_usd(bill.carried_usd)} for SMS and calls" if bill.carried else ""
    return Advice(
        "cost a month",
        f"{_mb(bill.megabytes)} of data for {_usd(bill.data_usd)} at {answers.usd_per_gb:g} dollars a GB{carried}.",
        "Bytes as the ledger counted them over real screenings, times the prices of the settings.",
        assumes,
        f"another price of data or SMS{by_message}; python app.py ledger shows what it really is",
    )


def _link(kilobytes_a_second: float, known: Figures) -> Advice:
    seconds = known.hub_photograph_bytes / 1000 / kilobytes_a_second
    return Advice(
        "link",
        f"A photograph should take {seconds:.1f} s to the hub, and fifty results a moment.",
        f"The hub's answer came with {kilobytes_a_second:.0f} kB a second.",
        "up is as fast as down, which alone was measured",
        "another hour of the day: a shared link changes",
    )


def _flush(milliseconds: float) -> Advice:
    return Advice(
        "disk flush",
        f"Use another disk, such as an SSD: this one takes {milliseconds:.0f} ms until a write is safe.",
        "Each answer to a caller waits for one flush.",
        "the disk was not busy with other things",
        "an SSD instead of an SD card",
    )


def _gb(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 100 else f"{megabytes:.0f} MB"


def _mb(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _usd(dollars: float) -> str:
    return f"{dollars:.2f} dollars"


def _hours(hours: float) -> str:
    return "1 hour" if hours == 1 else f"{hours:.1f} hours".replace(".0 ", " ")


def _months(months: float) -> str:
    if months >= 240:
        return "more than 20 years"
    return f"{months / 12:.0f} years" if months >= 36 else f"{months:.0f} months"
