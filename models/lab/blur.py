"""The blur of the contrast filter, in taps whose sums come out the same in whatever order they are added."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PARTS = 64
SHRUNK = 4  # the blur is made on a copy so many times smaller, of which each pixel is a mean of 16


def taps(size: int) -> NDArray[np.float32]:
    """A Gaussian of σ = size / 30 pixels, on the small copy, in 64ths; the middle takes what rounding leaves, so that
    they add up to 1.

    A pixel has 8 bits, the mean of 16 of them 4 more, and each of the two passes adds 6: the 24 bits that a float holds
    exactly. Runtimes add in different orders, and where sums are rounded they disagree in the last bit; one of 200,000
    inputs then falls to the other side of an int8 step, which fifty layers make 0.01 of a probability.
    """
    sigma = size / 30 / SHRUNK
    steps = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
    gaussian = np.exp(-(steps**2) / (2 * sigma**2))
    found = np.round(PARTS * gaussian / gaussian.sum())
    found[len(found) // 2] += PARTS - found.sum()
    return (found / PARTS).astype(np.float32)
