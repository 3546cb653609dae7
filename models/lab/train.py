"""Train the grader: `pretrain` on filtered photographs at 160 px, then `tune` on colour, small pictures first.

    python -m models.lab.train --stage pretrain
    python -m models.lab.train --stage tune --start models/lab/runs/pretrain/last.pt

A checkpoint is written after every epoch; the same command continues from it. Weights are averaged over the steps
(exponential moving average) and it is the average that is validated, kept and exported.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.lab import data
from models.lab.net import REFERABLE, Grader
from models.lab.settings import RUNS, read
from services.inference.evaluate import auc


@dataclass
class Settings:
    stage: str = "tune"  # pretrain | tune
    run: str = ""  # name of the folder under runs/; the stage's name by default
    start: str = ""  # checkpoint to take the weights from
    folder: str = ""  # folder of photographs; the stage's own by default
    sizes: str = ""  # epochs × size in pixels, in order, such as 4x192,8x256
    batch: int = 16
    rate: float = 6e-4  # peak, backbone; the new head learns `head_rate` times as fast
    head_rate: float = 4.0
    decay: float = 0.02
    average: float = 0.995  # of the moving average, a step
    freeze: int = 3  # first blocks kept as they are while tuning
    head: int = 640
    side: int = 320  # squares kept in memory
    seed: int = 1
    threads: int = 2


STAGES: dict[str, dict[str, Any]] = {
    "pretrain": {"folder": "dr_pretrain", "sizes": "3x160", "side": 224, "freeze": 0},
    "tune": {"folder": "dr", "sizes": "4x192,8x256,8x320"},
}


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy over the known targets; referable counts twice, oedema half."""
    weights = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.5]) * (~targets.isnan())
    each = functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (each * weights).sum() / weights.sum()


class Average:
    """Exponential moving average of all weights and batch statistics."""

    def __init__(self, net: Grader, decay: float) -> None:
        self.net, self.decay, self.steps = copy.deepcopy(net).eval(), decay, 0

    @torch.no_grad()
    def update(self, net: Grader) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for mine, its in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(its, 1 - decay)
            else:
                mine.copy_(its)


@torch.no_grad()
def predict(net: nn.Module, pixels: data.Pixels, batch: int = 16) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits [n, 5] of squares that already have the network's size."""
    net.eval()
    parts = [net(torch.from_numpy(pixels[at : at + batch])).numpy() for at in range(0, len(pixels), batch)]
    return np.concatenate(parts)


def train(settings: Settings) -> Path:
    """Run the stage, or what is left of it. Returns the last checkpoint."""
    for name, value in STAGES[settings.stage].items():
        if getattr(settings, name) == getattr(Settings(), name):
            setattr(settings, name, value)
    torch.set_num_threads(settings.threads)
    filtered = settings.stage == "pretrain"
    folder = Path(settings.folder) if "/" in settings.folder else data.shared() / settings.folder
    run = RUNS / (settings.run or settings.stage)
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    plan = [int(size) for part in settings.sizes.split(",") for size in [part.split("x")[1]] * int(part.split("x")[0])]
    learn = data.load(folder, "train", settings.side, drop_rejects=not filtered, crop=not filtered)
    check = {size: data.load(folder, "val", size, crop=not filtered) for size in sorted(set(plan))}
    steps = len(plan) * (len(learn) // settings.batch)
    print(f"{len(learn)} to learn from, {len(check[plan[0]])} to validate on, {steps} steps", flush=True)

    torch.manual_seed(settings.seed)
    net = Grader(plan[0], settings.head)
    if settings.start:
        net.load_state_dict(torch.load(settings.start, weights_only=False)["average"])
    net.freeze(settings.freeze)
    net = net.to(memory_format=torch.channels_last)  # four times as fast on a CPU
    average = Average(net, settings.average)
    new = [p for name, p in net.named_parameters() if name.startswith(("head", "out"))]
    old = [p for name, p in net.named_parameters() if not name.startswith(("head", "out"))]
    optimiser = torch.optim.AdamW([{"params": old}, {"params": new}], lr=settings.rate, weight_decay=settings.decay)
    peaks = [settings.rate, settings.rate * settings.head_rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=steps, pct_start=0.25)
    done, log = 0, []
    last = run / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=False)
        net.load_state_dict(state["net"])
        average.net.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        average.steps, done, log = state["steps"], state["epoch"], state["log"]

    for epoch in range(done, len(plan)):
        size, began = plan[epoch], time.time()
        rng = np.random.default_rng((settings.seed, epoch))
        for part in (net, average.net):
            part.resize(size, filtered)
        net.train()
        total, count = 0.0, 0
        for pixels, targets in data.batches(learn, size, settings.batch, rng, photometric=not filtered):
            loss = loss_of(net(torch.from_numpy(pixels)), torch.from_numpy(targets))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            average.update(net)
            total, count = total + loss.item(), count + 1
        logits = predict(average.net, check[size].pixels)[:, REFERABLE]
        score = auc(check[size].grade >= 2, logits)
        log.append(
            {
                "epoch": epoch + 1,
                "size": size,
                "loss": round(total / count, 4),
                "val_auc": round(score, 4),
                "seconds": round(time.time() - began),
            }
        )
        print(json.dumps(log[-1]), flush=True)
        state = {
            "net": net.state_dict(),
            "average": average.net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "steps": average.steps,
            "epoch": epoch + 1,
            "log": log,
            "size": size,
            "head": settings.head,
        }
        torch.save(state, run / "writing.pt")
        (run / "writing.pt").replace(last)
        torch.save(
            {"average": state["average"], "size": size, "head": settings.head}, run / f"epoch-{epoch + 1:02d}.pt"
        )
        (run / "metrics.json").write_text(json.dumps(log, indent=1))
    return last


if __name__ == "__main__":
    train(read(Settings))
