"""What an operator of the hub does: sign a release, take one back, keep the list fresh.

<hub>/updates/releases/<kind>/<name>/<version>/…   each release as it was given; the next ones are patched against it
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api.metadata import TargetFile, Targets

from services.durable import write_durably
from services.speech.installed import CONFIG, MODEL, BadVoice, staged
from services.updates.keys import KeyFolder
from services.updates.packing import LARGEST_BASE, pack
from services.updates.releases import BadRelease, Kind, check_name, check_path, order, read_offer
from services.updates.repository import Repository
from services.updates.trial import TrialFailed, try_out

_KEPT = 3
"""Releases of each subject that stay: to withdraw to, and to make patches from."""
_PACKED_AT_MOST = 0.95
PATCH_AT_MOST = 0.80
"""Of the bytes that would be fetched otherwise. Each target costs every site 200 to 300 bytes of the signed list."""


@dataclass(frozen=True)
class Source:
    """A release as it lies in a folder: its files by their path in the release."""

    kind: Kind
    name: str
    version: str
    about: Mapping[str, Any]
    folder: Path
    files: Mapping[str, Path]

    @property
    def subject(self) -> str:
        return f"{self.kind}/{self.name}"


@contextmanager
def read_model(folder: Path) -> Iterator[Source]:
    """The release of a programme: what its manifest names, and nothing else of the folder. Raises BadRelease."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        name, version = check_name(str(manifest["programme"])), str(manifest["version"])
        paths = ["manifest.json", *(str(tier["file"]) for tier in manifest["tiers"].values())]
        # A drawn retina is a file; the golden answers of a questionnaire stand in the manifest itself.
        paths += [str(case["file"]) for case in manifest["golden"] if "file" in case]
        about = {"format": int(manifest["format"])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRelease(f"{folder / 'manifest.json'}: {type(error).__name__}: {error}") from None
    order(version)
    with tempfile.TemporaryDirectory() as place:
        # As a `models` folder with one programme, whatever the folder was called.
        for path in dict.fromkeys(map(check_path, paths)):
            target = Path(place, name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(folder / path, target)
            except OSError as error:
                raise BadRelease(f"{folder / path}: {error.strerror}") from None
        files = {path: Path(place, name, path) for path in dict.fromkeys(paths)}
        yield Source("models", name, version, about, Path(place), files)


@contextmanager
def read_voice(path: Path, language: str, version: str) -> Iterator[Source]:
    """A release of a language's voice: an .onnx with its .onnx.json, or a folder or zip of both. Raises BadRelease."""
    order(version)
    with tempfile.TemporaryDirectory() as place:
        try:
            with staged(path, Path(place)) as folder:
                files = {each: folder / each for each in (MODEL, CONFIG)}
                yield Source("voices", check_name(language), version, {"language": language}, folder, files)
        except BadVoice as error:
            raise BadRelease(str(error)) from None


def publish(repository: Repository, source: Source, keys: Sequence[KeyFolder], shipped: Path) -> dict[str, Any]:
    """Tries a release, signs it and offers it: {"subject", "version", "files": [{"file", "bytes", "whole", "patches"}]}
    with the bytes of each way. `shipped` is the folder of the models that came with Jicho, which every site has.

    Raises BadRelease (also for a version that is not above all that were published), NotPublished, BadKey, OSError.
    """
    with repository.changing():
        offer = read_offer(repository.targets())
        taken = {*_archived(repository, source.subject), *offer.withdrawn.get(source.subject, ())}
        if taken and order(source.version) <= max(map(order, taken)):
            newest = max(taken, key=order)
            raise BadRelease(f"{source.subject} {newest} was published: sites refuse {source.version} as a downgrade")
        try:
            try_out(source.kind, source.folder, source.name, source.about)
        except TrialFailed as error:
            raise BadRelease(f"nothing was signed: {error}") from None
        folder = _archive_of(repository, source.subject, source.version)
        for path, file in source.files.items():
            write_durably(folder / path, file.read_bytes(), mode=0o644)
        targets = _targets(repository, source.subject, source.version, shipped)
        about = {"version": source.version, **source.about}
        repository.change_targets(lambda signed: _offer(signed, source.subject, about, targets), keys)
        # Last: only what was signed counts as published.
        write_durably(folder / _ABOUT, json.dumps(about).encode(), mode=0o644)
        _prune(repository, source.subject)
    return {"subject": source.subject, "version": source.version, "files": _summary(targets)}


def withdraw(repository: Repository, subject: str, version: str, keys: Sequence[KeyFolder], shipped: Path) -> str:
    """Has every site stop using a version, fetched or shipped; the one before it is offered again. That one, or empty.
    Raises BadRelease, NotPublished, BadKey, OSError."""
    order(version)
    with repository.changing():
        offer = read_offer(repository.targets())
        withdrawn = offer.withdrawn.get(subject, frozenset()) | {version}
        left = [each for each in _archived(repository, subject) if each not in withdrawn]
        targets: dict[str, TargetFile] = {}
        about: dict[str, Any] = {}
        if left:
            targets = _targets(repository, subject, left[-1], shipped)
            about = json.loads((_archive_of(repository, subject, left[-1]) / _ABOUT).read_text())

        def change(signed: Targets) -> None:
            _offer(signed, subject, about, targets)
            signed.unrecognized_fields["withdrawn"][subject] = sorted(withdrawn, key=order)

        repository.change_targets(change, keys)
        return left[-1] if left else ""


_ABOUT = ".about.json"


def _offer(signed: Targets, subject: str, about: Mapping[str, Any], targets: Mapping[str, TargetFile]) -> None:
    """Puts one release in the place of what was offered of this subject."""
    signed.targets = {path: each for path, each in signed.targets.items() if not path.startswith(f"{subject}/")}
    signed.targets |= targets
    signed.unrecognized_fields["releases"].pop(subject, None)
    if about:
        signed.unrecognized_fields["releases"][subject] = dict(about)


def _targets(repository: Repository, subject: str, version: str, shipped: Path) -> dict[str, TargetFile]:
    """Writes each file's ways, and describes them for signing."""
    folder = _archive_of(repository, subject, version)
    described: dict[str, TargetFile] = {}
    for path in sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()):
        if path == _ABOUT:
            continue
        content = (folder / path).read_bytes()
        name = f"{subject}/{version}/{path}"
        custom: dict[str, Any] = {"file": path, "sha256": _sha256(content), "bytes": len(content)}
        whole, packed = content, pack(content)
        if len(packed) <= _PACKED_AT_MOST * len(content):
            whole = packed
            described[f"{name}.zst"] = _describe(repository, f"{name}.zst", packed, custom)
        else:
            described[name] = _describe(repository, name, content, {})
        for base in _bases(repository, subject, version, path, shipped):
            patch = pack(content, base)
            if base != content and len(patch) <= PATCH_AT_MOST * len(whole):
                target = f"{name}.{_sha256(base)[:12]}.patch"
                described[target] = _describe(repository, target, patch, custom | {"base": _sha256(base)})
    return described


def _bases(repository: Repository, subject: str, version: str, path: str, shipped: Path) -> Iterator[bytes]:
    """Older files that sites may have in the place of this one."""
    kind, _, name = subject.partition("/")
    others = (each for each in _archived(repository, subject) if each != version)
    older = [_archive_of(repository, subject, each) / path for each in others]
    if kind == "models":
        older.append(shipped / name / path)
    seen = set()
    for file in older:
        if file.is_file() and file.stat().st_size <= LARGEST_BASE:
            content = file.read_bytes()
            if content not in seen:
                seen.add(content)
                yield content


def _describe(repository: Repository, name: str, content: bytes, custom: Mapping[str, Any]) -> TargetFile:
    target = TargetFile.from_data(name, content, ["sha256"])
    if custom:
        target.unrecognized_fields["custom"] = dict(custom)
    folder, _, file = name.rpartition("/")
    # TUF's consistent snapshots: the hash is in the name, so that a file never changes under whoever fetches it.
    write_durably(repository.targets_dir / folder / f"{target.hashes['sha256']}.{file}", content, mode=0o644)
    return target


def _archive_of(repository: Repository, subject: str, version: str) -> Path:
    return repository.folder / "releases" / subject / version


def _archived(repository: Repository, subject: str) -> list[str]:
    """The versions that lie here whole, oldest first."""
    found = (path.parent.name for path in (repository.folder / "releases" / subject).glob(f"*/{_ABOUT}"))
    return sorted(found, key=order)


def _prune(repository: Repository, subject: str) -> None:
    for version in _archived(repository, subject)[:-_KEPT]:
        shutil.rmtree(_archive_of(repository, subject, version), ignore_errors=True)
        shutil.rmtree(repository.targets_dir / subject / version, ignore_errors=True)


def _summary(targets: Mapping[str, TargetFile]) -> list[dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for path, target in targets.items():
        custom = target.custom or {}
        file = custom.get("file", "/".join(path.split("/")[3:]))
        each = files.setdefault(file, {"file": file, "bytes": custom.get("bytes", target.length), "patches": {}})
        if custom.get("base"):
            each["patches"][custom["base"][:12]] = target.length
        else:
            each["whole"] = target.length
    return list(files.values())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
