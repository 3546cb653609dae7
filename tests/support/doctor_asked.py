"""How tests ask the doctor: the name of a check and settings that are changed; level and words of what it found."""

from __future__ import annotations

from collections.abc import Callable

Ask = Callable[..., list[tuple[str, str]]]
