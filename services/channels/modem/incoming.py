"""From what lies on the SIM to what a person wrote: parts joined, each message with an identity that is the same
whenever it is read again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.channels.base import DeliveryState, Inbound, Kind
from services.channels.phone_numbers import from_carrier

NAME = "modem"
_GAP = " [...] "
_LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Stored:
    """One SMS on the SIM. `reference`: which parts belong together; 0 and one part of one: a message by itself."""

    location: int
    sender: str
    sent_at: str
    text: str
    reference: int = 0
    number: int = 1
    of: int = 1


@dataclass(frozen=True)
class Report:
    """The network's word about one part that we sent."""

    location: int
    number: str
    reference: str
    state: DeliveryState | None
    status: str


@dataclass(frozen=True)
class Whole:
    """A message with all its parts, or with what there is of it, and where they lie."""

    inbound: Inbound
    locations: tuple[int, ...]


def read(found: Mapping[str, Any]) -> Stored | Report | None:
    """One SMS as gammu gives it; None for what is no text, such as settings or a notice of a picture message."""
    location, number = int(found["Location"]), from_carrier(str(found["Number"]))
    if found["Type"] == "Status_Report":
        status = int(found["DeliveryStatus"])
        return Report(location, number, str(found["MessageReference"]), _state(status), str(status))
    if found["Coding"] == "8bit" or not isinstance(found["Text"], str):
        return None
    header, sent_at = found["UDH"], found["DateTime"]
    parts, position = int(header.get("AllParts", -1)), int(header.get("PartNumber", -1))
    when = sent_at.isoformat() if sent_at is not None else ""
    text = str(found["Text"]).replace("\x00", "")
    if not 1 <= position <= parts:
        return Stored(location, number, when, text)
    reference = int(header["ID16bit"]) if int(header["ID16bit"]) >= 0 else int(header["ID8bit"])
    return Stored(location, number, when, text, reference, position, parts)


def join(parts: Iterable[Stored], recipient: str, *, incomplete: bool = False) -> list[Whole]:
    """The messages whose parts are all there, oldest first; with `incomplete`, the others too."""
    groups: dict[tuple[str, int, int, int], dict[int, Stored]] = {}
    for part in sorted(parts, key=lambda part: (part.sent_at, part.number)):
        key = (part.sender, part.reference, part.of, part.location if part.of == 1 else 0)
        while part.number in groups.get(key, {}):  # the reference came round again
            key = (*key[:3], key[3] + 1)
        groups.setdefault(key, {})[part.number] = part
    return [_whole(group, recipient) for (_, _, of, _), group in groups.items() if len(group) == of or incomplete]


def _whole(group: dict[int, Stored], recipient: str) -> Whole:
    """The identity is made of what the network gave: sender, its time to the second, reference and text."""
    first = group[min(group)]
    texts = [group[number].text if number in group else _GAP for number in range(1, first.of + 1)]
    what = [first.sender, *(f"{p.sent_at}/{p.reference}/{p.number}/{p.of}/{p.text}" for _, p in sorted(group.items()))]
    inbound = Inbound(
        carrier=NAME,
        kind=Kind.SMS,
        provider_id=hashlib.sha256("\n".join(what).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        sender=first.sender,
        recipient=recipient,
        text="".join(texts)[:_LONGEST_TEXT],
        sent_at=first.sent_at,
    )
    return Whole(inbound, tuple(part.location for part in group.values()))


def _state(status: int) -> DeliveryState | None:
    """TP-Status of 3GPP TS 23.040, 9.2.3.15: below 0x20 done, 0x20 to 0x3f still trying, above that given up."""
    if status < 0x03:
        return DeliveryState.DELIVERED
    if 0x40 <= status < 0x80:
        return DeliveryState.FAILED
    return None
