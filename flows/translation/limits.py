"""Where a message is read or heard, and so how long it may be and which letters it may have."""

from __future__ import annotations

import ast
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import flows
from flows.catalogue import THINGS
from flows.formats import formats
from flows.render_ussd import length
from flows.translation.pofile import Message

BUTTON, ROW, SCREEN, LONG = 20, 24, 160, 2 * 153
"""Characters of a WhatsApp button and of a row of its lists; of an SMS or a USSD screen; of two SMS."""
_BUTTONS = 3

# Beside the questions for the ear, `…-voice`, what only a call says.
_SPOKEN = ("voice-press", "voice-wait", "voice-later", "voice-hash", "voice-zero", "voice-more")
# The most that a parameter becomes: the settings' and the flows' own limits.
_LONGEST = {
    "age": "120",
    "born": "1999",
    "choice": "x" * ROW,
    "clinic": "x" * 30,
    "code": "482913",
    "count": "100",
    "days": "14",
    "high": "1999",
    "key": "10",
    "last": "10",
    "low": "1999",
    "most": "26",
    "number": "100000",
    "place": "x" * 40,
    "points": "26",
    "ussd": "*384*77*10#",
}
_OTHER = "x" * 20
# What stands for a parameter that is itself a message: the longest of these.
_THINGS = {"eye": "eye-", "other": "eye-", "reason": "quality-"}


@dataclass(frozen=True)
class Use:
    """Where a message comes to people, in words for a translator; the most characters; whether only GSM-7 fits."""

    where: str
    most: int
    gsm7: bool = True


def use(message_id: str, long: str = "") -> Use:
    """How a message is used; `long` is the reason why it may be long, if it may."""
    if message_id in _SPOKEN or message_id.endswith("-voice"):
        return Use("only spoken, in a call", LONG, gsm7=False)
    buttons, rows = _labels()
    if message_id in buttons:
        return Use("a button", BUTTON)
    if message_id.startswith(rows):
        return Use("a row of a list", ROW)
    if message_id.startswith(THINGS):
        return Use("part of other sentences", LONG)
    if long:
        return Use(f"two screens or two SMS: {long}", LONG)
    return Use("SMS, phone screen, chat and call", SCREEN)


def longest(language: str, words: str, catalogue: Mapping[str, Message]) -> int:
    """Places that a text takes in an SMS when each parameter is as long as it may be."""
    filled = words
    for name in parameters(words):
        filled = filled.replace(f"{{{name}}}", _longest_value(language, name, catalogue))
    return length(filled)


def parameters(words: str) -> list[str]:
    """The names in braces, each once, sorted. Raises ValueError for braces that do not pair."""
    return sorted({name for _, name, _, _ in string.Formatter().parse(words) if name is not None})


def _longest_value(language: str, name: str, catalogue: Mapping[str, Message]) -> str:
    if name in _THINGS:
        said = [each.forms[-1] for each in catalogue.values() if each.id.startswith(_THINGS[name])]
        return max(said, key=length, default=_OTHER)
    if name in ("date", "day", "until") or name.endswith("_date"):
        ours = formats(language)
        return ours.date.format(day=30, month=max(ours.months, key=len), year=2026)
    return _LONGEST.get(name, _OTHER)


@lru_cache
def _labels() -> tuple[frozenset[str], tuple[str, ...]]:
    """The ids of buttons, and how the ids of rows begin, from the flows' own `Choice(id, keys=…, labels=…)`.

    A few keys that stand in the call itself are buttons; a longer menu, or one put together elsewhere, is a list.
    """
    buttons, rows = {"answer-yes", "answer-no"}, set()
    here = Path(flows.__file__).parent
    for path in [*here.glob("*.py"), *here.glob("programmes/*.py")]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Choice"):
                continue
            named = {each.arg: each.value for each in call.keywords}
            label, keys = named.get("labels", call.args[0] if call.args else None), named.get("keys")
            if not (isinstance(label, ast.Constant) and isinstance(label.value, str)):
                continue
            if isinstance(keys, ast.Tuple) and len(keys.elts) <= _BUTTONS:
                buttons |= {f"{label.value}-{key.value!s}" for key in keys.elts if isinstance(key, ast.Constant)}
            else:
                rows.add(f"{label.value}-")
    return frozenset(buttons), tuple(rows)
