"""Recorded packs: pieces of messages that somebody has spoken, which are played instead of the synthetic voice.

A pack is a folder with WAV files (8 kHz, 16-bit, mono) and a `manifest.json` that says of each which piece of which
message it is, what was read, by whom and with what consent. A recording whose words are no longer the catalogue's is
stale and not played, and neither is one whose file does not match its SHA-256.

The console reads manifests too: what works on samples is imported where it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import wave
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from services.durable import write_durably
from services.speech.timing import RATE

if TYPE_CHECKING:
    from services.speech.audio import Samples

_LOG = logging.getLogger(__name__)
MANIFEST = "manifest.json"
_SHIPPED = Path(__file__).parents[2] / "voices"


class PackError(Exception):
    """A pack cannot be read or written. The text says which and why."""


@dataclass(frozen=True)
class Recording:
    """One line of a manifest: `piece` counts from 1 within the message; `file` lies beside the manifest."""

    message: str
    piece: int
    text: str
    speaker: str
    consent: str
    sha256: str
    seconds: float
    file: str


@dataclass(frozen=True)
class Packs:
    """The packs of one language, in the order in which they are asked."""

    folders: tuple[Path, ...]

    def recordings(self) -> Iterator[tuple[Path, Recording]]:
        """Every recording with the folder of its pack. A manifest that cannot be read is logged and left out."""
        for folder in self.folders:
            try:
                found = read_manifest(folder)
            except PackError as error:
                _LOG.warning("pack left out", extra={"reason": str(error)})
                continue
            yield from ((folder, recording) for recording in found)

    def file_of(self, message: str, piece: int, text: str) -> Path | None:
        """The file with the recording of a piece in exactly these words, or None."""
        for folder, recording in self.recordings():
            if (recording.message, recording.piece, recording.text) == (message, piece, text) and intact(
                folder, recording
            ):
                return folder / recording.file
        return None

    def find(self, message: str, piece: int, text: str) -> Samples | None:
        """The sound of that recording, or None."""
        path = self.file_of(message, piece, text)
        return None if path is None else read_samples(path)


def packs_of(language: str, voices_dir: Path | None) -> Packs:
    """The packs of a language: those of the site first, then those that came with the release; by name."""
    places = [] if voices_dir is None else [voices_dir / language]
    places.append(_SHIPPED / language)
    return Packs(tuple(found.parent for place in places for found in sorted(place.glob(f"*/{MANIFEST}"))))


def read_manifest(folder: Path) -> tuple[Recording, ...]:
    """The recordings of a pack. Raises PackError."""
    path = folder / MANIFEST
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackError(f"{path}: {error}") from None


@lru_cache(maxsize=32)
def _read(path: Path, _changed: int) -> tuple[Recording, ...]:
    return tuple(Recording(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["recordings"])


def intact(folder: Path, recording: Recording) -> bool:
    """Whether a recording's file is the one that was imported; if not, the log says so."""
    path = folder / recording.file
    try:
        # A manifest names files of its own folder; one from elsewhere could name any.
        if path.parent == folder and hashlib.sha256(path.read_bytes()).hexdigest() == recording.sha256:
            return True
        reason = "not the file that was imported"
    except OSError as error:
        reason = str(error)
    _LOG.warning("recording not played", extra={"file": str(path), "reason": reason})
    return False


def read_samples(path: Path) -> Samples | None:
    """What was recorded; None, and a line in the log, if it is no WAV file of a telephone's kind."""
    import numpy as np

    try:
        with wave.open(str(path)) as sound:
            if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (RATE, 1, 2):
                raise ValueError("not 8 kHz, 16-bit, mono")
            return np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    except (OSError, ValueError, EOFError, wave.Error) as error:
        _LOG.warning("recording not played", extra={"file": str(path), "reason": str(error)})
        return None


def store(
    folder: Path, message: str, piece: int, text: str, samples: Samples, *, speaker: str, consent: str
) -> Recording:
    """Puts a recording into a pack, in the place of an earlier one. Raises PackError, and OSError (full disk).

    The file is written under a name of its own before the manifest names it, so that a power cut leaves the old pack or
    the new one.
    """
    from services.speech.audio import Audio

    kept = read_manifest(folder) if (folder / MANIFEST).exists() else ()
    content = Audio(samples).wav()
    digest = hashlib.sha256(content).hexdigest()
    name = f"{re.sub('[^a-z0-9-]', '_', message)}-{piece}-{digest[:8]}.wav"
    new = Recording(message, piece, text.strip(), speaker, consent, digest, round(len(samples) / RATE, 2), name)
    write_durably(folder / name, content, mode=0o644)
    _write_manifest(folder, [each for each in kept if (each.message, each.piece) != (message, piece)] + [new])
    for old in kept:
        if (old.message, old.piece) == (message, piece) and old.file != name:
            (folder / Path(old.file).name).unlink(missing_ok=True)
    return new


def remove(folder: Path) -> int:
    """Deletes a pack. How many recordings it had. Raises OSError; FileNotFoundError: there is no such pack."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise FileNotFoundError(manifest)
    number = len(list(folder.glob("*.wav")))
    manifest.unlink()  # first: what no manifest names is not played
    shutil.rmtree(folder)
    return number


def _write_manifest(folder: Path, recordings: Sequence[Recording]) -> None:
    ordered = sorted(recordings, key=lambda each: (each.message, each.piece))
    content = json.dumps({"recordings": [asdict(each) for each in ordered]}, indent=1, ensure_ascii=False)
    write_durably(folder / MANIFEST, content.encode(), mode=0o644)
