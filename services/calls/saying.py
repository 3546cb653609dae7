"""Messages to sound: cut around their parameters, recorded where a pack has the piece, synthesised where none has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from string import Formatter
from typing import TYPE_CHECKING

from flows.catalogue import Counted, is_thing, messages
from flows.render_voice import Utterance
from services.settings import Settings
from services.speech.timing import BREATH_S, JOINT_S, LEAD_S, PAUSE_S
from services.speech.verbalise import spoken_after

if TYPE_CHECKING:
    from services.speech.audio import Audio, Samples
    from services.speech.say import Piece

_WORD = re.compile(r"[^\W_]")
_SLOW = 1.3
Find = Callable[[str, int, str], "Samples | None"]


@dataclass(frozen=True)
class Part:
    """A stretch of a message as it is written. What can be recorded has a `message` and, within it, a `piece` number
    from 1; `sound` is the recording."""

    text: str
    message: str = ""
    piece: int = 0
    sound: Samples | None = None


def say(
    settings: Settings,
    language: str,
    utterances: Sequence[Utterance],
    *,
    pace: str = "normal",
    lead_s: float = LEAD_S,
) -> Audio:
    """The sound of some utterances, one after the other. A "slow" pace slows the synthetic voice and the pauses; what
    was recorded stays as it was spoken. Raises SpeechError, UnknownMessage.
    """
    from services.speech.packs import packs_of
    from services.speech.say import speak

    find = packs_of(language, settings.voices_dir).find
    return speak(
        language,
        [piece for utterance in utterances for piece in pieces(language, utterance, find)],
        cache_dir=settings.own_dir / "speech-cache",
        voices_dir=settings.voices_dir,
        slowness=_SLOW if pace == "slow" else 1,
        lead_s=lead_s,
    )


def pieces(language: str, utterance: Utterance, find: Find) -> list[Piece]:
    """What to say, in order: recorded parts, and between them the rest in stretches as long as can be, since a voice
    that is cut in the middle of a sentence loses its melody."""
    from services.speech.say import Piece

    stretches: list[Part] = []
    for part in _heard(language, utterance, find):
        last = stretches[-1] if stretches else None
        if last is not None and (not _WORD.search(part.text) or (part.sound is None and last.sound is None)):
            stretches[-1] = replace(last, text=last.text + part.text)
        else:
            stretches.append(part)
    found = [
        Piece(part.text.lstrip(" .,;:!?"), utterance.private, part.sound, _pause(part.text))
        for part in stretches
        if _WORD.search(part.text)
    ]
    return [*found[:-1], *(replace(piece, pause_s=PAUSE_S) for piece in found[-1:])]


def recordable(language: str, message: str) -> list[Part]:
    """The pieces of a message that can be recorded: what is written between its parameters, in each of its plural
    forms."""
    sentence = messages(language)[message]
    if not isinstance(sentence, Counted):
        return _pieces_of(message, sentence)
    return [part for form, words in enumerate(sentence.forms) for part in _pieces_of(f"{message}[{form}]", words)]


def _pieces_of(name: str, template: str) -> list[Part]:
    written = [literal.strip() for literal, _, _, _ in Formatter().parse(template) if _WORD.search(literal)]
    return [Part(words, name, piece) for piece, words in enumerate(written, 1)]


def number_piece(word: str) -> Part:
    """The recordable piece of one word of a number."""
    return Part(word, f"number-{word}", 1)


def _heard(language: str, utterance: Utterance, find: Find) -> Iterator[Part]:
    message, sentence, piece = utterance.id, messages(language)[utterance.id], 0
    if isinstance(sentence, Counted):
        form = sentence.rule(utterance.params[sentence.counts])
        message, sentence = f"{message}[{form}]", sentence.forms[form]
    for literal, name, _, _ in Formatter().parse(sentence):
        if _WORD.search(literal):
            piece += 1
            yield Part(literal, message, piece, find(message, piece, literal.strip()))
        elif literal:
            yield Part(literal)
        if name is None:
            continue
        value = utterance.params[name]
        if is_thing(language, value):
            value = Utterance(value)
        if isinstance(value, Utterance):
            yield from _heard(language, value, find)
        else:
            yield from _number(language, literal, str(value), find) or [Part(str(value))]


def _number(language: str, before: str, value: str, find: Find) -> list[Part] | None:
    """A number, a code or a time word by word; None unless every word of it is recorded."""
    if not value[:1].isdigit():
        return None
    found = []
    for word, comma in re.findall(r"([^\W_]+(?:'[^\W_]*)*)(,?)", spoken_after(language, before, value)):
        part = number_piece(word)
        sound = find(part.message, part.piece, word)
        if sound is None:
            return None
        found.append(replace(part, text=word + comma, sound=sound))
    return found


def _pause(text: str) -> float:
    end = text.rstrip()[-1:]
    return PAUSE_S if end in ".!?:" else BREATH_S if end in ",;" else JOINT_S
