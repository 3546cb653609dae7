"""Piper voices that a site installed, and which of them speaks which language.

<voices>/piper/<name>/voice.onnx, voice.onnx.json
<voices>/<language>/voice.json     {"name": …, "english": …, "remap": {…}}
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.durable import write_durably
from voices import voice_for
from voices.voice import Voice

MODEL, CONFIG = "voice.onnx", "voice.onnx.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_LARGEST = 400 * 2**20


class BadVoice(Exception):
    """This is no voice that can be installed. The text says why and what to do."""


@dataclass(frozen=True)
class Choice:
    """Which installed voice speaks a language, and how: an `english` one takes what the language sends to its own
    English voice, any other the language's sounds; `remap` stands in for what it never learned."""

    name: str
    english: bool
    remap: Mapping[str, str]


def voice_of(language: str, voices_dir: Path | None) -> Voice:
    """The voice that a site chose for a language, or else the language's own.

    One that came from the hub and was damaged since gives way to the one before it. Raises KeyError for a language that
    has none, ValueError for a choice that cannot be read.
    """
    from services.speech.fetched import FETCHED, serving

    own = voice_for(language)
    if voices_dir is None:
        return own
    path = voices_dir / language / "voice.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        choice = Choice(str(kept["name"]), bool(kept["english"]), dict(kept["remap"]))
    except FileNotFoundError:
        return own
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if choice.name.startswith(FETCHED):
        whole = serving(voices_dir, language, choice.name)
        if whole is None:
            return own
        choice = whole
    return speaking(own, folder_of(voices_dir, choice.name), choice)


def speaking(own: Voice, folder: Path, choice: Choice) -> Voice:
    """The language of `own`, spoken by another voice. Raises ValueError (its files are gone)."""
    spoken = own.phonemes if choice.english else own.sounds
    table = str.maketrans(dict(choice.remap))

    def phonemes(text: str) -> list[str]:
        return [sentence.translate(table) for sentence in spoken(text)]

    try:
        digest = digest_of(folder / MODEL)
    except OSError as error:
        raise ValueError(f"the voice {choice.name} is gone: {error}") from None
    remap = json.dumps(choice.remap, sort_keys=True)
    version = f"{own.version}+{digest[:16]}+{choice.english}+{hashlib.sha256(remap.encode()).hexdigest()[:8]}"
    return replace(own, version=version, phonemes=phonemes, package=choice.name, folder=folder)


def digest_of(path: Path) -> str:
    """A file's SHA-256; read again only once it changed. Raises OSError."""
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def choose(voices_dir: Path, language: str, choice: Choice | None) -> None:
    """Has a language spoken by an installed voice from now on, or, with None, by its own. Raises OSError."""
    path = voices_dir / language / "voice.json"
    if choice is None:
        path.unlink(missing_ok=True)
        return
    kept = {"name": choice.name, "english": choice.english, "remap": dict(choice.remap)}
    write_durably(path, json.dumps(kept, ensure_ascii=False, indent=1).encode(), mode=0o644)


def folder_of(voices_dir: Path, name: str) -> Path:
    """Where the files of an installed voice lie."""
    return voices_dir / "piper" / name


def installed(voices_dir: Path) -> list[str]:
    """The names of the installed voices."""
    return sorted(found.parent.name for found in voices_dir.glob(f"piper/[!.]*/{MODEL}"))


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration that lies beside a model. Raises BadVoice."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        ids = {symbol: [int(each) for each in found] for symbol, found in config["phoneme_id_map"].items()}
        rate, kind = int(config["audio"]["sample_rate"]), config.get("phoneme_type", "espeak")
        espeak = str(config["espeak"]["voice"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadVoice(f"the .onnx.json is not that of a Piper voice ({type(error).__name__}: {error})") from None
    if kind != "espeak":
        raise BadVoice(
            f"this voice reads {kind!r}, not the phonemes of espeak-ng, which all languages here are made of"
        )
    if rate < 8_000:
        raise BadVoice(f"this voice has a sample rate of {rate} Hz; a telephone needs 8000")
    return {"ids": ids, "english": espeak.split("-")[0] == "en"}


@contextmanager
def staged(source: Path, voices_dir: Path) -> Iterator[Path]:
    """A folder with a copy of the two files of a voice, for looking at it; `keep` makes it an installed one.

    `source` is an .onnx file with its .onnx.json beside it, or a folder or a zip archive with one such pair.
    Raises BadVoice, and OSError (full disk).
    """
    place = voices_dir / "piper"
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=place, prefix=".adding-"))
    try:
        if zipfile.is_zipfile(source):
            _unpack(source, folder)
        else:
            model, config = _pair(source)
            shutil.copyfile(model, folder / MODEL)
            shutil.copyfile(config, folder / CONFIG)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, voices_dir: Path, name: str) -> Path:
    """Installs a staged voice under a name, in the place of an older one of that name. Raises BadVoice, OSError."""
    if not _NAME.fullmatch(name):
        raise BadVoice(f"{name!r} cannot be the name of a voice: letters, digits, dot, hyphen and underscore only")
    final = folder_of(voices_dir, name)
    for path in (folder / MODEL, folder / CONFIG):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    folder.chmod(0o755)
    old = final.with_name(f".old-{name}")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    folder.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    return final


def _pair(source: Path) -> tuple[Path, Path]:
    models = sorted(source.glob("*.onnx")) if source.is_dir() else [source]
    if len(models) != 1 or models[0].suffix != ".onnx":
        raise BadVoice(f"{source}: give one .onnx file, or a folder or zip archive with one; here are {len(models)}")
    for config in (models[0].with_name(models[0].name + ".json"), models[0].with_suffix(".json")):
        if config.is_file():
            return models[0], config
    raise BadVoice(f"{models[0].name}.json must lie beside {models[0].name}: both come with every Piper voice")


def _unpack(source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            models = [entry for entry in files if entry.filename.endswith(".onnx")]
            configs = [entry for entry in files if entry.filename.endswith(".onnx.json")]
            if (len(models), len(configs)) != (1, 1):
                raise BadVoice(f"{source.name} must hold one .onnx and one .onnx.json")
            for entry, name in ((models[0], MODEL), (configs[0], CONFIG)):
                if entry.file_size > _LARGEST:
                    raise BadVoice(f"{entry.filename} is larger than {_LARGEST // 2**20} MB")
                with archive.open(entry) as packed, (folder / name).open("wb") as out:
                    shutil.copyfileobj(packed, out)
    except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise BadVoice(f"{source.name} cannot be unpacked: {error}") from None


def name_of(source: Path) -> str:
    """The name that a voice's file suggests: `sw_CD-lanfrica-medium.onnx` is `sw_CD-lanfrica-medium`."""
    model = source if source.is_file() else next(iter(sorted(source.glob("*.onnx"))), source)
    return re.sub(r"[^A-Za-z0-9._-]", "-", model.stem) or "voice"
