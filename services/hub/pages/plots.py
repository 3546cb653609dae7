"""A rate week by week as a chart."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from services.hub.monitoring import Point
from services.hub.weeks import monday_of
from services.hub.words import percent, words
from services.pages.chart import Dot, chart


def plot(points: Sequence[Point], *, title: str) -> Markup:
    """The points with their control limits; one outside of its limits is marked."""
    return chart(
        [_dot(point) for point in points],
        title=title,
        empty=words("plot-empty"),
        ends=(str(monday_of(points[0].week)), str(monday_of(points[-1].week))) if points else ("", ""),
        label=percent,
        top=0.1,
    )


def _dot(point: Point) -> Dot:
    share, limited = point.rate.share or 0, point.high < 1 or point.low > 0
    said = words("plot-point", week=monday_of(point.week), share=percent(share), whole=point.rate.whole)
    return Dot(point.week, share, said, *((point.low, point.high) if limited else (None, None)))
