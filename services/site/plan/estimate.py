"""What a plan costs in memory, disk, time, data and money. Sums only: every figure comes from `figures`, a probe, the
manifests or the answers, and grows in step with the screenings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from services.settings import Settings
from services.site.plan.answers import Answers
from services.site.plan.figures import AUDIO_BYTES_A_SECOND, REMINDERS, SYSTEM_MB, Figures, Screening
from services.site.plan.models import MB, Model
from services.site.plan.prices import Prices
from services.site.plan.probe import Measured

Way = Literal["app", "pocket", "whatsapp", "mm7", "none"]
"""How photographs reach the service: from the web app over the clinic's own Wi-Fi, from it over the link, by WhatsApp,
by picture message; none: not over any link."""
Audio = Literal["wav", "mulaw", "mp3"]

_MIB = 2**20 / MB
_BULK = 1.0394 + 0.0134  # bytes on the link of a byte sent, and its acknowledgements: services/ledger/wire.py
_KEYING_S = 15  # assumed for a patient to key in her code: not measured
_DAYS = 30
_MEASURED_ON = "x86_64"


@dataclass(frozen=True)
class Latency:
    """ms from a photograph's bytes to its outcome with one tier. `here`: measured on this very machine."""

    tier: str
    low_ms: float
    high_ms: float
    here: bool


@dataclass(frozen=True)
class Room:
    """What is needed of what there is, in MB."""

    need_mb: float
    have_mb: float

    @property
    def fits(self) -> bool:
        return self.need_mb <= self.have_mb


@dataclass(frozen=True)
class Line:
    """One row of a month's bill: `number` of `unit`, MB on the link, and dollars (for data at the link's price)."""

    name: str
    number: float
    unit: str
    megabytes: float
    usd: float


@dataclass(frozen=True)
class Bill:
    """A month. `data` lines weigh on the link, `carried` ones are billed by the carriers."""

    data: tuple[Line, ...]
    carried: tuple[Line, ...]

    @property
    def megabytes(self) -> float:
        return sum(line.megabytes for line in self.data)

    @property
    def data_usd(self) -> float:
        return sum(line.usd for line in self.data)

    @property
    def carried_usd(self) -> float:
        return sum(line.usd for line in self.carried)

    @property
    def usd(self) -> float:
        return self.data_usd + self.carried_usd


@dataclass(frozen=True)
class Battery:
    """Hours from a full battery until the smaller model reads, until routine photographs wait, until all is off; and
    for how long of the longest usual cut nothing routine is read."""

    half_hours: float
    pause_hours: float
    off_hours: float
    waits_hours: float
    dark_hours: float


def latency(model: Model, known: Figures, measured: Measured | None) -> Latency:
    """Measured here where it was; else as the reference machine took it, at rest and busy."""
    if measured is not None and model.tier in measured.tiers:
        took = measured.tiers[model.tier].milliseconds
        return Latency(model.tier, took, took, True)
    reading = known.readings[model.tier]
    low, high = sorted((reading.at_rest_ms, reading.busy_ms))
    return Latency(model.tier, low, high, False)


def memory(model: Model, known: Figures, answers: Answers, measured: Measured | None) -> Room:
    """The whole service with this tier, an operating system, and what has to stay free for it not to count as short."""
    spare = Settings.model_fields["low_memory_mb"].default * _MIB
    other = known.readings["full"].memory_mb
    need = SYSTEM_MB + known.service_mb - other + process_memory(model, known, measured) + spare
    return Room(need, answers.memory_gb * 1000)


def memory_alone(model: Model, known: Figures, answers: Answers, measured: Measured | None) -> Room:
    """`python app.py screen` with this tier, and nothing else of the service."""
    return Room(SYSTEM_MB + process_memory(model, known, measured), answers.memory_gb * 1000)


def process_memory(model: Model, known: Figures, measured: Measured | None) -> float:
    """MB of a process that reads with a tier; another programme's tier counts like the first one's of that name."""
    if measured is not None and model.tier in measured.tiers:
        return measured.tiers[model.tier].memory_mb
    return known.readings[model.tier].memory_mb if model.tier in known.readings else 0.0


def storage(models: tuple[Model, ...], known: Figures, answers: Answers) -> Room:
    """Program, what a new site makes for itself, and what has to stay free; the models came with the program."""
    spare = Settings.model_fields["low_disk_mb"].default * _MIB
    bundled = sum(model.bytes for model in models) / MB
    return Room(known.program_mb + known.data_mb + bundled + spare, answers.storage_gb * 1000)


def kept_mb_a_month(known: Figures, answers: Answers) -> float:
    """Photographs that stay on the disk. A hub has those that were sent there."""
    if answers.role == "hub":
        return answers.screenings * known.share_to_hub * _photographs(known) * known.hub_photograph_bytes / MB
    return answers.screenings * _photographs(known) * known.photograph_kept_kb / 1000


def busy_s_an_hour(answers: Answers, known: Figures, took: Latency) -> float:
    """Seconds of one processor that reading takes in each of 176 working hours a month."""
    return answers.screenings * _photographs(known) * took.high_ms / 1000 / 176


