"""What sites and models see and how far reviewers agree, for the page and for alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.intervals import Rate, control_limits, dispersion
from services.hub.tables import eye, model, result, review, site, verdict, week
from services.hub.weeks import CERTAIN, SURE, decided_week, median, model_of_result, week_of
from services.screening.decision import finding_of_grade
from services.store.clock import now_ms

WEEKS = 26
UNSURE = 70
"""Hundredths of confidence below which a reading counts as unsure."""


@dataclass
class Figures:
    """What was counted of some screenings. `true_positive` is: the model refers and reviewers agree, and so on."""

    screenings: int = 0
    positives: int = 0
    ungradables: int = 0
    confidences: list[int] = field(default_factory=lambda: [0] * (CERTAIN - SURE + 1))
    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0

    def __add__(self, other: Figures) -> Figures:
        both = {name: getattr(self, name) + getattr(other, name) for name in vars(self) if name != "confidences"}
        return Figures(**both, confidences=[a + b for a, b in zip(self.confidences, other.confidences, strict=True)])

    @property
    def positive(self) -> Rate:
        return Rate(self.positives, self.screenings)

    @property
    def ungradable(self) -> Rate:
        return Rate(self.ungradables, self.screenings)

    @property
    def unsure(self) -> Rate:
        return Rate(sum(self.confidences[: UNSURE - SURE]), sum(self.confidences))

    @property
    def confidence(self) -> float | None:
        return median(self.confidences)

    @property
    def agreed_positive(self) -> Rate:
        return Rate(self.true_positive, self.true_positive + self.false_positive)

    @property
    def agreed_negative(self) -> Rate:
        return Rate(self.true_negative, self.true_negative + self.false_negative)

    @property
    def sensitivity(self) -> Rate:
        """Among those that reviewers refer. Negatives are seldom reviewed, so it is higher than the truth."""
        return Rate(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> Rate:
        """Among those that reviewers do not refer; lower than the truth, for the same reason."""
        return Rate(self.true_negative, self.true_negative + self.false_positive)


Key = tuple[int, int, int]
"""Site, model, week."""
SITE, MODEL, WEEK = range(3)
RATES: Mapping[str, Callable[[Figures], Rate]] = {
    "positivity": lambda each: each.positive,
    "ungradable": lambda each: each.ungradable,
    "unsure": lambda each: each.unsure,
    "agreement": lambda each: each.agreed_positive,
}
LEAST, LEAST_BEFORE = 30, 100
"""How many there must be in a week, and before it, for limits to mean something: with fewer, one patient decides."""


def counted(tx: Connection) -> dict[Key, Figures]:
    """The figures of the last weeks, as `services.hub.weeks` counted them and reviewers judged."""
    since = week_of(now_ms()) - WEEKS
    found: dict[Key, Figures] = {}
    for row in tx.execute(sa.select(week).where(week.c.week >= since)):
        key = (row.site_id, row.model_id, row.week)
        found[key] = Figures(row.screenings, row.positive, row.ungradable, row.confidence)
    for key, called, is_referable in _judged(tx, since):
        figures = found.setdefault(key, Figures())
        name = ("true_" if called == is_referable else "false_") + ("positive" if called else "negative")
        setattr(figures, name, getattr(figures, name) + 1)
    return found


def grouped(figures: Mapping[Key, Figures], place: int) -> dict[int, Figures]:
    """Added up by one part of the key: 0 the site, 1 the model, 2 the week."""
    found: dict[int, Figures] = {}
    for key, each in figures.items():
        found[key[place]] = found.get(key[place], Figures()) + each
    return found


@dataclass(frozen=True)
class Point:
    """A week of a plot, with the limits between which it should be."""

    week: int
    rate: Rate
    low: float
    high: float


def overview(tx: Connection) -> dict[str, Any]:
    """What the page shows: `{"overall", "sites", "models", "plots", "counted_at"}`, the first three as (name, figures)
    and the plots as (text id, points)."""
    figures = counted(tx)
    by_site, by_model = grouped(figures, SITE), grouped(figures, MODEL)
    versions: dict[str, Figures] = {}
    for row in tx.execute(sa.select(model).where(model.c.id.in_(by_model))):
        name = f"{row.name} {row.version} {row.tier}"
        versions[name] = versions.get(name, Figures()) + by_model[row.id]
    sites = tx.execute(sa.select(site.c.id, site.c.name).where(site.c.id.in_(by_site)).order_by(site.c.id))
    weeks = grouped(figures, WEEK)
    return {
        "overall": [("", sum(figures.values(), Figures()))],
        "sites": [(row.name, by_site[row.id]) for row in sites],
        "models": sorted(versions.items()),
        "plots": [(name, chart(weeks, rate)) for name, rate in RATES.items()],
        "counted_at": tx.execute(sa.select(sa.func.max(week.c.counted_at))).scalar(),
    }


def chart(weeks: Mapping[int, Figures], rate: Callable[[Figures], Rate]) -> list[Point]:
    """One rate week by week, each with limits from the weeks before it."""
    points: list[Point] = []
    for number in sorted(weeks):
        found = rate(weeks[number])
        if found.whole:
            points.append(Point(number, found, *limits(found, [each.rate for each in points])))
    return points


def limits(found: Rate, others: Sequence[Rate]) -> tuple[float, float]:
    """Between what a share should be if it is like the others; between 0 and 1 where they are too few to say."""
    together = sum(others, Rate(0, 0))
    if together.share is None or together.whole < LEAST_BEFORE or found.whole < LEAST:
        return 0.0, 1.0
    return control_limits(together.share, found.whole, dispersion(others))


def _judged(tx: Connection, since: int) -> Iterable[tuple[Key, bool, bool]]:
    """Of each reviewed result: where it belongs, whether the model called it referable, and whether reviewers did.
    Left out is what either of them could not judge."""
    newest = (
        sa.select(sa.func.max(review.c.id))
        .where(review.c.result_id == verdict.c.result_id, review.c.outcome == verdict.c.outcome)
        .correlate(verdict)
        .scalar_subquery()
    )
    rows = tx.execute(
        sa.select(
            result.c.site_id,
            model_of_result().label("model_id"),
            decided_week().label("week"),
            result.c.outcome,
            verdict.c.outcome.label("verdict"),
            sa.exists().where(eye.c.result_id == result.c.id, eye.c.outcome == "refer").label("called"),
            review.c.eyes,
        )
        .join(verdict, sa.and_(verdict.c.result_id == result.c.id, verdict.c.seq == result.c.seq))
        .join(review, review.c.id == newest)
        .where(~result.c.withdrawn, decided_week() >= since)
    )
    for row in rows:
        is_referable = _referable(list(row.eyes.values()))
        abstained = row.outcome == "refer" and not row.called
        # Referred for something that has no grade: nothing that the model looks for.
        other_reason = row.verdict == "refer" and not is_referable
        if row.model_id is None or is_referable is None or abstained or other_reason:
            continue
        yield (row.site_id, row.model_id, row.week), bool(row.called), is_referable


def _referable(eyes: Sequence[dict[str, Any]]) -> bool | None:
    found = {finding_of_grade(each["grade"], each["oedema"]) for each in eyes}
    if "refer" in found:
        return True
    return None if "retake" in found else False
