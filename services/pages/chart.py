"""A line over time as an inline SVG: no script, no picture file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 180, 48, 12, 24


@dataclass(frozen=True)
class Dot:
    """One value, what is said of it, and the limits that it should lie in, where there are any."""

    x: float
    y: float
    said: str
    low: float | None = None
    high: float | None = None

    @property
    def is_out(self) -> bool:
        return (self.low is not None and self.y < self.low) or (self.high is not None and self.y > self.high)


def chart(
    dots: Sequence[Dot], *, title: str, empty: str, ends: tuple[str, str], label: Callable[[float], str], top: float
) -> Markup:
    """The dots, oldest first, joined by a line; one outside of its limits is marked. `ends` are the words under the
    first and the last, `label` writes a value, `top` is the least upper end of the axis."""
    if not dots:
        return Markup('<p class="missing">{}</p>').format(empty)
    limited = [dot for dot in dots if dot.low is not None and dot.high is not None]
    highest = max(top, *(dot.y for dot in dots), *(dot.high or 0 for dot in limited if dot.high != 1))
    first, width = dots[0].x, max(1e-9, dots[-1].x - dots[0].x)

    def x(dot: Dot) -> float:
        return round(_LEFT + (dot.x - first) / width * (_WIDTH - _LEFT - 12), 1)

    def y(value: float) -> float:
        return round(_HEIGHT - _BOTTOM - min(value, highest) / highest * (_HEIGHT - _TOP - _BOTTOM), 1)

    def path(values: Sequence[tuple[Dot, float]]) -> str:
        return " ".join(f"{x(dot)},{y(value)}" for dot, value in values)

    drawn = [
        _axis(y(0), label(0)),
        _axis(y(highest), label(highest)),
        Markup('<text x="{}" y="{}">{}</text>').format(_LEFT, _HEIGHT - 6, ends[0]),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_WIDTH - 4, _HEIGHT - 6, ends[1]),
    ]
    for values in ([(dot, dot.low or 0) for dot in limited], [(dot, dot.high or 0) for dot in limited]):
        drawn.append(Markup('<polyline class="limit" points="{}"/>').format(path(values)))
    drawn.append(Markup('<polyline class="line" points="{}"/>').format(path([(dot, dot.y) for dot in dots])))
    for dot in dots:
        drawn.append(
            Markup('<circle class="{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>').format(
                "out" if dot.is_out else "dot", x(dot), y(dot.y), dot.said
            )
        )
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, title, Markup("").join(drawn)
    )


def _axis(y: float, label: str) -> Markup:
    line = Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, _WIDTH, y, y)
    return line + Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 6, y + 4, label)
