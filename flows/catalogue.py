"""Every sentence has an id, and people hear and read only what the catalogues hold, in `en`, `sw` and `luo`.

The catalogues are gettext's: `locale/<language>/LC_MESSAGES/jicho.po` for translators; read once a process. The ids are
the keys, so that a changed English sentence does not silently keep an old translation: the check reports it as stale.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("en", "sw", "luo")
LOCALE = Path(__file__).with_name("locale")
_LINE = re.compile(r'^(msgid|msgstr)?\s*(".*")$')


_THINGS = ("eye-", "place-", "quality-")


class UnknownMessage(KeyError):
    """A sentence that is in no catalogue: a programming error."""


def text(language: str, message_id: str, **params: object) -> str:
    """One sentence in one language, its parameters filled in. A parameter that is itself a message id of a thing
    ("eye-left", "place-eye-clinic") is said in the same language.

    Raises UnknownMessage, and KeyError for a missing parameter.
    """
    try:
        sentence = messages(language)[message_id]
    except KeyError:
        raise UnknownMessage(f"{language}: {message_id}") from None
    if not params:
        return sentence
    return sentence.format_map({name: _named(language, value) for name, value in params.items()})


def _named(language: str, value: object) -> object:
    if isinstance(value, str) and value.startswith(_THINGS):
        return messages(language).get(value, value)
    return value


@lru_cache(maxsize=len(LANGUAGES))
def messages(language: str) -> dict[str, str]:
    """Every sentence of one language, by id."""
    return read_po(LOCALE / language / "LC_MESSAGES" / "jicho.po")


def read_po(path: Path) -> dict[str, str]:
    """The messages of a PO file. Babel reads it too, but costs the gateway 20 MB; of the format we use only this."""
    found: dict[str, str] = {}
    parts = {"msgid": "", "msgstr": ""}
    current = ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), 'msgid ""']:
        match = _LINE.match(line.strip())
        if not match:
            continue
        keyword, quoted = match.groups()
        if keyword == "msgid":
            if parts["msgid"]:
                found[parts["msgid"]] = parts["msgstr"]
            parts = {"msgid": "", "msgstr": ""}
        current = keyword or current
        parts[current] += ast.literal_eval(quoted)
    return found
