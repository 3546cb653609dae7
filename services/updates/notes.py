"""What became of each release at this site, for whoever asks `models status`: kept in the data directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from services.durable import write_durably
from services.updates.trust import folder_of

State = Literal["installed", "up-to-date", "fetching", "held", "refused", "not-wanted", "failed"]
_FILE = "notes.json"


def read(data_dir: Path) -> dict[str, Any]:
    """`{"problem", "releases": {subject: {"version", "state", "reason"}}}`; the problem, if there is one, kept the
    last look from its end."""
    try:
        kept = json.loads((folder_of(data_dir) / _FILE).read_text(encoding="utf-8"))
        return {"problem": str(kept["problem"]), "releases": dict(kept["releases"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"problem": "", "releases": {}}


def note(data_dir: Path, subject: str, version: str, state: State, reason: str = "") -> None:
    """Writes down what became of a release. Raises OSError."""
    kept = read(data_dir)
    told = {"version": version, "state": state, "reason": reason}
    if kept["releases"].get(subject) != told:
        kept["releases"][subject] = told
        _write(data_dir, kept)


def note_problem(data_dir: Path, problem: str) -> None:
    """Writes down what kept a look from its end; empty when it came to its end. Raises OSError."""
    kept = read(data_dir)
    if kept["problem"] != problem:
        _write(data_dir, kept | {"problem": problem})


def refused(data_dir: Path, subject: str, version: str) -> bool:
    """Whether this very version was found bad here: it is not fetched again, except by hand."""
    told = read(data_dir)["releases"].get(subject, {})
    return bool(told.get("version") == version and told.get("state") == "refused")


def _write(data_dir: Path, content: dict[str, Any]) -> None:
    write_durably(folder_of(data_dir) / _FILE, json.dumps(content, indent=1).encode(), mode=0o644)