def battery(answers: Answers) -> Battery:
    """From the limits of the settings, with a gauge and a draw that are even: no power was measured."""
    fields, hours = Settings.model_fields, answers.battery_hours
    half = hours * (1 - fields["battery_half_percent"].default / 100)
    pause = hours * (1 - fields["battery_low_percent"].default / 100)
    cut = answers.outage_hours
    return Battery(half, pause, hours, max(0.0, min(cut, hours) - pause), max(0.0, cut - hours))


def bill(answers: Answers, known: Figures, cost: Prices, way: Way, audio: Audio, *, hub: bool, modem: bool) -> Bill:
    """A month's. `way` "none": nobody is reached by phone. `hub`: whether results go to one. `modem`:
    results are told by SMS through one, where there is no link."""
    if answers.internet == "none":
        return Bill((), tuple(_by_modem(answers, known, cost)) if modem else ())
    data = [*_hub_side(answers, known)] if answers.role == "hub" else []
    carried: list[Line] = []
    if answers.role == "clinic":
        if way != "none":
            people = known.screening["mm7" if way == "mm7" else "whatsapp"]
            data += _by_phone(answers, known, people, way, audio)
            carried += _carried(answers, known, cost, way)
        if hub:
            data += _to_hub(answers, known)
    return Bill(tuple(data), tuple(carried))


def _by_phone(answers: Answers, known: Figures, people: Screening, way: Way, audio: Audio) -> Iterator[Line]:
    share, months = answers.with_phone / 100, answers.screenings
    photographs = people.photographs * answers.photograph_kb * 1000 * _BULK
    if way == "pocket":
        yield _data("photographs that phones hand over", photographs, months, answers)
    elif way != "app":
        purpose = "whatsapp" if way == "whatsapp" else "mms"
        beside = _beside(people.purposes[purpose].bytes, people.photographs * people.photograph_bytes)
        name = f"photographs by {'WhatsApp' if way == 'whatsapp' else 'picture message'}"
        yield _data(name, photographs + beside, months, answers)
        yield _data("dialled screens", people.purposes["ussd"].bytes, months, answers)
    texts = people.purposes["sms"].bytes / people.purposes["sms"].parts * _sms_parts(answers, known, way)
    yield _data("SMS, as data", texts, months, answers)
    heard = people.heard_s
    call = _beside(people.purposes["call"].bytes, heard * AUDIO_BYTES_A_SECOND["wav"])
    yield _data("calls, as data", share * (call + heard * AUDIO_BYTES_A_SECOND[audio] * _BULK), months, answers)


def _to_hub(answers: Answers, known: Figures) -> Iterator[Line]:
    months = answers.screenings
    yield _data("results to the hub", known.result_bytes, months, answers)
    photographs = known.share_to_hub * _photographs(known) * known.hub_photograph_bytes
    yield _data("photographs to the hub", photographs, months, answers)
    fixed = known.reports_a_month * known.report_bytes + _DAYS * known.look_bytes
    yield _data("how the site is, and looks for models", fixed, 1, answers)


def _hub_side(answers: Answers, known: Figures) -> Iterator[Line]:
    """At the other end: without what each site adds for itself, since nobody said how many there are."""
    yield _data("results from the sites", known.result_bytes, answers.screenings, answers)
    photographs = known.share_to_hub * _photographs(known) * known.hub_photograph_bytes
    yield _data("photographs from the sites", photographs, answers.screenings, answers)


def _carried(answers: Answers, known: Figures, cost: Prices, way: Way) -> Iterator[Line]:
    people, months, share = known.screening["whatsapp"], answers.screenings, answers.with_phone / 100
    parts = months * _sms_parts(answers, known, way)
    yield Line("SMS", parts, "parts", 0, parts * cost.sms_part)
    minutes = months * share * (people.heard_s + _KEYING_S) / 60
    yield Line("calls to patients", minutes, "minutes", 0, minutes * cost.call_minute)
    if way in ("whatsapp", "mm7"):
        sessions = months * people.purposes["ussd"].number
        yield Line("dialled sessions", sessions, "sessions", 0, sessions * cost.ussd_session)
    if way == "whatsapp":
        messages = months * people.purposes["whatsapp"].parts
        yield Line("WhatsApp messages", messages, "messages", 0, messages * cost.whatsapp_message)


def _by_modem(answers: Answers, known: Figures, cost: Prices) -> Iterator[Line]:
    parts = answers.screenings * _sms_parts(answers, known, "app")
    yield Line("SMS by modem", parts, "parts", 0, parts * cost.modem_part)


def _sms_parts(answers: Answers, known: Figures, way: Way) -> float:
    """Of one screening: to the patient, who may be reminded of a referral, and to a worker who has no WhatsApp."""
    patient, everybody = (known.screening[each].purposes["sms"].parts for each in ("whatsapp", "mm7"))
    worker = everybody - patient if way == "mm7" else 0.0
    return worker + answers.with_phone / 100 * (patient + REMINDERS * known.share_referred)


def _data(name: str, bytes_each: float, number: float, answers: Answers) -> Line:
    megabytes = bytes_each * number / MB
    return Line(name, number, "", megabytes, megabytes / 1000 * answers.usd_per_gb)


def _beside(total: float, content: float) -> float:
    """Bytes on the link beside the content itself."""
    return max(0.0, total - content * _BULK)


def _photographs(known: Figures) -> float:
    return known.screening["whatsapp"].photographs
