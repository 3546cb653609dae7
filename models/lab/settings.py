"""Settings of a lab step: a dataclass at the top of its file, overridden by `--name value`; an unknown name raises.

Where a step has a `programme`, that programme's own settings stand in for the step's defaults."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from models.lab.programme import named

RUNS = Path(__file__).parent / "runs"
T = TypeVar("T")


def read(kind: type[T], argv: list[str] | None = None) -> T:
    """An instance of the dataclass `kind` with the command line's overrides. Raises ValueError for an unknown setting
    or programme, a missing value or one of the wrong type."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) % 2:
        raise ValueError(f"settings come as --name value pairs, got {words}")
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        key = name.removeprefix("--").replace("-", "_")
        if not name.startswith("--") or key not in known:
            raise ValueError(f"unknown setting {name}; known: {', '.join(sorted(known))}")
        given[key] = _convert(hints[key], value)
    if "programme" in known:
        own = named(given.get("programme", "dr")).settings
        given = {name: value for name, value in own.items() if name in known} | given
    return kind(**given)


def word(argv: list[str], name: str, usual: str) -> str:
    """The value of one setting among others, as it was given."""
    return argv[argv.index(f"--{name}") + 1] if f"--{name}" in argv[:-1] else usual


def _convert(hint: Any, value: str) -> Any:
    if hint is bool:
        if value.lower() not in ("true", "false"):
            raise ValueError(f"expected true or false, got {value}")
        return value.lower() == "true"
    return hint(value)
