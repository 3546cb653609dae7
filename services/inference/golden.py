"""The golden cases of a release: drawn pictures beside its manifest, and what its models said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from PIL import Image

from services.inference.manifest import ModelError


class _Case(Protocol):
    @property
    def file(self) -> Path: ...


Case = TypeVar("Case", bound=_Case)


def opened(programme: str, cases: Sequence[Case]) -> Iterator[tuple[str, Case, Image.Image]]:
    """How to call each, what is known of it, and its picture. Raises ModelError for one that cannot be opened, or when
    there is none."""
    if not cases:
        raise ModelError(f"{programme}: no golden case to check the model on")
    for case in cases:
        label = f"golden case {case.file.name}"
        try:
            with Image.open(case.file) as image:
                picture = image.convert("RGB")
        except OSError as error:
            raise ModelError(f"{label}: {error}") from error
        yield label, case, picture
