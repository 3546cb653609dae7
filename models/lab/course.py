"""The training loop that all steps share: augmented batches, one-cycle AdamW, averaged weights, a checkpoint an epoch.

The same call continues from its last checkpoint. Weights are averaged over the steps (exponential moving average), and
it is the average that is validated, saved and exported.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from models.lab import data, net
from models.lab.net import Grader
from models.lab.programme import Pixels, named
from models.lab.wear import turned

Loss = Callable[[Tensor, Tensor], Tensor]
Answer = Callable[[Pixels, int], NDArray[np.float32]]

FILTERED = "dr_pretrain"  # its photographs come contrast-filtered and squeezed


@dataclass
class Course:
    """Settings that every training step has."""

    programme: str = "dr"
    run: str = ""  # name of the folder under runs/<programme>/
    folder: str = ""  # folder of photographs under ../shared/data, or a path; the programme's own by default
    mix: int = 0  # of each batch, how many pictures come from dr_pretrain (APTOS, already contrast-filtered)
    share: float = 1.0  # of the photographs to learn from, for a learning curve
    sizes: str = "8x256"  # epochs × size in pixels, in order, such as 4x192,8x256
    batch: int = 16
    blend: float = 0.0  # share of the pictures with another one laid over them (mixup; Zhang et al. 2018)
    rate: float = 6e-4  # peak, backbone; the head learns `head_rate` times as fast
    head_rate: float = 4.0
    decay: float = 0.02
    average: float = 0.995  # of the moving average, a step
    freeze: int = 3  # first blocks kept as they are
    side: int = 320  # squares kept in memory
    seed: int = 1
    threads: int = 2


class Average:
    """Exponential moving average of all weights and batch statistics."""

    def __init__(self, grader: Grader, decay: float) -> None:
        self.net, self.decay, self.steps = copy.deepcopy(grader).eval(), decay, 0

    @torch.no_grad()
    def update(self, grader: Grader) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for mine, its in zip(self.net.state_dict().values(), grader.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(its, 1 - decay)
            else:
                mine.copy_(its)


@torch.no_grad()
def predict(grader: nn.Module, pixels: Pixels, batch: int = 16, filtered: bool = False) -> NDArray[np.float32]:
    """Logits [n, k] of squares that already have the network's size."""
    grader.eval()
    parts = []
    for at in range(0, len(pixels), batch):
        some = torch.from_numpy(np.ascontiguousarray(pixels[at : at + batch]))
        parts.append(grader(some, len(some) if filtered else 0).numpy())
    return np.concatenate(parts)


def plan_of(sizes: str) -> list[int]:
    """The picture size of each epoch: `2x192,1x256` is [192, 192, 256]."""
    parts = [part.split("x") for part in sizes.split(",")]
    return [int(size) for count, size in parts for _ in range(int(count))]


