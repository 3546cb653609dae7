"""A rate week by week as an inline SVG: no script, no picture file."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from services.hub.monitoring import Point
from services.hub.weeks import monday_of
from services.hub.words import percent, words

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 180, 48, 12, 24


def plot(points: Sequence[Point], *, title: str) -> Markup:
    """The points with their control limits; one outside of its limits is marked."""
    if not points:
        return Markup('<p class="missing">{}</p>').format(words("plot-empty"))
    top = max(0.1, *(point.rate.share or 0 for point in points), *(p.high for p in points if p.high < 1))
    first, weeks = points[0].week, max(1, points[-1].week - points[0].week)

    def x(point: Point) -> float:
        return round(_LEFT + (point.week - first) / weeks * (_WIDTH - _LEFT - 12), 1)

    def y(share: float) -> float:
        return round(_HEIGHT - _BOTTOM - min(share, top) / top * (_HEIGHT - _TOP - _BOTTOM), 1)

    def path(values: Sequence[tuple[Point, float]]) -> str:
        return " ".join(f"{x(point)},{y(value)}" for point, value in values)

    drawn = [
        _axis(y(0), percent(0.0)),
        _axis(y(top), percent(top)),
        Markup('<text x="{}" y="{}">{}</text>').format(_LEFT, _HEIGHT - 6, monday_of(first)),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            _WIDTH - 4, _HEIGHT - 6, monday_of(points[-1].week)
        ),
    ]
    limited = [point for point in points if point.high < 1 or point.low > 0]
    for values in ([(p, p.low) for p in limited], [(p, p.high) for p in limited]):
        drawn.append(Markup('<polyline class="limit" points="{}"/>').format(path(values)))
    drawn.append(Markup('<polyline class="line" points="{}"/>').format(path([(p, p.rate.share or 0) for p in points])))
    drawn += [_dot(point, x(point), y(point.rate.share or 0)) for point in points]
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, title, Markup("").join(drawn)
    )


def _dot(point: Point, x: float, y: float) -> Markup:
    share = point.rate.share or 0
    kind = "dot" if point.low <= share <= point.high else "out"
    said = words("plot-point", week=monday_of(point.week), share=percent(share), whole=point.rate.whole)
    return Markup('<circle class="{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>').format(kind, x, y, said)


def _axis(y: float, label: str) -> Markup:
    line = Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, _WIDTH, y, y)
    return line + Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 6, y + 4, label)
