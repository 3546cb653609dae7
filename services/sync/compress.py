"""A photograph is made small enough for a slow link, never so small that a person could no longer grade it.

Scale gives way before quality does: at equal bytes a smaller photograph of JPEG quality 80 is closer to the original
than a larger one of quality 50, at the model's scale and at that of a screen. WebP was no closer at the same bytes and
took two to three times as long (docs/decisions/017-photographs-to-the-hub.md). Deterministic for one release of Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Greys = NDArray[np.float64]

LEAST_SIDE = 800
"""Pixels, longest side, below which nothing is reduced: at 800 × 600 graders told the lesions of retinopathy apart
(Conrath et al. 2007), and found files of 66 to 107 KB as good as uncompressed ones (Basu et al. 2003)."""
LOWEST, WANTED, HIGHEST = 60, 80, 90
"""JPEG qualities: never less, only less once the scale is at its least, never more."""
LEAST_SIMILARITY = 0.98
"""Of the green channel, in which lesions stand out, at CHECKED pixels: twice what the model reads. Photographs of
quality 80 lie at 0.989 and above, the worst of quality 50 at 0.968."""
CHECKED = 512
WORTH = 0.75
"""Share of its bytes that a file which is small enough already may keep at most for a second encoding to be worth what
it loses: at 0.92, 3 of 200 real photographs crossed the threshold of referral for 8 % of the bytes."""
_STEP = 0.85  # from one scale to the next
_WINDOW = 8  # pixels
_DARK = 10  # grey levels: the surround of the field is equal in every copy and says nothing


class TooMuchLost(Exception):
    """The photograph cannot be brought to the size asked for without going below the stated quality."""


@dataclass(frozen=True)
class Compressed:
    """`jpeg` is what to send, never more bytes than came; `kept`: the original itself, which no new file bettered.

    `side` is its longest side in pixels, `quality` its JPEG quality (None when kept), `similarity` 0 to 1 against the
    original; `before` and `after` are the model's probability of referable disease, None when it cannot grade."""

    jpeg: bytes
    side: int
    quality: int | None
    similarity: float
    encodes: int
    before: float | None
    after: float | None

    @property
    def kept(self) -> bool:
        return self.quality is None


def compress(original: bytes, max_bytes: int, probability: Callable[[Image.Image], float | None]) -> Compressed:
    """Brings a clean JPEG to at most `max_bytes`, and asks `probability` about it before and after.

    Raises TooMuchLost rather than going below the stated quality; OSError for what is no JPEG."""
    from PIL import Image

    with Image.open(io.BytesIO(original), formats=("JPEG",)) as opened:
        image = opened.convert("RGB")
    search = _Search(image, max_bytes)
    found = search.best()
    before = probability(image)
    fits = len(original) <= max_bytes
    kept = Compressed(original, max(image.size), None, 1.0, search.encodes, before, before)
    if fits and (found is None or len(found.jpeg) > WORTH * len(original)):
        return kept
    if found is None:
        raise TooMuchLost(f"more than {max_bytes} bytes at {LEAST_SIDE} pixels and quality {LOWEST}")
    with Image.open(io.BytesIO(found.jpeg)) as opened:
        small = opened.convert("RGB")
    alike = similarity(image, small)
    if alike < LEAST_SIMILARITY:
        if fits:
            return kept
        raise TooMuchLost(f"similarity {alike:.3f} in {max_bytes} bytes, at least {LEAST_SIMILARITY} is stated")
    return Compressed(found.jpeg, max(small.size), found.quality, alike, search.encodes, before, probability(small))


def similarity(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity (Wang et al. 2004) of two copies of one photograph, whatever their sizes: mean over the
    lit 8 × 8 windows of the green channel at CHECKED pixels; 1 for equal ones."""
    import numpy as np

    size = _size(one, min(CHECKED, max(one.size)))
    a, b = (_green(image, size) for image in (one, other))
    mean_a, mean_b = _windows(a), _windows(b)
    variance_a, variance_b = _windows(a * a) - mean_a**2, _windows(b * b) - mean_b**2
    covariance = _windows(a * b) - mean_a * mean_b
    light, contrast = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_a * mean_b + light) * (2 * covariance + contrast)
    alike /= (mean_a**2 + mean_b**2 + light) * (variance_a + variance_b + contrast)
    lit = np.maximum(mean_a, mean_b) > _DARK
    return float(alike[lit].mean()) if lit.any() else float(alike.mean())


@dataclass(frozen=True)
class _Candidate:
    jpeg: bytes
    quality: int


class _Search:
    """File sizes grow with scale and with quality, so both are found by bisection: at most nine encodings."""

    def __init__(self, image: Image.Image, max_bytes: int) -> None:
        self._image, self._max_bytes = image, max_bytes
        self._scaled = image
        self.encodes = 0

    def best(self) -> _Candidate | None:
        """The largest scale that fits at the wanted quality, then the highest quality that fits at this scale; None
        when nothing fits."""
        sides = _sides(max(self._image.size))
        fits = None
        low, high = 0, len(sides) - 1
        while low <= high:
            middle = (low + high) // 2
            found = self._encode(sides[middle], WANTED)
            if found is None:
                low = middle + 1
            else:
                fits, high = (sides[middle], found), middle - 1
        if fits is None:
            return self._highest(sides[-1], LOWEST, WANTED - 1, None)
        return self._highest(fits[0], WANTED + 1, HIGHEST, fits[1])

    def _highest(self, side: int, low: int, high: int, best: _Candidate | None) -> _Candidate | None:
        while low <= high:
            middle = (low + high) // 2
            found = self._encode(side, middle)
            if found is None:
                high = middle - 1
            else:
                best, low = found, middle + 1
        return best

    def _encode(self, side: int, quality: int) -> _Candidate | None:
        """The photograph at this scale and quality, if it is small enough."""
        from PIL import Image

        size = _size(self._image, side)
        if self._scaled.size != size:
            self._scaled = (
                self._image
                if size == self._image.size
                else self._image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
            )
        file = io.BytesIO()
        self._scaled.save(file, "JPEG", quality=quality, optimize=True, progressive=True, subsampling="4:2:0")
        self.encodes += 1
        return _Candidate(file.getvalue(), quality) if file.tell() <= self._max_bytes else None


def _sides(longest: int) -> list[int]:
    """The scales to choose from, largest first: longest sides in pixels."""
    least = min(LEAST_SIDE, longest)
    sides = [longest]
    while sides[-1] > least:
        sides.append(max(least, round(sides[-1] * _STEP)))
    return sides


def _size(image: Image.Image, side: int) -> tuple[int, int]:
    scale = side / max(image.size)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _green(image: Image.Image, size: tuple[int, int]) -> Greys:
    import numpy as np
    from PIL import Image

    small = image.getchannel("G").resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(small, dtype=np.float64)


def _windows(values: Greys) -> Greys:
    """The mean of every window, by sums from the corner."""
    import numpy as np

    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    n = _WINDOW
    return np.asarray((sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]) / n**2)
