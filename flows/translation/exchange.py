"""Out to a translator and back: rows that know what they were made from, so that nobody's work is overwritten.

A row carries a mark of the catalogue as it was at export. A row that comes back as it went changes nothing; one that
was changed is taken if the catalogue is still as it was, and refused, with what stands there now, if somebody else
changed the same message meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from flows.catalogue import LOCALE
from flows.translation.check import SOURCE, catalogue, faults_of, forms_of
from flows.translation.limits import parameters, use
from flows.translation.pofile import Message
from flows.translation.review import reviewed, state


class BadFile(ValueError):
    """A translator's file that cannot be read at all; says why and what to do."""


@dataclass(frozen=True)
class Row:
    """One message in a translator's file. `english` and `forms` are one text each, or one for each plural form; a
    spreadsheet's English comes back as one text. `state` is draft, reviewed by …, same, stale or missing; `where` is
    the row or line. A file made by hand has no `mark`.
    """

    id: str
    english: tuple[str, ...]
    forms: tuple[str, ...]
    state: str
    notes: str = ""
    mark: str = ""
    where: str = ""
    plural: bool = False

    @property
    def shown(self) -> str:
        """The English, its forms on lines of their own."""
        return "\n".join(self.english)

    def marked(self) -> str:
        """What tells whether anything that matters has changed since."""
        content = json.dumps([self.id, self.shown, self.forms, self.state], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: where it stands, its id, and what to do."""

    where: str
    id: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """Ids of what was taken, what was refused, and what says that it is reviewed though nobody's name was given."""

    taken: tuple[str, ...]
    refused: tuple[Refused, ...]
    unsigned: tuple[str, ...]


def rows(language: str, locale: Path = LOCALE) -> list[Row]:
    """Every message as a translator gets it, in the order of the English. Raises BadCatalogue, and OSError."""
    source = catalogue(SOURCE, locale).messages
    ours = catalogue(language, locale)
    known, count = ours.messages, forms_of(ours)
    found = []
    for english in source.values():
        message = known.get(english.id)
        words = state(message, english)
        wanted = count if english.counts else 1
        forms = message.forms if message else ()
        row = Row(
            id=english.id,
            english=english.forms,
            forms=forms or ("",) * wanted,
            state=message.review if message and words == "reviewed" else words,
            notes=_notes(english),
            plural=bool(english.counts),
        )
        found.append(replace(row, mark=row.marked()))
    return found


def take(language: str, came: Iterable[Row], *, by: str = "", on: date, locale: Path = LOCALE) -> Imported:
    """Puts the changed rows into the catalogue. A new text is a draft; a row whose state was set to "reviewed" is
    reviewed by `by`, and stays a draft where no name was given. A bad row is refused, the others are taken.

    Raises CannotReview for a `by` that is no name, BadCatalogue, and OSError.
    """
    source = catalogue(SOURCE, locale).messages
    ours = catalogue(language, locale)
    count = forms_of(ours)
    signature = reviewed(by, on) if by else ""
    now = {row.id: row for row in rows(language, locale)}
    taken: list[str] = []
    refused: list[Refused] = []
    unsigned: list[str] = []
    seen: set[str] = set()
    for row in came:
        current = now.get(row.id)
        if current is None or row.id in seen:
            why = "it is in the file twice" if row.id in seen else "no such message: ids are not to be changed"
            refused.append(Refused(row.where, row.id, why))
            continue
        seen.add(row.id)
        if _untouched(row, current):
            continue
        message = _message(row, source[row.id], current, signature)
        reasons = _conflicts(row, current) or faults_of(language, message, source, ours.messages, count)
        if reasons:
            refused.append(Refused(row.where, row.id, "; ".join(reasons)))
            continue
        if _says_reviewed(row, current) and not signature:
            unsigned.append(row.id)
        if message != ours.messages.get(row.id):
            ours.put(message)
            taken.append(row.id)
    if taken:
        ours.write()
    return Imported(tuple(taken), tuple(refused), tuple(unsigned))


def _untouched(row: Row, current: Row) -> bool:
    """As it was exported, or as it is now; or never translated."""
    as_it_is = (row.forms, row.state) == (current.forms, current.state)
    return row.marked() == row.mark or as_it_is or not (any(row.forms) or any(current.forms))


def _conflicts(row: Row, current: Row) -> list[str]:
    if row.shown != current.shown:
        return [f"the English is now: {current.shown}; export again"]
    if row.mark and row.mark != current.mark:
        return [f"changed here too since the export, to: {' / '.join(current.forms)} ({current.state}); export again"]
    return []


def _message(row: Row, english: Message, current: Row, signature: str) -> Message:
    review = "draft"
    if signature and _says_reviewed(row, current):
        review = signature
    elif row.state == "same" and row.forms == english.forms:
        review = "same"
    return Message(row.id, row.forms, english.counts, english.forms, review)


def _says_reviewed(row: Row, current: Row) -> bool:
    return row.state.casefold().startswith("reviewed") and row.state != current.state


def _notes(english: Message) -> str:
    how = use(english.id, english.long)
    notes = [f"{how.where}: at most {how.most} characters with the parameters filled in"]
    if named := parameters(english.forms[-1]):
        notes.append(f"keep {', '.join(f'{{{name}}}' for name in named)}")
    if how.gsm7:
        notes.append("plain letters only, ng' with '")
    return "; ".join(notes)
