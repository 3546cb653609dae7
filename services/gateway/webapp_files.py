"""What the web app consists of, as one release: every file's address, size and hash, in groups.

A release is known by the hash of its list, so that a phone which has one knows without asking twice whether there is
another, and a file that it has already is not fetched again. Files stay on disk: this process has little memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flows.catalogue import LANGUAGES, messages
from flows.render_voice import Utterance
from services import VERSION, programmes
from services.calls.clips import key_of, path_of
from services.calls.playback import TYPES, joined
from services.inference.manifest import ModelError, load
from services.programmes import Programme
from services.runtime import Runtime
from services.screening.decision import EYES
from services.screening.referral import destination
from services.updates import installed

DIST = Path(__file__).parent / "app" / "dist"
MESSAGES = (
    *("app-", "answer-", "ask-birth-year", "ask-consent", "ask-language", "ask-patient-language", "ask-withdraw"),
    *("ask-sex", "ask-urgent", "consent-declined", "eye-", "language-", "menu-language"),
    *("menu-withdraw", "photo-", "place-", "quality-", "result-", "withdraw-", "worker-"),
)
"""How the ids of the sentences begin that the app says."""
SPOKEN = ("result-refer", "result-refer-urgent", "result-rescreen")
"""What it reads aloud: verdicts with nothing personal in them, which calls say in the same words."""
_MODELS = Path(__file__).resolve().parents[2] / "models"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class File:
    """One file as it is served, from `path` or, where it is not on disk, `content`; `packed` is it in gzip, where the
    build found that worth it. `sha256` and `size` are those of the file, not of what is on the wire."""

    sha256: str
    size: int
    mime_type: str
    path: Path | None = None
    content: bytes = b""
    packed: Path | None = None

    @property
    def transfer(self) -> int:
        """Bytes on the wire."""
        return self.packed.stat().st_size if self.packed else self.size


def is_built() -> bool:
    """Whether the set-up command has built the app here."""
    return (DIST / "index.html").is_file()


def of_shell(name: str) -> File | None:
    """A file that the build made, by its path below `/app/`."""
    path = (DIST / (name or "index.html")).resolve()
    return _file(path) if path.is_relative_to(DIST) and path.is_file() and path.suffix != ".gz" else None


def of_words(site: Runtime, language: str) -> File | None:
    """The sentences of the app and of its programmes in one language, by their ids."""
    if language not in LANGUAGES:
        return None
    found = offered(site)
    said = {message for each in found for answer in each.says.values() for message in answer}
    return _words(language, frozenset(said | {title_of(each) for each in found}))


def of_site(site: Runtime) -> File:
    """What the sentences name: `{"clinic", "place"}`; the place where referred patients go may be a message's id."""
    with site.db.read() as tx:
        place = destination(tx).place
    return _written({"clinic": site.settings.clinic, "place": place})


def offered(site: Runtime) -> tuple[Programme, ...]:
    """Those of the site's programmes that the app can hold: a case of two eyes, and questions of one picture."""
    return tuple(
        each for each in programmes.offered(site.settings) if each.photographs == "question" or each.parts == EYES
    )


def of_programmes(site: Runtime) -> File:
    """What the app has to know of them: `[{"name", "photographs", "title", "says"}]`, the main one first."""
    return _written(
        [
            {"name": each.name, "photographs": each.photographs, "title": title_of(each), "says": dict(each.says)}
            for each in offered(site)
        ]
    )


def title_of(programme: Programme) -> str:
    """The id of the programme's name as people read it."""
    return f"menu-{programme.name}"


def of_sound(site: Runtime, language: str, message: str) -> File | None:
    """A spoken sentence, once calls have had it rendered."""
    if language not in LANGUAGES or message not in SPOKEN:
        return None
    with site.db.read() as tx:
        said = {} if message == "result-rescreen" else {"place": destination(tx).place}
    path = path_of(site.settings, site.clips_dir, key_of(site.settings, language, Utterance(message, said)))
    form = site.settings.call_audio
    return _held(joined([path], form), TYPES[form][1]) if path.is_file() else None


