"""Take weights away, by magnitude.

    python -m models.lab.prune --kind channels --keep 0.7 --start R/full/last.pt --run narrow-start
    python -m models.lab.prune --kind sparse --start R/full/last.pt --run sparse \\
        --teachers R/teacher/last.pt

`channels` takes whole expanded channels away, so that the graph really shrinks; the result is a start for `distil`,
which heals it. `sparse` sets the smallest single weights to zero while it trains on, along the polynomial schedule of
Zhu and Gupta (2017): 30 % at first, 80 % in the end. A dense runtime gains nothing by those zeros: the report shows it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.prune import L1Unstructured

from models.lab import course, distil, net
from models.lab.net import Grader, Shape, narrow
from models.lab.settings import RUNS, read


@dataclass
class Settings(distil.Settings):
    kind: str = "channels"  # channels | sparse
    keep: float = 0.55  # channels: share of each block's expanded channels that stays
    multiple: int = 8  # channels: widths are multiples of it, as the convolution kernels like them
    first: float = 0.3  # sparse: share of zeros at the first step
    final: float = 0.8  # sparse: and from `settled` of the course on
    settled: float = 0.7
    every: int = 20  # sparse: steps between two prunings
    sizes: str = "6x256"


def sparsity_at(step: int, steps: int, settings: Settings) -> float:
    """Share of zeros after `step` of `steps`: s = final + (first − final) × (1 − t)³."""
    t = min(1.0, step / (settings.settled * steps))
    return settings.final + (settings.first - settings.final) * (1 - t) ** 3


def pointwise(grader: Grader) -> list[nn.Conv2d]:
    """The convolutions that hold nine in ten weights: those of one pixel, beyond the frozen blocks."""
    parts = [*grader.blocks[grader.frozen :], grader.head]
    convolutions = [module for part in parts for module in part.modules() if isinstance(module, nn.Conv2d)]
    return [one for one in convolutions if one.kernel_size == (1, 1)]


@torch.no_grad()
def zero(grader: Grader, share: float) -> None:
    """Set this share of each pointwise convolution's weights to zero, the smallest first."""
    for convolution in pointwise(grader):
        weight: Tensor = convolution.weight
        weight.mul_(L1Unstructured(share).compute_mask(weight, torch.ones_like(weight)))


def sparsity_of(grader: Grader) -> float:
    """Share of zeros among the pointwise weights."""
    weights = [convolution.weight for convolution in pointwise(grader)]
    return sum(int((w == 0).sum()) for w in weights) / sum(w.numel() for w in weights)


@torch.no_grad()
def weightiest(block: Any, count: int) -> Tensor:
    """The expanded channels of a block that carry most: how far each swings (its normalisation's weight) times how much
    of it the block passes on."""
    swing = block._bn1.weight.abs()
    passed = block._project_conv.weight[:, :, 0, 0].norm(dim=0)
    return (swing * passed).argsort(descending=True)[:count].sort().values


def channels(settings: Settings) -> Path:
    """Narrow every expanding block. Returns the checkpoint."""
    grader, size = net.load(Path(settings.start))
    widths = []
    for block in grader.blocks:
        if not hasattr(block, "_expand_conv"):
            widths.append(0)
            continue
        had = block._expand_conv.out_channels
        width = max(settings.multiple, round(settings.keep * had / settings.multiple) * settings.multiple)
        narrow(block, weightiest(block, min(width, had)))
        widths.append(min(width, had))
    before = sum(p.numel() for p in net.load(Path(settings.start))[0].parameters())
    grader.shape = Shape(grader.shape.backbone, grader.shape.blocks, grader.shape.head, tuple(widths))
    run = RUNS / settings.programme / settings.run
    run.mkdir(parents=True, exist_ok=True)
    net.save(run / "last.pt", grader, size)
    found = {"weights_before": before, "weights": sum(p.numel() for p in grader.parameters()), "widths": widths}
    (run / "metrics.json").write_text(json.dumps(found, indent=1))
    return run / "last.pt"


def sparse(settings: Settings) -> Path:
    """Train on while weights go to zero. Returns the checkpoint."""

    def after_step(step: int, steps: int, grader: Grader) -> None:
        share = sparsity_at(step, steps, settings)
        if step % settings.every == 0 or step >= steps:
            zero(grader, share)

    run = RUNS / settings.programme / settings.run
    loss, learn, extra, answer = distil.lessons(settings)
    last = course.fit(distil.student(settings), settings, run, loss, learn, extra, after_step, answer)
    grader, size = net.load(last)
    grader.freeze(settings.freeze)
    zero(grader, settings.final)  # the average still remembers what was set to zero
    course.settle(grader, size, learn, settings)
    net.save(last, grader, size)
    (run / "sparsity.json").write_text(json.dumps({"sparsity": round(sparsity_of(grader), 4)}))
    return last


def main(settings: Settings) -> Path:
    """Prune as `kind` says. Raises ValueError for a kind that there is not."""
    if settings.kind not in ("channels", "sparse"):
        raise ValueError(f"--kind is channels or sparse, not {settings.kind}")
    return channels(settings) if settings.kind == "channels" else sparse(settings)


if __name__ == "__main__":
    main(read(Settings))
