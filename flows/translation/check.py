"""What is wrong with a catalogue: missing, stale, too long, not in GSM-7, or with other parameters than the English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from flows.catalogue import LANGUAGES, LOCALE
from flows.translation.limits import longest, parameters, use
from flows.translation.pofile import Catalogue, Message
from services.channels.gsm7 import normalise

SOURCE = "en"
_STATE = re.compile(r"draft|same|reviewed by .+, \d{4}-\d\d-\d\d")
# Nearly every text; it needs no letter-by-letter look.
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;?!'/*#+(){}\n-]*")
_FORMS = re.compile(r"^Plural-Forms: nplurals=(\d)", re.MULTILINE)


def catalogue(language: str, locale: Path = LOCALE) -> Catalogue:
    """One language's file. Raises BadCatalogue, and OSError."""
    return Catalogue(locale / language / "LC_MESSAGES" / "jicho.po")


def problems(locale: Path = LOCALE) -> list[str]:
    """One line a fault, `<language> <message id>: <what is wrong>`; empty when every catalogue is sound.

    Raises BadCatalogue, and OSError.
    """
    source = catalogue(SOURCE, locale).messages
    return [f"{language} {fault}" for language in LANGUAGES for fault in _in_language(language, source, locale)]


def _in_language(language: str, source: Mapping[str, Message], locale: Path) -> list[str]:
    ours = catalogue(language, locale)
    known = ours.messages
    ids = [each.id for each in ours.listed]
    found = [f"{each}: twice" for each in known if ids.count(each) > 1]
    found += [f"{each}: missing" for each in source if each not in known]
    found += [f"{each}: no such message" for each in known if each not in source]
    count = forms_of(ours)
    for message in known.values():
        if message.id in source:
            faults = faults_of(language, message, source, known, count)
            if language != SOURCE:
                faults += _of_state(message, source[message.id])
            found += [f"{message.id}: {fault}" for fault in faults]
    return found


def forms_of(ours: Catalogue) -> int:
    """How many plural forms a catalogue's header promises; 0 if it says nothing."""
    promised = _FORMS.search(ours.header)
    return int(promised[1]) if promised else 0


def faults_of(
    language: str, message: Message, source: Mapping[str, Message], ours: Mapping[str, Message], plural_forms: int
) -> list[str]:
    """What is wrong with the text itself. `source` and `ours` are the English and the language's own messages."""
    english = source[message.id]
    wanted = plural_forms if english.counts else 1
    if len(message.forms) != wanted:
        return [f"{len(message.forms)} plural forms instead of {wanted}"]
    if message.counts != english.counts:
        return [f"counts {message.counts or 'nothing'} instead of {english.counts or 'nothing'}"]
    found: list[str] = []
    where = use(message.id, english.long)
    for number, words in enumerate(message.forms):
        form = f" in form {number}" if message.counts else ""
        found += [f"{fault}{form}" for fault in _of_text(words, where.gsm7)]
        try:
            if not _fits(parameters(words), english, number):
                found.append(f"other parameters than the English{form}")
            elif (takes := longest(language, words, ours)) > where.most:
                found.append(f"too long{form}: {takes} of {where.most} characters with the longest parameters")
        except ValueError:
            found.append(f"a brace without its other half{form}")
    return found


def _of_text(words: str, gsm7: bool) -> list[str]:
    found = []
    if not words.strip():
        found.append("empty")
    if any(ord(letter) < 32 and letter != "\n" for letter in words):
        found.append("a control character, such as a tab")
    if gsm7 and not _PLAIN.fullmatch(words) and normalise(words) != words:
        bad = " ".join(sorted({letter for letter in words if normalise(letter) != letter}))
        found.append(f"not in GSM-7: it would halve what fits an SMS ({bad})")
    return found


def _fits(named: list[str], english: Message, form: int) -> bool:
    """The first plural form may leave its number out, which is one: "a day"."""
    wanted = parameters(english.forms[-1])
    if english.counts and form == 0:
        return {*named, english.counts} == set(wanted)
    return named == wanted


def _of_state(message: Message, english: Message) -> list[str]:
    found = []
    if message.english != english.forms:
        found.append("stale: the English has changed")
    if not _STATE.fullmatch(message.review):
        found.append("no review state")
    if message.review == "same" and message.forms != english.forms:
        found.append("said to be the same, but differs")
    return found
