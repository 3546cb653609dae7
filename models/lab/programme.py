"""What the lab has to know of a programme: how its pictures are cut, what is said of them, how they wear.

Each programme is one file, `models/<name>/programme.py`, with one `PROGRAMME`; every step takes `--programme <name>`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as usual
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.inference.preprocess import Field

if TYPE_CHECKING:
    from torch import nn

    from models.lab.head import Head

Pixels = NDArray[np.uint8]
Row = Mapping[str, str]
CENTRE = (0.5,)
VIEWS = {"full": 4, "medium": 2, "light": 1}


def opened(path: Path, _row: Row) -> Image.Image:
    """A photograph as it lies in the folder, RGB."""
    with Image.open(path) as image:
        return image.convert("RGB")


@dataclass(frozen=True)
class Programme:
    """`folder` lies under ../shared/data. `head` is what the network says, `front` makes the graph's first layer for
    squares of so many pixels. `field` says which part of a picture becomes the square, at a place from 0 to 1 along its
    longer side where there is a choice; the product looks at 0.5, and learning at all of `windows`. `settings` stand in
    for the steps' own defaults, `stages` for those of one stage of `train`. `strangers` are pictures of a split that
    show something else, by kind: of them the network learns to be unsure. `golden` draws pictures of so many pixels,
    by file name, with the class that has to be read from each, None for none. `views` is over how many mirrored views
    each tier averages, the best tier first."""

    name: str
    folder: str
    head: Head
    front: Callable[[int], nn.Module]
    field: Callable[[Image.Image, float], Field]
    augment: Callable[[Pixels, int, np.random.Generator], Pixels]
    picture: Callable[[Path, Row], Image.Image] = opened
    source: Callable[[Row], str] = lambda row: row.get("source", "")
    windows: Callable[[Row], tuple[float, ...]] = lambda _row: CENTRE
    strangers: Callable[[str], Iterator[tuple[str, Image.Image]]] | None = None
    golden: Callable[[int], dict[str, tuple[Image.Image, str | None]]] = lambda _size: {}
    views: Mapping[str, int] = usual(default_factory=lambda: dict(VIEWS))
    settings: Mapping[str, Any] = usual(default_factory=dict)
    stages: Mapping[str, Mapping[str, Any]] = usual(default_factory=lambda: {"tune": {}})


def named(name: str) -> Programme:
    """The programme of that name. Raises ValueError where there is none that the lab could train."""
    lab = Path(__file__).resolve().parent
    known = sorted(path.parent.name for path in lab.parent.glob("*/programme.py") if path.parent != lab)
    if name not in known:
        raise ValueError(f"unknown programme {name}; known: {', '.join(known)}")
    programme: Programme = importlib.import_module(f"models.{name}.programme").PROGRAMME
    return programme
