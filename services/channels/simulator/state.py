"""What the stand-in carrier knows: its subscribers' messages and calls, and everything it ever accepted."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

FAULTS = {
    "sms_500": "the SMS interface fails",
    "sms_no_airtime": "the account has no airtime",
    "low_balance": "the account is nearly empty, as it says of itself",
    "sms_silent": "an SMS is taken, but the answer comes later than the SDK waits",
    "sms_undelivered": "an SMS is taken, and its report says that it never arrived",
    "report_twice": "the report of an SMS comes twice",
    "report_first": "the report of an SMS overtakes the answer to who sent it",
    "whatsapp_500": "Meta's interface fails",
    "whatsapp_throttled": "Meta takes no more messages for now",
    "call_no_airtime": "a call is refused for want of airtime",
    "call_busy": "a call finds the number busy",
}
_KEPT_AUDIO = 64


@dataclass(frozen=True)
class SimulatorConfig:
    """Whom it serves and with which secrets."""

    gateway_url: str
    own_url: str
    at_token: str
    at_username: str
    at_api_key: str
    sms_sender: str
    voice_number: str
    ussd_code: str
    whatsapp_phone_number_id: str
    whatsapp_app_secret: str
    whatsapp_access_token: str
    mm7_token: str
    twilio_account_sid: str
    twilio_auth_token: str


@dataclass
class Call:
    """One phone call, from ringing to its end."""

    id: str
    msisdn: str
    direction: str
    state: str = "ringing"
    """`ringing`, `active` or `ended`."""
    started: float = 0.0
    ended: float = 0.0
    plays: list[str] = field(default_factory=list)
    """Addresses of what is to be heard since the last key."""
    heard: list[str] = field(default_factory=list)
    """Addresses of everything that could be fetched and was heard in this call, in order."""
    waits_for_keys: bool = False
    digits: int = 0
    """How many keys are waited for; 0: as many as come, until #."""
    timeout_s: int = 0
    """How long keys are waited for when the prompts have ended."""
    next_url: str = ""
    after_silence_url: str = ""
    round: int = 0
    dials: str = ""
    """The id of the call to the phone that this one was put through to, `of` in that one the id of this."""
    of: str = ""
    talks: bool = False
    """Whether that phone was picked up."""
    longest_s: int = 0
    """How long the two may talk; 0: as long as they like."""
    unanswered_url: str = ""


@dataclass
class UssdSession:
    """One USSD session, from dialling to its end."""

    id: str
    text: str
    """What was typed so far, joined by `*`."""
    started: float
    hops: int = 0
    hop_names: list[str] = field(default_factory=list)
    """What the gateway called each screen in `at-ussd-hop-metadata`."""
    screen: str = ""


class Carrier:
    """Everything in memory, behind one lock: a carrier outlives the gateway, and forgets when it is stopped."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self.ledger: list[dict[str, Any]] = []
        self.calls: dict[str, Call] = {}
        self.sessions: dict[str, UssdSession] = {}
        """The open USSD session of each number."""
        self.audio: dict[str, bytes] = {}
        """What calls played lately, by address."""
        self.media: dict[str, tuple[bytes, str]] = {}
        self.faults: dict[str, int] = {}
        """What goes wrong how often more, by a name of FAULTS."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._lock:
            yield

    def accept(self, kind: str, msisdn: str, **details: Any) -> dict[str, Any]:
        """Writes down one message that went through, either way."""
        with self._lock:
            entry = {"number": next(self._numbers), "kind": kind, "msisdn": msisdn, "at": time.time(), **details}
            self.ledger.append(entry)
            return entry

    def keep_audio(self, url: str, content: bytes) -> None:
        """Keeps what a call played, and forgets the oldest."""
        with self._lock:
            self.audio[url] = content
            while len(self.audio) > _KEPT_AUDIO:
                del self.audio[next(iter(self.audio))]

    def of(self, kind: str, msisdn: str) -> list[dict[str, Any]]:
        """The messages of one kind of one number, oldest first."""
        with self._lock:
            return [entry for entry in self.ledger if entry["kind"] == kind and entry["msisdn"] == msisdn]

    def fails(self, fault: str) -> bool:
        """Whether this fault strikes now; it is used up once a time."""
        with self._lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0


def new_id(prefix: str) -> str:
    """An id as carriers make them."""
    return f"{prefix}{secrets.token_hex(16)}"
