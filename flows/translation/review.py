"""How far each translation is, and who reviewed it: until then a Kiswahili or Dholuo message is a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.catalogue import LANGUAGES, LOCALE
from flows.translation.check import SOURCE, catalogue
from flows.translation.pofile import Message, replaced

STATES = ("reviewed", "same", "draft", "stale", "missing")
"""`same` is meant to be the English; `stale` was made from an English that has changed."""


class CannotReview(ValueError):
    """A message that cannot be marked as reviewed; says why and what to do."""


@dataclass(frozen=True)
class ReviewState:
    """One message of one language. `forms` has one text, or one for each plural form; none where it is missing."""

    language: str
    id: str
    state: str
    forms: tuple[str, ...]
    english: tuple[str, ...]
    review: str = ""


def review_states(languages: Sequence[str] = LANGUAGES, locale: Path = LOCALE) -> list[ReviewState]:
    """Every message of each language but the English, in the order of the English. Needs no Babel.

    Raises BadCatalogue, and OSError.
    """
    source = catalogue(SOURCE, locale).messages
    found = []
    for language in languages:
        if language == SOURCE:
            continue
        known = catalogue(language, locale).messages
        for english in source.values():
            ours = known.get(english.id)
            forms, review = (ours.forms, ours.review) if ours else ((), "")
            found.append(ReviewState(language, english.id, state(ours, english), forms, english.forms, review))
    return found


def state(ours: Message | None, english: Message) -> str:
    """One of STATES. What a PO editor flagged as fuzzy is a draft, as is what says nothing."""
    if ours is None or not any(ours.forms):
        return "missing"
    if ours.english != english.forms:
        return "stale"
    if ours.review == "same":
        return "same"
    return "reviewed" if ours.review.startswith("reviewed") and not ours.fuzzy else "draft"


def report(locale: Path = LOCALE) -> dict[str, dict[str, int]]:
    """`{language: {state: how many}}`, each of STATES named. Raises BadCatalogue, and OSError."""
    counted = Counter((each.language, each.state) for each in review_states(locale=locale))
    return {
        language: {each: counted[language, each] for each in STATES} for language in LANGUAGES if language != SOURCE
    }


def mark_reviewed(language: str, ids: Iterable[str], *, by: str, on: date, locale: Path = LOCALE) -> None:
    """Says of each message that `by`, who speaks the language, has reviewed it: of all of them, or of none.

    Raises CannotReview, BadCatalogue, and OSError.
    """
    source = catalogue(SOURCE, locale).messages
    ours = catalogue(language, locale)
    for message_id in ids:
        message, english = ours.messages.get(message_id), source.get(message_id)
        if english is None:
            raise CannotReview(f"{message_id}: no such message")
        if message is None or state(message, english) in ("missing", "stale"):
            raise CannotReview(f"{message_id}: translate it anew first, with `messages export` and `messages import`")
        ours.put(replaced(message, message.forms, english.forms, reviewed(by, on)))
    ours.write()


def reviewed(by: str, on: date) -> str:
    """The words of the state in the catalogue. Raises CannotReview for a name that is none."""
    name = " ".join(by.split())
    if not name:
        raise CannotReview("say who reviewed it: --by NAME")
    return f"reviewed by {name}, {on.isoformat()}"
