"""Which of a closed set of sentences is in a recording: cepstra and dynamic time warping, with numpy alone.

No language model and no training: a template of each candidate, spoken by somebody else, is stretched along the
recording, and the nearest wins. Sakoe and Chiba, IEEE Trans. ASSP 26 (1978), with their slope limits of 1/2 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]  # shape (frames, coefficients)

FRAME_S, HOP_S = 0.032, 0.016
_MELS, _CEPSTRA = 26, 12
# What a telephone carries.
_LOW_HZ, _HIGH_HZ = 150.0, 3600.0
_FLOOR = 1e-5  # of the loudest: what lies deeper is noise of the coding


def features(samples: NDArray[np.floating] | NDArray[np.int16], rate: int) -> Features:
    """Cepstra of the mel spectrum, the loudness first, less their mean over the speech, which is what the speaker and
    the line add to every frame. Raises ValueError for less than one frame."""
    log_mel = _log_mel(np.asarray(samples, np.float32), rate)
    steps = (np.arange(_MELS) + 0.5) * np.pi / _MELS
    cepstra = log_mel @ np.cos(np.outer(steps, np.arange(_CEPSTRA + 1)))
    loudness = log_mel.mean(axis=1)
    spoken = loudness >= loudness.min() + 0.3 * (loudness.max() - loudness.min())
    return np.asarray(cepstra - cepstra[spoken].mean(axis=0), np.float32)


def distance(template: Features, recording: Features) -> float:
    """How far the template is from the part of the recording that it fits best, a frame; infinite if too short."""
    local = _local(template, recording)
    rows, columns = local.shape
    blank = np.full(columns + 2, np.inf, np.float32)
    # Two columns of infinity stand before the first frame. Each step is (template, recording) frames; a template frame
    # counts once whichever way it is passed, so that sentences of different length compare.
    before, previous = blank, blank.copy()
    previous[2:] = local[0]
    for row in range(1, rows):
        here = blank.copy()
        here[2:] = local[row]
        halved = (here + np.concatenate([blank[:1], here[:-1]])) / 2
        ways = np.full((3, columns + 2), np.inf, np.float32)
        ways[0, 1:] = previous[:-1] + here[1:]
        ways[1, 2:] = previous[:-2] + halved[2:]
        if row > 1:
            ways[2, 1:] = before[:-1] + (here + np.concatenate([blank[:2], local[row - 1]]))[1:]
        before, previous = previous, ways.min(axis=0)
    return float(previous.min() / rows)


def nearest(candidates: Mapping[str, Features], recording: Features) -> list[tuple[str, float]]:
    """Every candidate and its distance, the best first."""
    found = [(name, distance(template, recording)) for name, template in candidates.items()]
    return sorted(found, key=lambda pair: pair[1])


def apart(one: Features, other: Features) -> float:
    """How far two whole recordings are from each other, a frame, one stretched along the other."""
    local = _local(one, other)
    rows, columns = local.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    for row in range(rows):
        for column in range(columns):
            least = min(total[row, column] + local[row, column], total[row, column + 1], total[row + 1, column])
            total[row + 1, column + 1] = least + local[row, column]
    return float(total[rows, columns] / (rows + columns))


def speech(samples: NDArray[np.floating] | NDArray[np.int16], rate: int) -> NDArray[np.float32]:
    """The recording without the silence at both ends."""
    sound = np.asarray(samples, np.float32)
    frame = int(FRAME_S * rate)
    power = np.array([np.mean(np.square(sound[start : start + frame])) for start in range(0, len(sound), frame)])
    loud = np.flatnonzero(power > power.max() * 1e-3)
    return sound[loud[0] * frame : (loud[-1] + 1) * frame]


def _local(one: Features, other: Features) -> NDArray[np.float32]:
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.sqrt(squares.clip(0)), np.float32)


def _log_mel(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    length, hop = int(FRAME_S * rate), int(HOP_S * rate)
    if len(sound) < length:
        raise ValueError("there is nothing to hear")
    frames = np.lib.stride_tricks.sliding_window_view(sound, length)[::hop]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(length), axis=1)))
    mel = power @ _filters(length, rate).T
    return np.asarray(np.log(mel.clip(mel.max() * _FLOOR)), np.float32)


def _filters(length: int, rate: int) -> NDArray[np.float64]:
    """Triangles on the mel scale, shape (mels, bins)."""
    low, high = (1127 * math.log1p(hertz / 700) for hertz in (_LOW_HZ, _HIGH_HZ))
    edges = 700 * np.expm1(np.linspace(low, high, _MELS + 2) / 1127)
    bins = np.fft.rfftfreq(length, 1 / rate)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.minimum(rise, fall).clip(0))
