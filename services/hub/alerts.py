"""What somebody should look at: each thing is opened once, stays open while it lasts, and is closed when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.intervals import Rate
from services.hub.monitoring import MODEL, RATES, SITE, WEEK, Figures, Key, counted, grouped, limits
from services.hub.sites import listed
from services.hub.tables import alert, model, site
from services.hub.weeks import week_of
from services.settings import Settings
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.database import one_at_a_time

_CLOCK_MS = 5 * MINUTE_MS
_SHORTAGES = ("battery-low", "disk-low")
_RECENT_WEEKS = 2
_SHOWN_DAYS = 30
_ONLY_BELOW = ("agreement",)  # more agreement is no reason to worry


@dataclass(frozen=True)
class Found:
    """Something that is wrong now. `kind` is one of the texts `alert-<kind>`, `subject` what it is wrong with."""

    kind: str
    subject: str
    site_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def refresh(tx: Connection, settings: Settings) -> list[dict[str, Any]]:
    """Looks at everything, opens and closes alerts. Those that are open now, as `open_now` gives them."""
    one_at_a_time(tx, "alerts")
    found = {(each.kind, each.subject): each for each in _everything(tx, settings)}
    now = now_ms()
    known = tx.execute(sa.select(alert.c.id, alert.c.kind, alert.c.subject).where(alert.c.closed_at.is_(None))).all()
    for row in known:
        lasting = found.pop((row.kind, row.subject), None)
        values: dict[str, Any] = {"closed_at": now}
        if lasting is not None:
            values = {"seen_at": now, "detail": dict(lasting.detail)}
        tx.execute(alert.update().where(alert.c.id == row.id).values(values))
    for new in found.values():
        values = {"kind": new.kind, "subject": new.subject, "site_id": new.site_id, "detail": dict(new.detail)}
        tx.execute(alert.insert().values(values | {"opened_at": now, "seen_at": now}))
    return open_now(tx)


def open_now(tx: Connection) -> list[dict[str, Any]]:
    """`{"kind", "subject", "site_id", "site", "detail", "opened_at", "closed_at"}`, oldest first."""
    return _shown(tx, alert.c.closed_at.is_(None), alert.c.id)


def ended(tx: Connection) -> list[dict[str, Any]]:
    """Those of the last 30 days that are over, newest first."""
    return _shown(tx, alert.c.closed_at > now_ms() - _SHOWN_DAYS * DAY_MS, alert.c.closed_at.desc())


def ahead_ms(listed_site: Mapping[str, Any]) -> int | None:
    """By how much a site's clock was ahead of the hub's when it last reported; below 0: behind; None: unknown."""
    skew: int | None = (listed_site["report"] or {}).get("skew_ms")
    return skew


def _shown(tx: Connection, which: sa.ColumnElement[bool], order: Any) -> list[dict[str, Any]]:
    columns = (alert.c.kind, alert.c.subject, alert.c.site_id, alert.c.detail, alert.c.opened_at, alert.c.closed_at)
    rows = sa.select(*columns, site.c.name.label("site")).outerjoin(site, site.c.id == alert.c.site_id)
    return [dict(row) for row in tx.execute(rows.where(which).order_by(order)).mappings()]


def _everything(tx: Connection, settings: Settings) -> Iterator[Found]:
    for each in listed(tx):
        if each["revoked_at"] is None:
            yield from _of_site(each, settings.hub_alert_unseen_hours * HOUR_MS)
    figures = counted(tx)
    yield from _out_of_limits(figures)
    names = {row.id: f"{row.name} {row.version} {row.tier}" for row in tx.execute(sa.select(model))}
    for model_id, weeks in _by(figures, MODEL).items():
        yield from _changed(weeks, f"model:{model_id}", None, {"model": names[model_id]})


def _of_site(each: Mapping[str, Any], unseen_ms: int) -> Iterator[Found]:
    subject, report, now = f"site:{each['id']}", each["report"] or {}, now_ms()

    def found(kind: str, **detail: Any) -> Found:
        return Found(kind, subject, each["id"], detail)

    if now - (each["seen_at"] or each["enrolled_at"]) > unseen_ms:
        yield found("not-seen", seen_at=each["seen_at"])
    ahead = ahead_ms(each)
    if ahead is not None and abs(ahead) > _CLOCK_MS:
        yield found("clock", ahead_ms=ahead)
    for shortage in _SHORTAGES:
        if shortage in (report.get("short_of") or ()):
            yield found(shortage, battery_percent=report.get("battery_percent"), disk_mb=report.get("disk_mb"))
    # A site that is seen sends its oldest first: what has waited so long is not being sent.
    if (report.get("oldest_ms") or 0) > unseen_ms:
        yield found("backlog", backlog=report.get("backlog"), oldest_ms=report["oldest_ms"])


def _out_of_limits(figures: Mapping[Key, Figures]) -> Iterator[Found]:
    """Each site's last weeks against its own before, and against the other sites in the same weeks."""
    recent = week_of(now_ms()) - _RECENT_WEEKS
    of_sites = _by(figures, SITE)
    latest = {number: _since(weeks, recent) for number, weeks in of_sites.items()}
    for number, weeks in of_sites.items():
        yield from _changed(weeks, f"site:{number}", number, {"against": "before"})
        for kind, rate in RATES.items():
            others = [rate(each) for other, each in latest.items() if other != number and rate(each).whole]
            outside = _outside(kind, rate(latest[number]), others)
            if outside:
                yield Found(f"{kind}-unlike", f"site:{number}", number, outside | {"against": "sites"})


def _changed(
    weeks: Mapping[int, Figures], subject: str, site_id: int | None, detail: Mapping[str, Any]
) -> Iterator[Found]:
    recent = week_of(now_ms()) - _RECENT_WEEKS
    before = [each for number, each in weeks.items() if number <= recent]
    for kind, rate in RATES.items():
        outside = _outside(kind, rate(_since(weeks, recent)), [rate(each) for each in before if rate(each).whole])
        if outside:
            yield Found(kind, subject, site_id, outside | dict(detail))


def _outside(kind: str, found: Rate, others: Sequence[Rate]) -> dict[str, Any]:
    """The share and its limits if it is beyond them, else nothing."""
    if found.share is None:
        return {}
    low, high = limits(found, others)
    if found.share < low or (found.share > high and kind not in _ONLY_BELOW):
        return {"share": round(found.share, 4), "of": found.whole, "low": round(low, 4), "high": round(high, 4)}
    return {}


def _by(figures: Mapping[Key, Figures], place: int) -> dict[int, dict[int, Figures]]:
    """Week by week for each site or each model."""
    parts: dict[int, dict[Key, Figures]] = {}
    for key, each in figures.items():
        parts.setdefault(key[place], {})[key] = each
    return {number: grouped(part, WEEK) for number, part in parts.items()}


def _since(weeks: Mapping[int, Figures], recent: int) -> Figures:
    return sum((each for number, each in weeks.items() if number > recent), Figures())
