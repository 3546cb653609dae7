"""Delivery receipts: their fields where the carrier sends them, else its text (SMPP 3.4, appendix B). The text is a
custom, not a rule: carriers change its order, leave things out and cut it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.channels.base import DeliveryState

_FIELD = re.compile(r"\b(id|stat|err):\s*(\S+)", re.IGNORECASE)
_STATES = {
    "DELIVRD": DeliveryState.DELIVERED,
    "DELIVERED": DeliveryState.DELIVERED,
    "ACCEPTD": DeliveryState.SENT,
    "ENROUTE": DeliveryState.SENT,
    "EXPIRED": DeliveryState.FAILED,
    "DELETED": DeliveryState.FAILED,
    "UNDELIV": DeliveryState.FAILED,
    "REJECTD": DeliveryState.FAILED,
}
# SMPP 3.4, 5.2.28
_BY_NUMBER = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_LONGEST_ID = 65


@dataclass(frozen=True)
class Receipt:
    """`references`: the message id as `canonical` writes it, then as others would. `state` is None for one that
    says nothing."""

    references: tuple[str, ...]
    state: DeliveryState | None
    status: str
    error: str = ""


def parse(text: str, message_id: str = "", state: int | None = None) -> Receipt | None:
    """`message_id` and `state`: the TLVs receipted_message_id and message_state, which win. None if there is no id."""
    fields = {name.casefold(): value for name, value in reversed(_FIELD.findall(text.partition("text:")[0]))}
    found = (message_id.strip() or fields.get("id", ""))[:_LONGEST_ID]
    if not found:
        return None
    word = _BY_NUMBER.get(state or 0) or fields.get("stat", "").upper()[:20]
    return Receipt(_written(found), _STATES.get(word), word, fields.get("err", "")[:10])


def canonical(message_id: str) -> str:
    """A message id without what carriers add or leave out at will: leading zeros, capitals."""
    return message_id.strip().casefold().lstrip("0")[:_LONGEST_ID] or "0"


def _written(message_id: str) -> tuple[str, ...]:
    """Some carriers answer in hexadecimal and report in decimal, or the reverse."""
    ways = [canonical(message_id)]
    if re.fullmatch(r"[0-9]{1,20}", ways[0]):
        ways.append(f"{int(ways[0]):x}")
    if re.fullmatch(r"[0-9a-f]{1,16}", ways[0]):
        ways.append(str(int(ways[0], 16)))
    return tuple(dict.fromkeys(ways))
