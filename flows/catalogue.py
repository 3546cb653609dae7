"""Every sentence has an id, and people hear and read only what the catalogues hold, in `en`, `sw` and `luo`.

The catalogues are gettext's: `locale/<language>/LC_MESSAGES/jicho.po` for translators; read once a process. The ids are
the keys, so that a changed English sentence does not silently keep an old translation: the check reports it as stale.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from typing import Any

from flows.formats import LOCALE as LOCALE
from flows.formats import written_date, written_quantity

LANGUAGES = ("en", "sw", "luo")
FIELD = re.compile(r'^(msgid_plural|msgid|msgstr(?:\[\d\])?)?\s*(".*")$')
"""A line of a PO file: the field that it begins, if it begins one, and its quoted words."""
_RULE = re.compile(r"^Plural-Forms:.*\bplural=(.+?);?$", re.MULTILINE)
THINGS = ("eye-", "place-", "quality-")
"""How the ids of messages begin that are parts of others."""


class UnknownMessage(KeyError):
    """A sentence that is in no catalogue: a programming error."""


class Counted(str):
    """A sentence with a form for each kind of number; as a string it is the form for many."""

    forms: tuple[str, ...]
    counts: str
    rule: Callable[[Any], int]

    @classmethod
    def of(cls, forms: tuple[str, ...], counts: str, rule: Callable[[Any], int]) -> Counted:
        """`counts` names the parameter that decides; `rule` gives the place, among `forms`, of the one for a number."""
        counted = cls(forms[-1])
        counted.forms, counted.counts, counted.rule = forms, counts, rule
        return counted


def text(language: str, message_id: str, **params: object) -> str:
    """One sentence in one language, its parameters filled in. A message with plural forms is said in the one for
    the whole number that it counts: its `msgid_plural` names the parameter.

    A parameter that is itself a message id of a thing ("eye-left", "place-eye-clinic") is said in the same language; a
    date is written out; a float or Decimal is a quantity ("12,500.5"); an int stays plain, since it may be a year.

    Raises UnknownMessage, and KeyError for a missing parameter.
    """
    try:
        sentence = messages(language)[message_id]
    except KeyError:
        raise UnknownMessage(f"{language}: {message_id}") from None
    if type(sentence) is Counted:
        sentence = sentence.forms[sentence.rule(params[sentence.counts])]
    if not params:
        return sentence
    return sentence.format_map({name: _named(language, value) for name, value in params.items()})


def _named(language: str, value: object) -> object:
    if isinstance(value, str):
        return messages(language).get(value, value) if value.startswith(THINGS) else value
    if type(value) is int:
        return value  # what most parameters are
    if isinstance(value, date):
        return written_date(language, value)
    if isinstance(value, (float, Decimal)):
        return written_quantity(language, value)
    return value


def is_thing(language: str, value: object) -> bool:
    """Whether a parameter is the id of a message that is said in its place."""
    return isinstance(value, str) and value.startswith(THINGS) and value in messages(language)


@lru_cache(maxsize=len(LANGUAGES))
def messages(language: str) -> dict[str, str]:
    """Every sentence of one language, by id; one with plural forms is a Counted."""
    return read_po(LOCALE / language / "LC_MESSAGES" / "jicho.po")


def read_po(path: Path) -> dict[str, str]:
    """The messages of a PO file. Babel reads it too, but costs the gateway 20 MB; of the format we use only this."""
    found: dict[str, str] = {}
    rule: Callable[[Any], int] | None = None
    parts: dict[str, str] = {}
    current = ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), 'msgid ""']:
        match = FIELD.match(line.strip())
        if not match:
            continue
        keyword, quoted = match.groups()
        if keyword == "msgid":
            if parts.get("msgid"):
                found[parts["msgid"]] = _sentence(parts, rule)
            elif header := _RULE.search(parts.get("msgstr", "")):
                rule = c2py(header[1])
            parts = {}
        current = keyword or current
        parts[current] = parts.get(current, "") + ast.literal_eval(quoted)
    return found


def _sentence(parts: dict[str, str], rule: Callable[[Any], int] | None) -> str:
    if "msgid_plural" not in parts or rule is None:
        return parts.get("msgstr", "")
    forms = tuple(words for keyword, words in sorted(parts.items()) if keyword.startswith("msgstr["))
    return Counted.of(forms, parts["msgid_plural"], rule)
