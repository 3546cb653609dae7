"""What to record of a language, numbered. A number once given stays with its words, so that a speaker can work from a
printed list while the catalogue changes: changed words get a new number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.catalogue import Counted, is_thing, messages
from flows.render_voice import Utterance
from services.calls.repertoire import repertoire
from services.calls.saying import Part, number_piece, recordable
from services.durable import write_durably
from services.screening.facilities import DAYS
from services.screening.referral import Destination
from services.settings import Settings
from services.speech.numbers import words_of_numbers

# Whatever facility is chosen later: when a clinic is open is worth recording.
_OPENING = ("open-every-day", "open-weekdays", "open-mon-sat", *(f"open-{day}" for day in DAYS))


@dataclass(frozen=True)
class Line:
    """One thing to record: `piece` of `message` is `text`."""

    number: int
    message: str
    piece: int
    text: str


def script(settings: Settings, language: str, *, everything: bool = False) -> list[Line]:
    """What calls say and numbers are made of, or `everything` in the catalogue. New words get the next numbers.

    Raises OSError (full disk), ValueError (the list of numbers cannot be read).
    """
    known = _read(settings, language)
    numbers = {(line.message, line.piece, line.text): line for line in known}
    lines = []
    for part in _parts(settings, language, everything):
        line = numbers.get((part.message, part.piece, part.text))
        if line is None:
            line = Line(len(numbers) + 1, part.message, part.piece, part.text)
            numbers[part.message, part.piece, part.text] = line
        lines.append(line)
    if len(numbers) > len(known):
        content = json.dumps([asdict(line) for line in numbers.values()], ensure_ascii=False, indent=1)
        write_durably(_path(settings, language), content.encode(), mode=0o644)
    return lines


def line_of(settings: Settings, language: str, number: int) -> Line:
    """What a number stands for. Raises LookupError: nothing, or words that the catalogue no longer has."""
    line = next((line for line in _read(settings, language) if line.number == number), None)
    if line is None:
        raise LookupError(f"{number} is no number of the script: `python app.py voices script --language {language}`")
    if not is_current(language, line.message, line.piece, line.text):
        raise LookupError(
            f"{number} was “{line.text}”, said differently now: print the script again and record the new words"
        )
    return line


def is_current(language: str, message: str, piece: int, text: str) -> bool:
    """Whether a piece is still said in these words."""
    if message.startswith("number-"):
        return message == f"number-{text}" and text in words_of_numbers(language)
    sentence = message.partition("[")[0]
    if sentence not in messages(language):
        return False
    return any(
        (part.message, part.piece, part.text) == (message, piece, text) for part in recordable(language, sentence)
    )


def every_text(language: str) -> list[str]:
    """Every message, with something in the place of each parameter: what a voice must be able to say."""
    found: list[str] = []
    for sentence in messages(language).values():
        forms = sentence.forms if isinstance(sentence, Counted) else (sentence,)
        found += [re.sub(r"\{\w+\}", "12", form) for form in forms]
    return found


def _parts(settings: Settings, language: str, everything: bool) -> Iterator[Part]:
    said = dict.fromkeys(_messages_of(repertoire(settings, Destination(settings.place, _OPENING)), language))
    if everything:
        said |= dict.fromkeys(messages(language))
    for message in said:
        yield from recordable(language, message)
    yield from map(number_piece, words_of_numbers(language))


def _messages_of(utterances: Iterable[Utterance], language: str) -> Iterator[str]:
    for utterance in utterances:
        yield utterance.id
        for value in utterance.params.values():
            if isinstance(value, Utterance):
                yield from _messages_of([value], language)
            elif is_thing(language, value):
                yield value


def _path(settings: Settings, language: str) -> Path:
    return settings.voices_dir / language / "script.json"


def _read(settings: Settings, language: str) -> list[Line]:
    path = _path(settings, language)
    try:
        return [Line(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
