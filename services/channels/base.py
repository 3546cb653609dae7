"""What a channel is: one carrier, two directions, one error.

A channel parses what its carrier posts into the types below and sends what the outbox holds. It knows wire formats
and nothing of screening, and it is imported by the gateway, so nothing heavy may be imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """How something reaches a person."""

    USSD = "ussd"
    SMS = "sms"
    VOICE = "voice"
    WHATSAPP = "whatsapp"
    MMS = "mms"


class DeliveryState(StrEnum):
    """Where an outgoing message is. `UNKNOWN` is settled by a delivery report, never by sending again."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


class ChannelError(Exception):
    """The one error of every carrier. `permanent` says that trying again cannot help.

    `unknown` says that the carrier may have accepted the message (a timeout after the request was written): such a
    message must not be sent again, since the patient would pay in trust and the clinic in airtime.
    `retry_after_s` is a floor for the next attempt, when the carrier or the reason suggests one (no airtime: slowly).
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, unknown: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.unknown = unknown
        self.retry_after_s = retry_after_s
        self.carrier = ""
        """Which of several carriers said so, where one channel stands for them."""


class BadCallback(Exception):
    """A callback that is not what the carrier's documentation says. `status` is the HTTP status to answer with."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@dataclass(frozen=True)
class Media:
    """One attachment: either its bytes (`content`, MM7) or what `Channel.fetch` needs to get them (`locator`)."""

    mime_type: str
    content: bytes | None = None
    locator: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Inbound:
    """One message from a person. `(carrier, provider_id)` is its identity: carriers repeat callbacks for hours."""

    carrier: str
    kind: Kind
    provider_id: str
    sender: str
    """E.164 (`+2547…`), or whatever opaque identity the carrier gave when it hides the number."""
    recipient: str
    text: str = ""
    media: tuple[Media, ...] = ()
    choice: str = ""
    """The id of the button or list row pressed, where the channel has such things."""
    sent_at: str = ""
    network: str = ""


@dataclass(frozen=True)
class UssdTurn:
    """One USSD request. `text` is as received: whether it accumulates is for the conversation to judge."""

    session_id: str
    service_code: str
    msisdn: str
    network: str
    text: str


@dataclass(frozen=True)
class UssdEnd:
    """The carrier's notice that a session ended; not reliably delivered."""

    session_id: str
    msisdn: str
    status: str
    hops: int | None
    cost: str
    duration_ms: int | None


@dataclass(frozen=True)
class VoiceEvent:
    """One voice callback. `active` is false for the last one of a call, which carries its price."""

    session_id: str
    direction: str
    caller: str
    destination: str
    active: bool
    digits: str | None = None
    state: str = ""
    duration_s: int | None = None
    cost: str = ""
    hangup_cause: str = ""
    dialled: str = ""
    """The phone that the call was put through to, once the carrier says so."""
    dial_status: str = ""
    dial_s: int | None = None
    """How long that phone was on the line."""


@dataclass(frozen=True)
class DeliveryReport:
    """The fate of a message already handed over, by the carrier's own id for it."""

    carrier: str
    provider_id: str
    state: DeliveryState | None
    """None for a status this code does not know: keep it, change nothing."""
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Outbound:
    """One message to hand to a carrier."""

    kind: Kind
    to: str
    text: str = ""
    reference: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    """(id, label) pairs: at most 3 × 20 characters become buttons, up to 10 × 24 a list, on WhatsApp."""
    media_url: str = ""
    audio: bytes = b""
    """A voice note, Ogg Opus; the channel hands it over itself, so that it needs no address anybody could fetch."""


@dataclass(frozen=True)
class Receipt:
    """The carrier's word that it took a message."""

    provider_id: str
    status: str
    cost: str = ""
    parts: int = 0
    carrier: str = ""
    """Who took it, where one channel stands for several carriers."""


class Channel(Protocol):
    """What the delivery job needs of a carrier."""

    name: str
    kinds: frozenset[Kind]

    def send(self, message: Outbound) -> Receipt:
        """Hand one message over. Raises ChannelError."""

    def fetch(self, media: Media) -> bytes:
        """The bytes of an attachment, verified against `sha256` where the carrier gave one. Raises ChannelError."""
