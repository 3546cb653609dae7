"""What a release is: the files of one version of a model or a voice, and how it stands in TUF's signed list of targets.

A target is named `<kind>/<name>/<version>/<file>`; with `.zst` it is that file packed, with `.<base>.patch` packed
against an older file. What TUF has no field for stands in its `custom` one: {"file", "sha256", "bytes", "base"}.
The list itself says which version of each is the newest ("releases"), and which ones must not be used ("withdrawn").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

Kind = Literal["models", "voices"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){1,3}")
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadRelease(Exception):
    """What was signed, or is to be signed, is no release that this version of Jicho understands. The text says why."""


@dataclass(frozen=True)
class Way:
    """One target from which a file can be had: its length over the wire, whether it is `packed`, and the SHA-256 of
    the file that it is a patch to (empty: none, it is the whole file)."""

    target: str
    bytes: int
    packed: bool = False
    base: str = ""


@dataclass(frozen=True)
class File:
    """A file of a release, at `path` below its folder. One of its ways is whole; the others are patches."""

    path: str
    sha256: str
    bytes: int
    ways: tuple[Way, ...]

    def way(self, bases: Iterable[str]) -> Way:
        """The shortest way for somebody who has files with these hashes. Raises BadRelease when there is none."""
        held = {"", *bases}
        possible = [way for way in self.ways if way.base in held]
        if not possible:
            raise BadRelease(f"{self.path}: no whole file is offered")
        return min(possible, key=lambda way: way.bytes)


@dataclass(frozen=True)
class Release:
    """The newest version of something. `about` holds what decides whether it is for a site before a byte is fetched:
    a model's manifest `format`, a voice's `language`."""

    kind: Kind
    name: str
    version: str
    about: Mapping[str, Any]
    files: tuple[File, ...]

    @property
    def subject(self) -> str:
        """What it is a version of, such as "models/dr"."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Offer:
    """All that a signed list says: releases by their subject, and the versions that must not be used."""

    releases: Mapping[str, Release]
    withdrawn: Mapping[str, frozenset[str]]


def order(version: str) -> tuple[int, ...]:
    """What versions are compared by: 0.10.0 comes after 0.9.1. Raises BadRelease."""
    if not _VERSION.fullmatch(version):
        raise BadRelease(f"{version!r} is no version: two to four numbers, such as 0.3.0")
    return tuple(int(part) for part in version.split("."))


def check_name(name: str) -> str:
    """The name, if it can be one. Raises BadRelease."""
    if not _NAME.fullmatch(name):
        raise BadRelease(f"{name!r} cannot be a name: letters, digits, dot, hyphen and underscore, 41 at most")
    return name


def check_path(path: str) -> str:
    """The path of a file in a release, if it stays below the release's folder. Raises BadRelease."""
    if not _PATH.fullmatch(path):
        raise BadRelease(f"{path!r} cannot be a file of a release")
    return path


def read_offer(signed: Targets) -> Offer:
    """Reads TUF's verified list. Raises BadRelease for one that this version of Jicho does not understand."""
    try:
        newest = dict(signed.unrecognized_fields.get("releases", {}))
        releases = {subject: _release(subject, dict(told), signed) for subject, told in newest.items()}
        told = dict(signed.unrecognized_fields.get("withdrawn", {}))
        withdrawn = {subject: frozenset(map(str, versions)) for subject, versions in told.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRelease(f"the list of releases: {type(error).__name__}: {error}") from error
    return Offer(releases, withdrawn)


def _release(subject: str, told: Mapping[str, Any], signed: Targets) -> Release:
    kind, _, name = subject.partition("/")
    if kind not in KINDS:
        raise BadRelease(f"{subject}: this version of Jicho knows no {kind}")
    version = str(told["version"])
    order(version)
    prefix = f"{subject}/{version}/"
    found: dict[str, tuple[str, int, list[Way]]] = {}
    for path, target in signed.targets.items():
        if not path.startswith(prefix):
            continue
        custom = target.custom or {}
        file = check_path(str(custom.get("file", path.removeprefix(prefix))))
        sha256, size = str(custom.get("sha256", target.hashes.get("sha256"))), int(custom.get("bytes", target.length))
        base = str(custom.get("base", ""))
        if not _SHA256.fullmatch(sha256) or (base and not _SHA256.fullmatch(base)):
            raise BadRelease(f"{path}: has no SHA-256")
        known = found.setdefault(file, (sha256, size, []))
        if known[:2] != (sha256, size):
            raise BadRelease(f"{path}: two different files of this name")
        known[2].append(Way(path, target.length, packed="sha256" in custom, base=base))
    files = tuple(File(file, sha256, size, tuple(ways)) for file, (sha256, size, ways) in sorted(found.items()))
    if not files:
        raise BadRelease(f"{subject} {version}: has no file")
    about = {key: value for key, value in told.items() if key != "version"}
    return Release(kind, check_name(name), version, about, files)
