"""What the platform has to know of a programme: `models/<name>/programme.json`, beside its models.

    {"photographs": "case", "parts": ["left", "right"], "shared": true}
    {"photographs": "question", "words": {"en": ["maize"]}, "says": {"Rust": ["maize-rust"], "": ["maize-unsure"]}}

It comes with the code, as the programme's conversation (`flows/programmes/<name>.py`) and its sentences do. What
changes with a model, and is signed with it, stands in `manifest.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from services.settings import Settings

MODELS = Path(__file__).resolve().parents[1] / "models"
FIRST = "dr"
"""What a site offers that says nothing, and a command reads for."""


class BadProgramme(Exception):
    """A folder that describes no programme. The text says why."""


@dataclass(frozen=True)
class Programme:
    """`photographs` says what a photograph belongs to. To a "case": a person who consented and has a code, of whom all
    `parts` are photographed, and who is told what to do by the rules of `services.screening.decision`. Or it is a
    "question" of whoever sent it: one picture, no case, no code, deleted once it was answered.

    `words` are those by which people ask for the programme, in a message or a caption, with the language that each is
    of. `says` has the messages that answer a question, by the class that was found, "" where none was. Findings of a
    `shared` programme are told to other systems (FHIR)."""

    name: str
    photographs: Literal["case", "question"]
    parts: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: bool = False


def installed() -> Mapping[str, Programme]:
    """Every programme that came with this release, by name: the first one first. Raises BadProgramme."""
    return _in(MODELS)


def offered(settings: Settings) -> tuple[Programme, ...]:
    """Those that this site offers, in the order of JICHO_PROGRAMMES."""
    return tuple(installed()[name] for name in settings.programmes)


def questions(settings: Settings) -> tuple[Programme, ...]:
    """Those of them whose photographs need no case."""
    return tuple(each for each in offered(settings) if each.photographs == "question")


def cases(settings: Settings) -> tuple[Programme, ...]:
    """Those of them whose photographs belong to a case."""
    return tuple(each for each in offered(settings) if each.photographs == "case")


def called(word: str, settings: Settings) -> Programme | None:
    """The programme that is asked for by a word, in small letters."""
    return next((each for each in offered(settings) if word in each.words), None)


def shared() -> tuple[str, ...]:
    """The names of those whose findings are told to other systems."""
    return tuple(each.name for each in installed().values() if each.shared)


@lru_cache(maxsize=4)
def _in(models: Path) -> Mapping[str, Programme]:
    found = [_read(path) for path in sorted(models.glob("*/programme.json"))]
    return MappingProxyType({each.name: each for each in sorted(found, key=lambda each: each.name != FIRST)})


def _read(path: Path) -> Programme:
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        says = {name: tuple(messages) for name, messages in raw.pop("says", {}).items()}
        parts = tuple(raw.pop("parts", ()))
        words = {word: language for language, listed in raw.pop("words", {}).items() for word in listed}
        programme = Programme(path.parent.name, parts=parts, words=words, says=says, **raw)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadProgramme(f"{path}: {type(error).__name__}: {error}") from error
    if programme.photographs not in ("case", "question"):
        raise BadProgramme(f"{path}: photographs belong to a case or are a question, not {programme.photographs!r}")
    if programme.photographs == "case" and not programme.parts:
        raise BadProgramme(f"{path}: says not which parts of a case are photographed")
    if programme.photographs == "question" and not (programme.words and programme.says.get("")):
        raise BadProgramme(f"{path}: a question needs words that begin it, and what is said when nothing was found")
    return programme
