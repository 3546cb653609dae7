"""How this site is: power, memory, disk, link, queues, the hub; and its last thirty days as charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from flask import Blueprint, render_template
from markupsafe import Markup

from services import runtime
from services.gateway.console.words import words
from services.ledger.entries import day_of
from services.ledger.report import report
from services.messaging.backlog import backlog
from services.pages.chart import Dot, chart
from services.pages.words import percent
from services.screening.days import by_day
from services.store.clock import now_ms

blueprint = Blueprint("site", __name__, url_prefix="/console")
_DAYS = 30


@blueprint.get("/site")
def page() -> str:
    """Now, and the last thirty days."""
    # Here and not above: what talks to the hub is not loaded for carriers' callbacks.
    from services.sync.status import status
    from services.updates.status import status as of_updates

    site = runtime.current()
    today = date.fromisoformat(day_of(now_ms()))
    days = [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
    with site.db.read() as tx:
        found, waiting = by_day(tx, days[0]), backlog(tx)
    costs: dict[date, float] = {}
    for line in report(site, _DAYS).lines:
        costs[date.fromisoformat(line.day)] = costs.get(date.fromisoformat(line.day), 0.0) + line.cost
    screened = {day: float(each.decided) for day, each in found.items()}
    referred = {day: each.referred for day, each in found.items() if each.decided}
    ungradable = {day: each.ungradable for day, each in found.items() if each.photographs}
    plots = [
        _plot("plot-screenings", days, screened, _whole, 5),
        _plot("plot-referred", days, referred, percent, 0.1),
        _plot("plot-ungradable", days, ungradable, percent, 0.1),
        _plot("plot-cost", days, costs, _dollars, 0.1),
    ]
    return render_template(
        "console/site.html",
        now=site.watch.site(),
        short=sorted(site.watch.strain()),
        sync=status(site),
        updates=of_updates(site),
        waiting=waiting,
        plots=plots,
    )


def _plot(
    title: str, days: Sequence[date], values: Mapping[date, float], label: Callable[[float], str], top: float
) -> tuple[str, Markup]:
    """A chart and what it is called."""
    drawn = chart(
        [Dot(day.toordinal(), values[day], f"{day}: {label(values[day])}") for day in days if day in values],
        title=words(title),
        empty=words("plot-empty"),
        ends=_ends([day for day in days if day in values]),
        label=label,
        top=top,
    )
    return title, drawn


def _ends(days: Sequence[date]) -> tuple[str, str]:
    return (str(days[0]), str(days[-1])) if days else ("", "")


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _dollars(value: float) -> str:
    return f"{value:.2f} USD"
