"""What several reviewers conclude together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from services.screening.decision import Outcome
from services.screening.opinions import CAUTION

State = Literal["reviewed", "agreed", "settled", "disputed"]


def together(outcomes: Sequence[Outcome]) -> tuple[State, Outcome]:
    """What holds when each of these reviewers, at least one, said what she thinks last.

    One is enough. Two who disagree are in dispute, and until somebody settles it by making a majority, the most
    cautious opinion holds: no referral is taken back on a disputed one.
    """
    counted = Counter(outcomes)
    (most, times), *others = counted.most_common()
    if not others:
        return ("reviewed" if times == 1 else "agreed"), most
    if times * 2 > len(outcomes):
        return "settled", most
    return "disputed", min(counted, key=CAUTION.index)
