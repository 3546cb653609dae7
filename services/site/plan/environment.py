"""The `.env` to start with: as it stands it starts a trial, and the lines to go live with wait behind `#`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from services.site.plan.answers import Answers
from services.site.plan.estimate import Bill
from services.site.plan.stacks import Stack, takes_modem

_TOKEN = "python -c 'import secrets; print(secrets.token_urlsafe(24))'"
_DAYS = 30


@dataclass(frozen=True)
class Setting:
    """One line. `later`: behind `#`, since only the operator knows the value; `value` is then an example."""

    name: str
    value: str
    why: str
    later: bool = False

    def __str__(self) -> str:
        return f"{'#' if self.later else ''}{self.name}={self.value}"


def settings_for(answers: Answers, stack: Stack, bill: Bill) -> tuple[Setting, ...]:
    """Those that differ from what is usual, or that the operator has to know of."""
    if stack.name == "hub":
        return tuple(_hub())
    if stack.name == "nothing":
        return ()
    return (*_site(answers, stack, bill), *_live(answers, stack))


def as_text(settings: tuple[Setting, ...]) -> str:
    """The file itself, each line with its reason above it."""
    now = [f"# {setting.why}\n{setting}" for setting in settings if not setting.later]
    later = [f"{setting}  # {setting.why}" for setting in settings if setting.later]
    heading = ["", "# To go on from the trial: fill these in and take away the # before them."] if later else []
    return "\n".join([*now, *heading, *later, ""]) if settings else ""


def _site(answers: Answers, stack: Stack, bill: Bill) -> Iterator[Setting]:
    carried = "a trial first: the stand-in takes what carriers would have" if answers.internet == "none" else ""
    yield Setting("JICHO_CARRIER", "simulator", carried or "a trial first: nothing is sent and nothing is billed")
    yield Setting("JICHO_CLINIC", "My clinic", "as people read and hear it", later=True)
    yield Setting("JICHO_INFERENCE_WORKERS", "1", "one worker reads all of these photographs in time")
    if stack.way != "none":
        kilobytes = {"mp3": "2 kB", "mulaw": "8 kB", "wav": "16 kB"}[stack.audio]
        yield Setting("JICHO_CALL_AUDIO", stack.audio, f"a second of a call weighs {kilobytes} on the link")
    if answers.internet != "none":
        price = f"{answers.usd_per_gb / 1000:.6f}".rstrip("0").rstrip(".")
        yield Setting("JICHO_PRICE_MEGABYTE", f"USD {price}", "what the ledger counts data with")
        budget = budget_a_day(bill)
        if budget:
            yield Setting("JICHO_BUDGET_USD_A_DAY", f"{budget:.2f}", "twice a usual day; beyond it photographs wait")
    if stack.hub and answers.internet == "intermittent":
        yield Setting("JICHO_SYNC_PHOTOGRAPHS", "needed", "only referred and doubtful eyes go to the hub")
        yield Setting("JICHO_SYNC_CHUNK_KB", "32", "the most that a broken link can cost twice")
    if answers.battery_hours > 0 and answers.machine != "laptop":
        yield Setting("JICHO_UPS", "ups@localhost", "asks the UPS for its charge; needs Network UPS Tools (apt: nut)")


def _live(answers: Answers, stack: Stack) -> Iterator[Setting]:
    local = answers.internet == "none"
    why = "phones open the web app by https only: a TLS proxy before 127.0.0.1:8080, on this network"
    address = "https://jicho.lan" if local else "https://jicho.example.org"
    if stack.name != "files":
        yield Setting("JICHO_PUBLIC_URL", address, why if local else "how carriers and phones reach it", later=True)
    if takes_modem(stack, answers):
        yield Setting("JICHO_CARRIER", "live", "once the modem is there: replaces the one above", later=True)
        yield Setting("JICHO_MODEM_DEVICE", "/dev/serial/by-id/usb-modem-port0", "with a SIM in it", later=True)
        yield Setting("JICHO_MODEM_NUMBER", "+254711000000", "of that SIM", later=True)
    if local or stack.way == "none":
        return
    yield Setting("JICHO_CARRIER", "live", "once all below is there: replaces the one above", later=True)
    yield Setting("JICHO_AT_TOKEN", "a-secret-of-128-bits-or-more", f"made by: {_TOKEN}", later=True)
    yield Setting("JICHO_AUDIO_SECRET", "another-secret-of-128-bits", "the same", later=True)
    yield Setting("JICHO_AT_USERNAME", "my-account", "of Africa's Talking", later=True)
    yield Setting("JICHO_AT_API_KEY", "key-of-the-account", "of Africa's Talking", later=True)
    if stack.way == "mm7":
        yield Setting("JICHO_MM7_TOKEN", "a-third-secret-of-128-bits", "for the operator's MMSC", later=True)
    if stack.way == "whatsapp":
        for name, example in (("PHONE_NUMBER_ID", "123"), ("APP_SECRET", "secret"), ("ACCESS_TOKEN", "token")):
            yield Setting(f"JICHO_WHATSAPP_{name}", example, "of Meta's Cloud API", later=True)
        yield Setting("JICHO_WHATSAPP_VERIFY_TOKEN", "a-word-of-yours", "entered at Meta too", later=True)


def _hub() -> Iterator[Setting]:
    yield Setting("JICHO_HUB_HOST", "0.0.0.0", "sites come from elsewhere")
    yield Setting("JICHO_HUB_PROCESSES", "2", "with PostgreSQL; on SQLite the hub runs one whatever stands here")
    yield Setting("JICHO_HUB_PUBLIC_URL", "https://hub.example.org:8443", "part of every enrolment code", later=True)
    database = "postgresql+psycopg://jicho:PASSWORD@127.0.0.1/jicho_hub"
    yield Setting("JICHO_HUB_DATABASE_URL", database, "PostgreSQL, for more than a trial", later=True)


def budget_a_day(bill: Bill) -> float:
    """Twice what a usual day costs, in whole cents upwards; 0 for nothing to limit."""
    return math.ceil(200 * bill.usd / _DAYS) / 100
