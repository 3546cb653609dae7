"""Train a network from labels alone: first `pretrain` on filtered photographs, then `tune` on colour.

python -m models.lab.train --stage pretrain --shape teacher --run teacher-pretrain
python -m models.lab.train --stage tune --shape teacher --run teacher --start models/lab/runs/teacher-pretrain/last.pt
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.lab import course, data
from models.lab.course import Course
from models.lab.net import LOGITS, SHAPES, Grader
from models.lab.settings import RUNS, read


@dataclass
class Settings(Course):
    mix: int = 4
    sizes: str = "4x192,10x256"
    stage: str = "tune"  # pretrain | tune
    shape: str = "teacher"  # see net.SHAPES
    start: str = ""  # network to take the weights from; ImageNet's by default


STAGES: dict[str, dict[str, Any]] = {
    "pretrain": {"folder": "dr_pretrain", "mix": 16, "sizes": "2x160", "side": 224, "freeze": 0},
    "tune": {},
}


# Of the logits in the loss: referable counts twice, oedema, known of few, half.
WEIGHTS = (1.0, 2.0, 1.0, 1.0, 0.5)


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Weighted binary cross-entropy over the known targets."""
    targets = targets[:, :LOGITS]
    weights = torch.tensor(WEIGHTS) * (~targets.isnan())
    each = functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (each * weights).sum() / weights.sum()


def train(settings: Settings) -> Path:
    """Run the stage, or what is left of it. Returns the last checkpoint."""
    for name, value in STAGES[settings.stage].items():
        if getattr(settings, name) == getattr(Settings(), name):
            setattr(settings, name, value)
    grader = Grader(course.plan_of(settings.sizes)[0], SHAPES[settings.shape])
    if settings.start:
        grader.load_state_dict(torch.load(settings.start, weights_only=False)["weights"])
    learn = course.load(settings, "train")
    extra = data.load(data.shared() / "dr_pretrain", "train", 224, crop=False) if settings.mix else None
    return course.fit(grader, settings, RUNS / (settings.run or settings.stage), loss_of, learn, extra)


if __name__ == "__main__":
    train(read(Settings))
