"""Voices that came from the hub: one folder a version among the installed ones, with what was found when it was tried.

<voices>/piper/hub-<language>-<version>/fetched.json   {"version", "english", "remap", "sha256": {file: …}}

One whose files changed on disk since does not speak: the version before it does, and at last the language's own voice.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.speech.installed import Choice, digest_of, folder_of

_LOG = logging.getLogger(__name__)
FETCHED = "hub-"
_FOUND = "fetched.json"


@dataclass(frozen=True)
class Fetched:
    """A version that lies here as it was tried, and how it speaks its language."""

    version: str
    choice: Choice


def name_of_version(language: str, version: str) -> str:
    """The name under which a version is installed."""
    return f"{FETCHED}{language}-{version}"


def describe(folder: Path, version: str, found: Mapping[str, Any], sha256: Mapping[str, str]) -> None:
    """Writes down what a trial found, beside the files, by whose SHA-256 they are known again. Raises OSError."""
    kept = {"version": version, "english": found["english"], "remap": found["remap"], "sha256": dict(sha256)}
    (folder / _FOUND).write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")


def fetched(voices_dir: Path, language: str) -> list[Fetched]:
    """The whole ones of a language, oldest first."""
    found = (_whole(folder) for folder in folder_of(voices_dir, "").glob(f"{FETCHED}{language}-*"))
    return sorted((each for each in found if each), key=lambda each: _order(each.version))


def serving(voices_dir: Path, language: str, name: str) -> Choice | None:
    """The chosen fetched voice, or the newest whole one before it; None is the language's own."""
    whole = fetched(voices_dir, language)
    chosen = next((each for each in whole if each.choice.name == name), None)
    if chosen is None:
        version = name.removeprefix(name_of_version(language, ""))
        older = [each for each in whole if _order(each.version) < _order(version)]
        chosen = older[-1] if older else None
        _LOG.error("voice damaged", extra={"voice": name, "speaks": chosen.choice.name if chosen else "own"})
    return chosen.choice if chosen else None


def forget(voices_dir: Path, language: str, *, keep: int) -> None:
    """Deletes all but the newest whole ones, and what a broken fetch left."""
    kept = {each.choice.name for each in fetched(voices_dir, language)[-keep:]}
    place = folder_of(voices_dir, "")
    for folder in (*place.glob(f"{FETCHED}{language}-*"), *place.glob(f".fetching-{FETCHED}{language}-*")):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _whole(folder: Path) -> Fetched | None:
    try:
        kept = json.loads((folder / _FOUND).read_text(encoding="utf-8"))
        choice = Choice(folder.name, bool(kept["english"]), dict(kept["remap"]))
        whole = all(digest_of(folder / file) == sha256 for file, sha256 in kept["sha256"].items())
        return Fetched(str(kept["version"]), choice) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
