"""Where a fetched release goes: models to a folder a version, voices to the installed ones. Both are put together
aside, tried, put in place whole, and only then used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from services.inference.manifest import FORMAT
from services.runtime import Runtime
from services.speech import fetched
from services.speech.installed import Choice, choose, folder_of, keep
from services.updates import installed
from services.updates.installed import MODELS
from services.updates.releases import Release, order
from services.updates.trial import try_out
from voices import LANGUAGES

UP_TO_DATE = "it is in use"


class Place(Protocol):
    """What the fetching of one release needs to know of its kind."""

    staging: Path

    def unwanted(self) -> str:
        """Why this release is not to be fetched; empty if it is."""

    def here(self) -> Iterator[Path]:
        """Files of this site that may be the same as one of the release, or the base of a patch."""

    def install(self) -> None:
        """Tries what was staged and has it used. Raises TrialFailed, OSError."""


class ModelPlace:
    """data/models/<programme>/<version>/<programme>/…"""

    def __init__(self, site: Runtime, release: Release, withdrawn: frozenset[str]) -> None:
        self._release, self._withdrawn = release, withdrawn
        self._models = site.settings.models_dir
        self._folder = installed.staging(self._models, release.name, release.version)
        self.staging = self._folder / release.name

    def unwanted(self) -> str:
        name, version = self._release.name, self._release.version
        if not (MODELS / name / "manifest.json").is_file():
            return f"this version of Jicho has no programme {name}"
        if self._release.about.get("format") != FORMAT:
            return f"it needs another version of Jicho: its format is {self._release.about.get('format')}"
        floor = installed.floor(self._models, name, MODELS, self._withdrawn)
        if floor and order(version) < order(floor):
            return f"it would be a downgrade from {floor}"
        return UP_TO_DATE if version == floor else ""

    def here(self) -> Iterator[Path]:
        name = self._release.name
        folders = [MODELS / name, *(self._models / name).glob(f"*/{name}"), self.staging]
        for folder in folders:
            yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")

    def install(self) -> None:
        name, version = self._release.name, self._release.version
        try_out("models", self._folder, name, self._release.about)
        installed.put(self._models, name, version)
        installed.use(self._models, name, version, self._withdrawn)
        installed.prune(self._models, name)


class VoicePlace:
    """data/voices/piper/hub-<language>-<version>/…; there is one voice a language."""

    def __init__(self, site: Runtime, release: Release, withdrawn: frozenset[str]) -> None:
        self._site, self._release, self._withdrawn = site, release, withdrawn
        self._voices = site.settings.voices_dir
        self._name = fetched.name_of_version(release.name, release.version)
        self.staging = folder_of(self._voices, f".fetching-{self._name}")

    def unwanted(self) -> str:
        language, version = self._release.name, self._release.version
        if language not in LANGUAGES:
            return f"this version of Jicho does not speak {language}"
        chosen = chosen_name(self._voices, language)
        if chosen and not chosen.startswith(fetched.FETCHED):
            return f"this site chose the voice {chosen} itself"
        usable = [each for each in fetched.fetched(self._voices, language) if each.version not in self._withdrawn]
        floor = max((each.version for each in usable if each.choice.name == chosen), key=order, default="")
        if floor and order(version) < order(floor):
            return f"it would be a downgrade from {floor}"
        return UP_TO_DATE if version == floor else ""

    def here(self) -> Iterator[Path]:
        for folder in (*folder_of(self._voices, "").glob("*"), self.staging):
            yield from (path for path in folder.glob("*") if path.is_file() and path.suffix != ".part")

    def install(self) -> None:
        language, version = self._release.name, self._release.version
        found = try_out("voices", self.staging, self._name, {"language": language})
        choice = Choice(self._name, bool(found["english"]), dict(found["remap"]))
        fetched.describe(self.staging, version, found, {file.path: file.sha256 for file in self._release.files})
        keep(self.staging, self._voices, self._name)
        _speak(self._site, language, choice)
        fetched.forget(self._voices, language, keep=2)


def place_of(site: Runtime, release: Release, withdrawn: frozenset[str]) -> Place:
    """The place of a release."""
    return (ModelPlace if release.kind == "models" else VoicePlace)(site, release, withdrawn)


def withdraw(site: Runtime, withdrawn: Mapping[str, frozenset[str]]) -> None:
    """Takes what the hub withdrew out of use. Raises OSError."""
    for manifest in MODELS.glob("*/manifest.json"):
        programme = manifest.parent.name
        installed.withdraw(site.settings.models_dir, programme, withdrawn.get(f"models/{programme}", frozenset()))
    for language in LANGUAGES:
        bad = withdrawn.get(f"voices/{language}", frozenset())
        chosen = chosen_name(site.settings.voices_dir, language)
        if chosen not in {fetched.name_of_version(language, version) for version in bad}:
            continue
        left = [each for each in fetched.fetched(site.settings.voices_dir, language) if each.version not in bad]
        _speak(site, language, left[-1].choice if left else None)


def chosen_name(voices_dir: Path, language: str) -> str:
    """The installed voice that speaks a language; empty where it is the language's own."""
    try:
        return str(json.loads((voices_dir / language / "voice.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _speak(site: Runtime, language: str, choice: Choice | None) -> None:
    """Has a voice speak a language; what was rendered with the old one is rendered anew."""
    from services.calls.clips import renew

    choose(site.settings.voices_dir, language, choice)
    with site.db.write() as tx:
        renew(tx, language)
