"""How sites are, what they see, and what is wrong: for operators and reviewers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from services.hub import alerts, monitoring, runtime
from services.hub.pages.access import guard
from services.hub.pages.plots import plot
from services.hub.sites import listed
from services.hub.words import words
from services.store.clock import HOUR_MS, now_ms

blueprint = Blueprint("overview", __name__, template_folder="templates")
guard(blueprint)


@blueprint.get("/sites")
def sites() -> str:
    """Every site and how it is."""
    hub = runtime.current()
    late_ms = hub.settings.hub_alert_unseen_hours * HOUR_MS
    with hub.db.read() as tx:
        rows = [each | {"state": _state(each, late_ms), "ahead": alerts.ahead_ms(each)} for each in listed(tx)]
        open_alerts = alerts.open_now(tx)
    by_site: dict[int, list[str]] = {}
    for each in open_alerts:
        by_site.setdefault(each["site_id"], []).append(words(f"alert-{each['kind']}"))
    return render_template("sites.html", sites=rows, alerts=by_site)


@blueprint.get("/monitoring")
def figures() -> str:
    """What sites and models see by week, and how far reviewers agree."""
    with runtime.current().db.read() as tx:
        shown = monitoring.overview(tx)
    return render_template("monitoring.html", shown=shown, plot=plot)


@blueprint.get("/alerts")
def alerts_now() -> str:
    """What is wrong now, and what was."""
    with runtime.current().db.read() as tx:
        return render_template("alerts.html", open=alerts.open_now(tx), closed=alerts.ended(tx))


def _state(site: dict[str, Any], late_ms: int) -> str:
    if site["revoked_at"] is not None:
        return "revoked"
    if site["seen_at"] is None:
        return "never"
    return "late" if now_ms() - site["seen_at"] > late_ms else "ok"
