"""Teach a small network with a large one: soft targets of the teachers beside the labels (Hinton, Vinyals, Dean 2015).

    python -m models.lab.distil --shape light --run light --start models/lab/runs/full/last.pt \\
        --teachers models/lab/runs/teacher/last.pt

The loss is α × T² × KL(teacher ‖ student, both at temperature T) + (1 − α) × that of the labels. `--alpha 0` is the
same student on the same budget without a teacher. Several teachers are averaged, each over four mirrored views, once:
the student sees worn copies of the pictures and has to answer as the teachers do to good ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.lab import course, data, net, train
from models.lab.course import Course
from models.lab.net import LOGITS, SHAPES, Grader
from models.lab.settings import RUNS, read
from services.inference.engine import FLIPS


@dataclass
class Settings(Course):
    mix: int = 4
    freeze: int = 2
    rate: float = 4e-4
    shape: str = ""  # see net.SHAPES; that of `start` by default
    start: str = ""  # network whose weights the student inherits as far as they fit; ImageNet's by default
    teachers: str = ""  # networks, with commas between
    temperature: float = 4.0
    alpha: float = 0.7


def loss_of(logits: Tensor, targets: Tensor, temperature: float, alpha: float) -> Tensor:
    """`targets` [n, 10]: labels, then the teachers' logits. Every output is a yes-or-no of its own, so the divergence
    is between Bernoulli distributions."""
    hard = train.loss_of(logits, targets)
    if not alpha:
        return hard
    taught, learnt = targets[:, LOGITS:] / temperature, logits / temperature
    entropy = functional.binary_cross_entropy_with_logits(taught, taught.sigmoid(), reduction="none")
    crossed = functional.binary_cross_entropy_with_logits(learnt, taught.sigmoid(), reduction="none")
    weights = torch.tensor(train.WEIGHTS) / sum(train.WEIGHTS)
    soft = ((crossed - entropy) * weights).sum(dim=1).mean()
    return alpha * temperature**2 * soft + (1 - alpha) * hard


def taught(split: data.Split, teachers: list[Path], cache: Path, filtered: bool = False) -> data.Split:
    """The split with the teachers' mean logits; kept in `cache`, since they cost minutes."""
    if cache.exists():
        split.soft = np.load(cache)
        return split
    total = np.zeros((len(split), LOGITS), dtype=np.float64)
    for path in teachers:
        teacher, size = net.load(path)
        teacher = teacher.to(memory_format=torch.channels_last)
        pixels = np.stack([data.resized(one, size) for one in split.pixels])
        total += views(teacher, pixels, filtered)
    split.soft = (total / len(teachers)).astype(np.float32)
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, split.soft)
    return split


def views(grader: Grader, pixels: data.Pixels, filtered: bool = False) -> NDArray[np.float32]:
    """Mean logits [n, 5] over the square, its two mirrors and its half turn."""
    views_ = data.mirrored(pixels, len(FLIPS))
    return np.asarray(np.mean([course.predict(grader, view, filtered=filtered) for view in views_], axis=0))


def student(settings: Settings) -> Grader:
    """The network to be taught, with what fits of `start`."""
    size = course.plan_of(settings.sizes)[0]
    if not settings.start:
        return Grader(size, SHAPES[settings.shape])
    if not settings.shape:
        return net.load(Path(settings.start), size)[0]
    grader = Grader(size, SHAPES[settings.shape])
    own, given = grader.state_dict(), torch.load(settings.start, weights_only=False)["weights"]
    grader.load_state_dict(
        own | {name: given[name] for name in own if name in given and given[name].shape == own[name].shape}
    )
    return grader


def lessons(settings: Settings) -> tuple[data.Split, data.Split | None]:
    """What there is to learn from, with what the teachers say of it if there are any: the course's own photographs, and
    the filtered ones to mix with them."""
    learn = course.load(settings, "train")
    extra = data.load(data.shared() / "dr_pretrain", "train", 224, crop=False) if settings.mix else None
    teachers = [Path(path) for path in settings.teachers.split(",") if path]
    if teachers:
        kept = RUNS / "cache" / f"taught-{'-'.join(path.parent.name for path in teachers)}"
        learn = taught(learn, teachers, kept.with_name(f"{kept.name}-{len(learn)}.npy"))
        extra = extra and taught(extra, teachers, kept.with_name(f"{kept.name}-{len(extra)}.npy"), filtered=True)
    return learn, extra


def distil(settings: Settings) -> Path:
    """Teach, or go on teaching. Returns the last checkpoint."""
    if settings.alpha and not settings.teachers:
        raise ValueError("--teachers are needed, or --alpha 0 to learn from the labels alone")
    torch.set_num_threads(settings.threads)
    learn, extra = lessons(settings)
    loss = partial(loss_of, temperature=settings.temperature, alpha=settings.alpha)
    return course.fit(student(settings), settings, RUNS / settings.run, loss, learn, extra)


if __name__ == "__main__":
    distil(read(Settings))
