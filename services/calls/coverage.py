"""How much of what calls say is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from services.calls.script import Line, is_current, script
from services.settings import Settings
from services.speech.packs import Recording, intact, packs_of


@dataclass(frozen=True)
class Coverage:
    """How much of what calls say in a language is recorded. `stale` was recorded in words that are no longer said;
    `damaged` files are not those that were imported."""

    recorded: list[Line]
    missing: list[Line]
    stale: list[Recording]
    damaged: list[Recording]
    others: int
    """Recordings of messages that the script does not ask for."""


def coverage(settings: Settings, language: str) -> Coverage:
    """Compares the script with the packs. Raises OSError, ValueError."""
    lines = {(line.message, line.piece, line.text): line for line in script(settings, language)}
    usable: set[tuple[str, int, str]] = set()
    stale, damaged = [], []
    for folder, recording in packs_of(language, settings.voices_dir).recordings():
        if not is_current(language, recording.message, recording.piece, recording.text):
            stale.append(recording)
        elif not intact(folder, recording):
            damaged.append(recording)
        else:
            usable.add((recording.message, recording.piece, recording.text))
    return Coverage(
        [line for key, line in lines.items() if key in usable],
        [line for key, line in lines.items() if key not in usable],
        stale,
        damaged,
        len(usable - lines.keys()),
    )