def of_model(site: Runtime, programme: str, name: str) -> File | None:
    """The manifest of a programme's newest models, or a file that it names."""
    known = programme in {each.name for each in offered(site)}
    folder = _models(site.settings.data_dir, programme) if known else None
    if folder is None or name not in _names(folder, programme):
        return None
    path = folder / programme / name
    return _file(path) if path.is_file() else None


def release(site: Runtime) -> dict[str, Any]:
    """`{"version", "release", "groups": [{"name", "kind", "files": [{"url", "sha256", "bytes", "transfer"}]}]}`. Every
    phone needs those of kind "shell" and "audio", and of kind "programme" those that it works with."""
    shell = {f"/app/{name}": of_shell(name) for name in _built()}
    shell["/app/site.json"] = of_site(site)
    shell["/app/programmes.json"] = of_programmes(site)
    shell |= {f"/app/words/{language}.json": of_words(site, language) for language in LANGUAGES}
    groups = [_group("shell", "shell", shell)]
    for programme in (each.name for each in offered(site)):
        folder = _models(site.settings.data_dir, programme)
        if folder is not None:
            names = _names(folder, programme)
            models = {f"/app/models/{programme}/{name}": of_model(site, programme, name) for name in names}
            groups.append(_group(programme, "programme", models))
    for language in LANGUAGES:
        sounds = {f"/app/audio/{language}/{message}": of_sound(site, language, message) for message in SPOKEN}
        groups.append(_group(f"audio-{language}", "audio", sounds))
    listed = json.dumps(groups, sort_keys=True).encode()
    return {"version": VERSION, "release": hashlib.sha256(listed).hexdigest(), "groups": groups}


def _group(name: str, kind: str, files: Mapping[str, File | None]) -> dict[str, Any]:
    listed = [
        {"url": url, "sha256": file.sha256, "bytes": file.size, "transfer": file.transfer}
        for url, file in sorted(files.items())
        if file is not None
    ]
    return {"name": name, "kind": kind, "files": listed}


def _built() -> list[str]:
    """Paths below `/app/`; the page itself is the empty one. The service worker is not listed: browsers keep it."""
    found = [path.relative_to(DIST).as_posix() for path in DIST.rglob("*") if path.is_file() and path.suffix != ".gz"]
    return ["" if name == "index.html" else name for name in found if name != "service-worker.js"]


def _models(data_dir: Path, programme: str) -> Path | None:
    for folder in installed.folders(data_dir / "models", programme, _MODELS):
        try:
            load(folder, programme)
        except ModelError:
            continue
        return folder
    return None


def _names(folder: Path, programme: str) -> tuple[str, ...]:
    return _named(folder, programme, (folder / programme / "manifest.json").stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _named(folder: Path, programme: str, _changed: int) -> tuple[str, ...]:
    manifest = load(folder, programme)
    files = [tier.file for tier in manifest.tiers.values()] + [case.file for case in manifest.golden]
    return ("manifest.json", *(file.relative_to(folder / programme).as_posix() for file in files))


def _file(path: Path) -> File:
    return _hashed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=128)
def _hashed(path: Path, _changed: int) -> File:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    packed = path.with_name(f"{path.name}.gz")
    mime_type = _TYPES.get(path.suffix, "application/octet-stream")
    return File(digest, path.stat().st_size, mime_type, path, packed=packed if packed.is_file() else None)


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: str, said: frozenset[str]) -> File:
    wanted = {key: words for key, words in messages(language).items() if key in said or key.startswith(MESSAGES)}
    return _written(wanted)


def _written(value: object) -> File:
    content = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    return _held(content, _TYPES[".json"])


def _held(content: bytes, mime_type: str) -> File:
    return File(hashlib.sha256(content).hexdigest(), len(content), mime_type, content=content)
