"""The day's budget: what may wait is held back before a site spends what it has for messages and results.

Models and voices are held first, then photographs; nothing else ever is. Who is held stays so until local midnight,
whatever corrections the ledger gets, and in every process of the site: it is remembered in the data directory.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import sqlalchemy as sa

from services.durable import write_durably
from services.ledger.entries import day_of
from services.ledger.meter import Purpose
from services.ledger.money import NANO
from services.runtime import Runtime
from services.settings import Settings
from services.store.clock import now_ms
from services.store.tables import ledger_entry

_LOG = logging.getLogger(__name__)
_REMEMBERED = "budget.json"


def may_spend(site: Runtime, purpose: Purpose) -> bool:
    """Whether something of this purpose may use the link now. False only for what can wait for the next day."""
    share = _share(site.settings, purpose)
    if share is None or not site.settings.budget_usd_a_day:
        return True
    day = day_of(now_ms())
    path = site.settings.data_dir / _REMEMBERED
    held = _held(path, day)
    if purpose in held:
        return False
    if spent(site, day) < site.settings.budget_usd_a_day * NANO * share:
        return True
    _LOG.info("held until tomorrow", extra={"purpose": purpose})
    try:
        write_durably(path, json.dumps({"day": day, "held": sorted({*held, purpose})}).encode())
    except OSError as error:  # a full disk: it is asked again, and found again
        _LOG.warning("budget not remembered", extra={"reason": str(error)})
    return False


def spent(site: Runtime, day: str) -> int:
    """What a day cost so far, in billionths of a dollar; what the stand-in carried counts as if it were billed."""
    total = sa.func.coalesce(sa.func.sum(ledger_entry.c.cost_reported + ledger_entry.c.cost_estimated), 0)
    with site.db.read() as tx:
        written = int(tx.execute(sa.select(total).where(ledger_entry.c.day == day)).scalar_one())
    return written + site.tally.pending(day)


def _share(settings: Settings, purpose: Purpose) -> float | None:
    """The share of the budget after which this waits; None: it never does."""
    if purpose in ("models", "voices"):
        return settings.budget_models_percent / 100
    return settings.budget_photographs_percent / 100 if purpose == "photographs" else None


def _held(path: Path, day: str) -> frozenset[str]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(kept["held"]) if kept["day"] == day else frozenset()
    except (OSError, ValueError, TypeError, KeyError):
        return frozenset()
