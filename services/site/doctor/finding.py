"""What one check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["fine", "note", "warning", "broken"]
LEVELS: tuple[Level, ...] = ("fine", "note", "warning", "broken")


@dataclass(frozen=True)
class Finding:
    """`says` what is so, `mend` what to do about it. A `note` is worth knowing and no fault; a `warning` will become
    one; `broken` keeps the site from its work or puts data at risk."""

    level: Level
    says: str
    mend: str = ""
    check: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fine(says: str) -> Finding:
    """Nothing is wrong here."""
    return Finding("fine", says)


def note(says: str, mend: str = "") -> Finding:
    """Worth knowing."""
    return Finding("note", says, mend)


def warning(says: str, mend: str) -> Finding:
    """Will become a fault."""
    return Finding("warning", says, mend)


def broken(says: str, mend: str) -> Finding:
    """Keeps the site from its work, or puts data at risk."""
    return Finding("broken", says, mend)
