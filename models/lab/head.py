"""What a network says: grades that include one another, or one class of several. Each knows its labels, its loss, how a
teacher corrects it, and the one figure that tells on val whether it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from services.inference.evaluate import auc

Floats = NDArray[np.floating[Any]]

REFERABLE, OEDEMA = 1, 4  # the logits of grade >= 2 and of macular oedema


class Head(Protocol):
    """`logits` outputs, of which the graph shows where the `explained` ones come from."""

    @property
    def kind(self) -> str: ...

    @property
    def metric(self) -> str: ...

    @property
    def logits(self) -> int: ...

    @property
    def explained(self) -> tuple[int, ...]: ...

    def target(self, row: Mapping[str, str]) -> list[float]:
        """What a row of `labels.csv` says of each logit, as a probability; NaN where it does not."""
        ...

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor: ...

    def divergence(self, learnt: Tensor, taught: Tensor) -> Tensor:
        """KL(teacher ‖ student) of logits [n, k], both divided by the temperature already."""
        ...

    def score(self, targets: Floats, logits: Floats) -> float: ...


@dataclass(frozen=True)
class Grades:
    """Five yes-or-no outputs: P(ICDR grade >= 1), …, P(grade >= 4), and macular oedema, known of few."""

    kind: str = "grades"
    metric: str = "val_auc"
    logits: int = 5
    explained: tuple[int, ...] = (REFERABLE,)
    weights: tuple[float, ...] = (1.0, 2.0, 1.0, 1.0, 0.5)  # in the loss: referable counts twice, oedema half

    def target(self, row: Mapping[str, str]) -> list[float]:
        oedema = float(float(row["dme"]) > 0) if row.get("dme") else float("nan")
        return [float(int(row["grade"]) >= grade) for grade in range(1, 5)] + [oedema]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Weighted binary cross-entropy over the known targets."""
        weights = torch.tensor(self.weights) * (~targets.isnan())
        each = functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
        return (each * weights).sum() / weights.sum()

    def divergence(self, learnt: Tensor, taught: Tensor) -> Tensor:
        """Every output is a yes-or-no of its own, so it is between Bernoulli distributions."""
        entropy = functional.binary_cross_entropy_with_logits(taught, taught.sigmoid(), reduction="none")
        crossed = functional.binary_cross_entropy_with_logits(learnt, taught.sigmoid(), reduction="none")
        weights = torch.tensor(self.weights) / sum(self.weights)
        return ((crossed - entropy) * weights).sum(dim=1).mean()

    def score(self, targets: Floats, logits: Floats) -> float:
        """AUC for referable retinopathy."""
        return auc(targets[:, REFERABLE] == 1, logits[:, REFERABLE])


@dataclass(frozen=True)
class Classes:
    """One of several classes, by a softmax. What belongs to none of them has the same target for each (outlier
    exposure; Hendrycks, Mazeika, Dietterich 2019)."""

    names: tuple[str, ...]
    healthy: str  # the one that asks for nothing
    kind: str = "classes"
    metric: str = "val_accuracy"

    @property
    def logits(self) -> int:
        return len(self.names)

    @property
    def explained(self) -> tuple[int, ...]:
        return tuple(range(len(self.names)))

    @property
    def unknown(self) -> list[float]:
        """The target of a stranger."""
        return [1 / len(self.names)] * len(self.names)

    def target(self, row: Mapping[str, str]) -> list[float]:
        if row["label"] not in self.names:
            raise ValueError(f"label {row['label']!r} is none of {', '.join(self.names)}")
        return [float(row["label"] == name) for name in self.names]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits, targets)

    def divergence(self, learnt: Tensor, taught: Tensor) -> Tensor:
        return functional.kl_div(
            learnt.log_softmax(dim=1), taught.log_softmax(dim=1), log_target=True, reduction="batchmean"
        )

    def score(self, targets: Floats, logits: Floats) -> float:
        """The share that is named rightly."""
        return float((targets.argmax(axis=1) == logits.argmax(axis=1)).mean())
