"""Average the weights of networks that came from one start (WiSE-FT; Wortsman et al. 2022).

    python -m models.lab.average --of R/full-tune2/last.pt,R/full-taught/last.pt --run full

A network and its pupil err differently and lie in one valley: their mean answers like both, at the cost of one, once
its normalisations have been measured anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from models.lab import course, net
from models.lab.course import Course
from models.lab.settings import RUNS, read


@dataclass
class Settings(Course):
    of: str = ""  # checkpoints of one shape, with commas between; one alone only has its normalisations measured


def average(settings: Settings) -> Path:
    """Writes the mean network. Returns its checkpoint. Raises ValueError for none, or for several shapes."""
    loaded = [net.load(Path(path)) for path in settings.of.split(",") if path]
    if len({grader.shape for grader, _ in loaded}) != 1:
        raise ValueError("--of needs checkpoints of one shape")
    grader, size = loaded[0]
    states = [each.state_dict() for each, _ in loaded]
    grader.load_state_dict(
        {
            name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
            for name, value in states[0].items()
        }
    )
    torch.set_num_threads(settings.threads)
    course.settle(grader.to(memory_format=torch.channels_last), size, course.load(settings, "train"), settings)
    path = RUNS / settings.programme / settings.run / "last.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    net.save(path, grader, size)
    return path


if __name__ == "__main__":
    print(average(read(Settings)))
