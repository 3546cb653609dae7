"""Teach a small network with a large one: soft targets of the teachers beside the labels (Hinton, Vinyals, Dean 2015).

    python -m models.lab.distil --shape light --run light --start R/full/last.pt \\
        --teachers R/teacher/last.pt

The loss is α × T² × KL(teacher ‖ student, both at temperature T) + (1 − α) × that of the labels. `--alpha 0` is the
same student on the same budget without a teacher. Several teachers are averaged. They look at the very pictures that
the student sees, turned, worn and half of them laid over one another: to the photographs themselves a teacher only
repeats the labels it has learnt (Beyer et al. 2022, "A good teacher is patient and consistent").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.lab import course, data, net
from models.lab.course import Course
from models.lab.head import Head
from models.lab.net import SHAPES, Grader
from models.lab.programme import Pixels, named
from models.lab.settings import RUNS, read


@dataclass
class Settings(Course):
    mix: int = 0
    blend: float = 0.5
    freeze: int = 2
    rate: float = 4e-4
    shape: str = ""  # see net.SHAPES; that of `start` by default
    start: str = ""  # network whose weights the student inherits as far as they fit; ImageNet's by default
    teachers: str = ""  # networks, with commas between
    temperature: float = 4.0
    alpha: float = 0.7


def loss_of(logits: Tensor, targets: Tensor, head: Head, temperature: float, alpha: float) -> Tensor:
    """`targets` [n, 2k]: labels, then the teachers' logits."""
    hard = head.loss(logits, targets[:, : head.logits])
    if not alpha:
        return hard
    soft = head.divergence(logits / temperature, targets[:, head.logits :] / temperature)
    return alpha * temperature**2 * soft + (1 - alpha) * hard


def answers(teachers: list[Path]) -> course.Answer:
    """What the teachers say of a batch on average: logits [n, k]."""
    known = [net.load(path) for path in teachers]

    def answer(pixels: Pixels, filtered: int) -> NDArray[np.float32]:
        said = []
        for teacher, size in known:
            seen = torch.from_numpy(np.stack([data.resized(one, size) for one in pixels]))
            with torch.no_grad():
                said.append(teacher(seen, filtered).numpy())
        return np.asarray(np.mean(said, axis=0))

    for teacher, _ in known:
        teacher.to(memory_format=torch.channels_last)
    return answer


def student(settings: Settings) -> Grader:
    """The network to be taught, with what fits of `start`."""
    size, programme = course.plan_of(settings.sizes)[0], named(settings.programme)
    if not settings.start:
        return Grader(size, SHAPES[settings.shape], programme)
    if not settings.shape:
        return net.load(Path(settings.start), size)[0]
    grader = Grader(size, SHAPES[settings.shape], programme)
    own, given = grader.state_dict(), torch.load(settings.start, weights_only=False)["weights"]
    grader.load_state_dict(
        own | {name: given[name] for name in own if name in given and given[name].shape == own[name].shape}
    )
    return grader


def lessons(settings: Settings) -> tuple[course.Loss, data.Split, data.Split | None, course.Answer | None]:
    """How the student is marked, and what it learns from: the course's own photographs, the filtered ones to mix with
    them, and its teachers. Raises ValueError without teachers, unless `alpha` says that there shall be none."""
    teachers = [Path(path) for path in settings.teachers.split(",") if path]
    if settings.alpha and not teachers:
        raise ValueError("--teachers are needed, or --alpha 0 to learn from the labels alone")
    return (
        partial(loss_of, head=named(settings.programme).head, temperature=settings.temperature, alpha=settings.alpha),
        course.load(settings, "train"),
        course.filtered(settings),
        answers(teachers) if settings.alpha else None,
    )


def distil(settings: Settings) -> Path:
    """Teach, or go on teaching. Returns the last checkpoint."""
    loss, learn, extra, answer = lessons(settings)
    return course.fit(
        student(settings), settings, RUNS / settings.programme / settings.run, loss, learn, extra, answer=answer
    )


if __name__ == "__main__":
    distil(read(Settings))