def fit(
    grader: Grader,
    course: Course,
    run: Path,
    loss_of: Loss,
    learn: data.Split,
    extra: data.Split | None = None,
    after_step: Callable[[int, int, Grader], None] | None = None,
    answer: Answer | None = None,
) -> Path:
    """Train, or go on training. `extra` holds filtered pictures of which each batch takes `course.mix`; `after_step` is
    called with the steps done, the steps of the course and the network. What `answer` says to a batch (pixels, and how
    many at the end are filtered) is put behind its targets. Returns the last checkpoint."""
    torch.set_num_threads(course.threads)
    torch.manual_seed(course.seed)
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.json").write_text(json.dumps(asdict(course), indent=1))
    plan, own, head = plan_of(course.sizes), course.batch - course.mix, grader.programme.head
    filtered_only = own == 0
    check = {size: load(course, "val", size) for size in sorted(set(plan))}
    each = (len(extra) if filtered_only and extra else len(learn)) // (own or course.batch)
    steps = each * len(plan)
    print(f"{run.name}: {len(learn)} to learn from, {len(check[plan[0]])} to validate on, {steps} steps", flush=True)

    grader.freeze(course.freeze)
    grader = grader.to(memory_format=torch.channels_last)  # four times as fast on a CPU
    average = Average(grader, course.average)
    parameters = list(grader.named_parameters())
    new = [p for name, p in parameters if name.startswith(("head", "out"))]
    old = [p for name, p in parameters if not name.startswith(("head", "out"))]
    optimiser = torch.optim.AdamW([{"params": old}, {"params": new}], lr=course.rate, weight_decay=course.decay)
    peaks = [course.rate, course.rate * course.head_rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=steps, pct_start=0.25)
    resume, last = run / "resume.pt", run / "last.pt"
    done, log = 0, []
    if resume.exists():
        state = torch.load(resume, weights_only=False)
        grader.load_state_dict(state["net"])
        average.net.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        average.steps, done, log = state["steps"], state["epoch"], state["log"]

    for epoch in range(done, len(plan)):
        size, began = plan[epoch], time.time()
        rng = np.random.default_rng((course.seed, epoch))
        for part in (grader, average.net):
            part.resize(size)
        grader.train()
        losses = []
        for pixels, targets, filtered in mixed(learn, extra, size, course, rng):
            if answer is not None:
                targets = np.concatenate([targets, answer(pixels, filtered)], axis=1)
            loss = loss_of(grader(torch.from_numpy(pixels), filtered), torch.from_numpy(targets))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(grader.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            if after_step is not None:
                after_step(average.steps + 1, steps, grader)
            average.update(grader)
            losses.append(loss.item())
        score = head.score(check[size].targets, predict(average.net, check[size].pixels, filtered=filtered_only))
        log.append(
            {
                "epoch": epoch + 1,
                "size": size,
                "loss": round(float(np.mean(losses)), 4),
                head.metric: round(score, 4),
                "seconds": round(time.time() - began),
            }
        )
        print(json.dumps(log[-1]), flush=True)
        state = {
            "net": grader.state_dict(),
            "average": average.net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "steps": average.steps,
            "epoch": epoch + 1,
            "log": log,
        }
        torch.save(state, resume.with_suffix(".writing"))
        resume.with_suffix(".writing").replace(resume)
        net.save(last, average.net, size)
        (run / "metrics.json").write_text(json.dumps(log, indent=1))
    return last


def settle(grader: Grader, size: int, learn: data.Split, course: Course) -> None:
    """Measure anew what the normalisations expect: their running statistics are those of the weights that were."""
    rng = np.random.default_rng(course.seed)
    batches = data.batches(learn, size, course.batch, rng, grader.programme.augment)
    grader.resize(size)
    frozen = grader.frozen
    grader.freeze(0)
    update_bn((torch.from_numpy(pixels) for pixels, _ in batches), grader)
    grader.freeze(frozen)
    grader.eval()


def load(course: Course, split: str, side: int = 0) -> data.Split:
    """A split of the course's own folder. What EyeQ calls ungradable is left out of `train`, and the programme's
    strangers are added to it."""
    programme, side = named(course.programme), side or course.side
    folder = data.folder_of(programme, course.folder)
    if split != "train":
        return data.load(programme, folder, split, side, crop=folder.name != FILTERED)
    found = data.load(programme, folder, split, side, drop_rejects=True, crop=folder.name != FILTERED)
    found = found.some(course.share) if course.share < 1 else found
    return data.joined(found, data.strange(programme, split, side)) if programme.strangers else found


def filtered(course: Course) -> data.Split | None:
    """The contrast-filtered photographs to mix with the course's own, if it wants any."""
    if not course.mix:
        return None
    return data.load(named(course.programme), data.shared() / FILTERED, "train", 224, crop=False)


def mixed(
    learn: data.Split, extra: data.Split | None, size: int, course: Course, rng: np.random.Generator
) -> Iterator[tuple[Pixels, NDArray[np.float32], int]]:
    """Batches of pixels, targets and how many at the end are contrast-filtered already."""
    own, mix = course.batch - course.mix, course.mix
    ours = data.batches(learn, size, own, rng, named(course.programme).augment, course.blend)
    only_turned = partial(turned, edge=128)  # their light is gone: the filter has taken it
    others = data.batches(extra, size, mix, rng, only_turned) if extra is not None and mix else None
    if others is None:
        for pixels, targets in ours:
            yield pixels, targets, 0
    elif not own:
        for pixels, targets in others:
            yield pixels, targets, mix
    else:
        for (pixels, targets), (more, their) in zip(ours, others, strict=False):
            yield np.concatenate([pixels, more]), np.concatenate([targets, their]), mix
