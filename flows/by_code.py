"""What stands behind a code, asked for three times at most: who mistypes a digit shall not have to begin again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from flows.conversation import Do, Tell, Yielded
from flows.questions import Code

_TRIES = 3


def by_code(
    question: Code, look_up: Callable[..., dict[str, Any]], *, undoable: bool = True, **arguments: Any
) -> Generator[Yielded, Any, dict[str, Any] | None]:
    """What `look_up(tx, code=…, …)` finds, with the `code` itself; None if it knew none: then `code-help` helps.

    Whatever it finds has a `state`; "unknown" asks again.
    """
    for _ in range(_TRIES):
        code = yield question
        found = yield Do(look_up, undoable=undoable, code=code, **arguments)
        if found["state"] != "unknown":
            return {**found, "code": code}
        yield Tell("code-unknown")
    return None
