"""What a translator has to look at: messages that are missing, stale, misspelt for a phone, too long, or still drafts.

Beside each translation stand the English sentence it was made from (`#. en: …`) and how far it is (`# review: …`):
`draft` by somebody who is no native speaker, `reviewed` by one, or `same` as the English.
"""

from __future__ import annotations

import ast
import re
import string
from dataclasses import dataclass
from pathlib import Path

from flows.catalogue import LANGUAGES, LOCALE
from services.channels.gsm7 import normalise

SOURCE = "en"
STATES = ("draft", "reviewed", "same")
_LABELS = ("menu-", "language-", "answer-", "eye-", "resume-", "ask-sex-", "ask-again-")
_OPEN_QUESTIONS = ("ask-again-voice",)  # named like a label, but said before the labels
_LONGEST_LABEL = 24  # a row of a WhatsApp list
_LONGEST = 2 * 153  # two SMS


@dataclass(frozen=True)
class Entry:
    """One message of one language, with what its comments say."""

    text: str
    english: str = ""
    review: str = ""


def entries(path: Path) -> list[tuple[str, Entry]]:
    """The messages of a catalogue in its order, without its header."""
    found = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        message_id, words = _field(block, "msgid"), _field(block, "msgstr")
        if message_id:
            english = re.search(r"^#\. en: (.*)$", block, re.MULTILINE)
            review = re.search(r"^# review: (.*)$", block, re.MULTILINE)
            found.append((message_id, Entry(words, english[1] if english else "", review[1] if review else "")))
    return found


def problems(locale: Path = LOCALE) -> list[str]:
    """One line a fault, `<language> <message id>: <what is wrong>`; empty when every catalogue is sound."""
    found = []
    source = dict(entries(_catalogue(locale, SOURCE)))
    for language in LANGUAGES:
        listed = entries(_catalogue(locale, language))
        known = dict(listed)
        faults = [(message_id, "twice") for message_id in known if [each for each, _ in listed].count(message_id) > 1]
        faults += [(message_id, "missing") for message_id in source if message_id not in known]
        faults += [(message_id, "no such message") for message_id in known if message_id not in source]
        for message_id, entry in known.items():
            faults += [(message_id, fault) for fault in _faults(message_id, entry)]
            if language != SOURCE and message_id in source:
                faults += [(message_id, fault) for fault in _against(entry, source[message_id])]
        found += [f"{language} {message_id}: {fault}" for message_id, fault in faults]
    return found


def drafts(language: str, locale: Path = LOCALE) -> list[str]:
    """The ids of the messages that no native speaker has reviewed."""
    return [message_id for message_id, entry in entries(_catalogue(locale, language)) if entry.review == "draft"]


def _faults(message_id: str, entry: Entry) -> list[str]:
    found = []
    if not entry.text.strip():
        found.append("empty")
    if normalise(entry.text) != entry.text:
        found.append("not in GSM-7: it would halve what fits an SMS")
    is_label = message_id.startswith(_LABELS) and message_id not in _OPEN_QUESTIONS
    if len(entry.text) > (_LONGEST_LABEL if is_label else _LONGEST):
        found.append("too long")
    return found


def _against(entry: Entry, source: Entry) -> list[str]:
    found = []
    if entry.english != source.text:
        found.append("stale: the English has changed")
    if _parameters(entry.text) != _parameters(source.text):
        found.append("other parameters than the English")
    if entry.review not in STATES:
        found.append("no review state")
    if entry.review == "same" and entry.text != source.text:
        found.append("said to be the same, but differs")
    return found


def _parameters(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def _field(block: str, keyword: str) -> str:
    quoted = re.search(rf'^{keyword} ((?:".*"\n?)+)', block, re.MULTILINE)
    return "".join(ast.literal_eval(line) for line in quoted[1].splitlines()) if quoted else ""


def _catalogue(locale: Path, language: str) -> Path:
    return locale / language / "LC_MESSAGES" / "jicho.po"
