"""Train a network from labels alone: for dr first `pretrain` on filtered photographs, then `tune` on colour.

python -m models.lab.train --stage pretrain --shape teacher --run teacher-pretrain
python -m models.lab.train --stage tune --shape teacher --run teacher --start R/teacher-pretrain/last.pt
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from models.lab import course
from models.lab.course import Course
from models.lab.net import SHAPES, Grader
from models.lab.programme import named
from models.lab.settings import RUNS, read


@dataclass
class Settings(Course):
    mix: int = 4
    sizes: str = "4x192,10x256"
    stage: str = "tune"  # one of the programme's: pretrain | tune
    shape: str = "teacher"  # see net.SHAPES
    start: str = ""  # network to take the weights from; ImageNet's by default


def train(settings: Settings) -> Path:
    """Run the stage, or what is left of it. Returns the last checkpoint. Raises ValueError for a stage or programme
    that there is not."""
    programme = named(settings.programme)
    if settings.stage not in programme.stages:
        raise ValueError(f"unknown stage {settings.stage}; {programme.name} has {', '.join(programme.stages)}")
    for name, value in programme.stages[settings.stage].items():
        if getattr(settings, name) == getattr(Settings(), name):
            setattr(settings, name, value)
    grader = Grader(course.plan_of(settings.sizes)[0], SHAPES[settings.shape], programme)
    if settings.start:
        grader.load_state_dict(torch.load(settings.start, weights_only=False)["weights"])
    learn = course.load(settings, "train")
    run = RUNS / programme.name / (settings.run or settings.stage)
    return course.fit(grader, settings, run, programme.head.loss, learn, course.filtered(settings))


if __name__ == "__main__":
    train(read(Settings))
