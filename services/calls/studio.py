"""Recordings come in, by the number that the script gave them, and calls play them from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.calls.clips import renew
from services.calls.script import Line, line_of, script
from services.runtime import Runtime
from services.speech.packs import store
from services.speech.recording import FILES, Unusable, prepare
from services.speech.verbalise import verbalise

_PACK = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


@dataclass(frozen=True)
class Pack:
    """Where recordings go, who spoke them and what the speaker agreed to."""

    language: str
    name: str
    speaker: str
    consent: str

    def check(self) -> None:
        """Raises Unusable: without a name, a speaker and a consent nothing is kept."""
        if not _PACK.fullmatch(self.name):
            raise Unusable(f"{self.name!r} cannot be the name of a pack: small letters, digits, hyphen, underscore")
        if not self.speaker.strip():
            raise Unusable("say who speaks")
        if not self.consent.strip():
            raise Unusable("say what the speaker agreed to: a voice belongs to a person")


@dataclass(frozen=True)
class Taken:
    """What became of one file: a recording, or the `problem` with it."""

    file: str
    line: Line | None = None
    seconds: float = 0.0
    problem: str = ""


def take(site: Runtime, pack: Pack, number: int, content: bytes, name: str) -> Taken:
    """Puts one recording into a pack and has the clips in which it is heard made anew.

    Raises Unusable, PackError, and OSError (full disk).
    """
    pack.check()
    try:
        line = line_of(site.settings, pack.language, number)
    except (LookupError, ValueError) as error:
        raise Unusable(f"{name}: {error.args[0]}") from None
    samples = prepare(content, name, verbalise(pack.language, line.text))
    folder = site.settings.voices_dir / pack.language / pack.name
    recording = store(
        folder, line.message, line.piece, line.text, samples, speaker=pack.speaker.strip(), consent=pack.consent.strip()
    )
    with site.db.write() as tx:
        renew(tx, pack.language, recorded=line.message)
    return Taken(name, line, recording.seconds)


def take_folder(site: Runtime, pack: Pack, folder: Path) -> Iterator[Taken]:
    """Every sound file of a folder, in the order of the numbers. What cannot be used is told and left out.

    Raises Unusable (the pack's own details), PackError, and OSError.
    """
    pack.check()
    script(site.settings, pack.language)  # so that there are numbers
    files = [path for path in folder.iterdir() if path.suffix.lstrip(".").lower() in FILES]
    for path in sorted(files, key=lambda path: (not path.stem.isdigit(), path.stem.zfill(9))):
        try:
            if not path.stem.isascii() or not path.stem.isdigit():
                raise Unusable(f"{path.name}: name it by the number in the script, such as 12{path.suffix}")
            yield take(site, pack, int(path.stem), path.read_bytes(), path.name)
        except Unusable as problem:
            yield Taken(path.name, problem=str(problem))
