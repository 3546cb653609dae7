"""What travels with a photograph, said once for both ends: the metadata of its tus upload."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from services.screening.decision import EYES

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST_GRID = 64


class BadMetadata(Exception):
    """The metadata does not describe a photograph. The text says what is wrong."""


@dataclass(frozen=True)
class Grid:
    """A heat map as the model gives it: rows × columns of 0 (cold) to 255 (hot), row by row from the top."""

    rows: int
    columns: int
    cells: bytes

    def as_text(self) -> str:
        return b64encode(bytes([self.rows, self.columns]) + self.cells).decode()

    @staticmethod
    def from_text(text: str) -> Grid:
        """Raises BadMetadata."""
        try:
            content = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if len(content) < 3 or not 0 < content[0] <= _LARGEST_GRID or not 0 < content[1] <= _LARGEST_GRID:
            raise BadMetadata("heat: not a grid")
        if len(content) != 2 + content[0] * content[1]:
            raise BadMetadata("heat: not as many cells as it says")
        return Grid(content[0], content[1], content[2:])


@dataclass(frozen=True)
class About:
    """`photo_ref` and `screening_ref` are the numbers that photograph and screening have at the site; `sha256` is that
    of the bytes sent; `before` and `after` are the model's probabilities of the photograph as it was taken and as it is
    sent, None where nobody could grade it; `heat` says where a referable eye's signs are."""

    photo_ref: int
    screening_ref: int
    eye: str
    sha256: str
    before: float | None = None
    after: float | None = None
    heat: Grid | None = None

    def as_metadata(self) -> dict[str, str]:
        """Keys and values before the base64 of the protocol."""
        found = {
            "photo_ref": str(self.photo_ref),
            "screening_ref": str(self.screening_ref),
            "eye": self.eye,
            "sha256": self.sha256,
        }
        for name, probability in (("before", self.before), ("after", self.after)):
            if probability is not None:
                found[name] = f"{probability:.4f}"
        if self.heat is not None:
            found["heat"] = self.heat.as_text()
        return found

    @staticmethod
    def from_metadata(given: Mapping[str, str]) -> About:
        """Raises BadMetadata. Keys that this release does not know are passed over."""
        eye, sha256 = given.get("eye", ""), given.get("sha256", "")
        if eye not in EYES:
            raise BadMetadata("eye: left or right")
        if not _SHA256.fullmatch(sha256):
            raise BadMetadata("sha256: 64 hexadecimal digits")
        heat = given.get("heat")
        return About(
            _number(given, "photo_ref"),
            _number(given, "screening_ref"),
            eye,
            sha256,
            _probability(given, "before"),
            _probability(given, "after"),
            None if heat is None else Grid.from_text(heat),
        )


def read_header(header: str) -> dict[str, str]:
    """Keys and values of an Upload-Metadata header (tus 1.0, creation). Raises BadMetadata."""
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii() or not key.isprintable() or key in found:
            raise BadMetadata("a key is empty, not ASCII, or there twice")
        try:
            found[key] = b64decode(value, validate=True).decode()
        except ValueError:
            raise BadMetadata(f"{key}: not base64 of text") from None
    return found


def _number(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadMetadata(f"{name}: a number")
    return int(text)


def _probability(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[01](\.[0-9]{1,8})?", text) or float(text) > 1:
        raise BadMetadata(f"{name}: a probability")
    return float(text)
