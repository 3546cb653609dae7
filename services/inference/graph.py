"""One verified ONNX file in use: logits over mirrored views, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.inference.manifest import ModelError, Tier
from services.inference.preprocess import Pixels
from services.inference.session import open_session, verified_bytes

Floats = NDArray[np.float32]

MAP = "map"  # name of a graph's optional output [1, h, w], or [1, k, h, w] for k classes
# As it is, left-right, up-down, both; each undoes itself.
FLIPS = ((slice(None),), (slice(None), slice(None, None, -1)), (slice(None, None, -1),), (slice(None, None, -1),) * 2)


@dataclass(frozen=True)
class ModelIdentity:
    """Which model spoke and by which frozen limits, to be stored with each result."""

    name: str
    version: str
    sha256: str
    threshold: float
    doubt: float
    oedema_threshold: float | None = None


class Graph:
    """A tier's file, whose hash is checked, in a session of one thread. Not to be shared between threads.

    Raises ModelError for a file that is not the manifest's, or has not so many logits that it has those `asked` for, by
    their places."""

    def __init__(self, tier: Tier, asked: Sequence[int]) -> None:
        self._views = tier.views
        self._session = _open(tier, asked)
        self._input: str = self._session.get_inputs()[0].name
        outputs = [output.name for output in self._session.get_outputs()]
        self._logits: str = next(name for name in outputs if name != MAP)
        self.has_map = MAP in outputs

    def logits(self, pixels: Pixels, views: int | None = None) -> Floats:
        """Every logit of the graph for a square [size, size, 3] from `preprocess.square`, averaged over mirrored views
        (the tier's)."""
        runs = [self._run(self._logits, pixels[flip]).ravel() for flip in FLIPS[: views or self._views]]
        return np.asarray(np.mean(runs, axis=0), dtype=np.float32)

    def class_map(self, pixels: Pixels, place: int | None = None) -> Floats:
        """The class-activation map [h, w] of a square, averaged like the logits: of the graph's only one, or of the
        class at a `place`; its mean and a constant make the logit. Only for graphs with `has_map`."""
        runs = [self._run(MAP, pixels[flip])[0] for flip in FLIPS[: self._views]]
        maps = [(run if place is None else run[place])[flip] for run, flip in zip(runs, FLIPS, strict=False)]
        return np.asarray(np.mean(maps, axis=0), dtype=np.float32)

    def _run(self, output: str, pixels: Pixels) -> Floats:
        fed = {self._input: np.ascontiguousarray(pixels[None])}
        return np.asarray(self._session.run([output], fed)[0], dtype=np.float32)


def _open(tier: Tier, asked: Sequence[int]) -> onnxruntime.InferenceSession:
    content = verified_bytes(tier.file, tier.sha256)
    try:
        session = open_session(content, accelerators=True)
        shape = session.get_inputs()[0].shape
        logits = next(output for output in session.get_outputs() if output.name != MAP).shape[-1]
    except Exception as error:  # onnxruntime raises its own unrelated types for every kind of bad graph
        raise ModelError(f"{tier.file.name}: {error}") from error
    if list(shape) != [1, tier.size, tier.size, 3]:
        raise ModelError(f"{tier.file.name}: reads {shape}, the manifest says a square of {tier.size}")
    if isinstance(logits, int) and max(asked) >= logits:
        raise ModelError(f"{tier.file.name}: has {logits} outputs, the manifest asks for number {max(asked)} from 0")
    return session
