"""Every check, in the order in which faults explain each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import sqlalchemy as sa

from services.runtime import Runtime
from services.site.doctor import carriers, certificates, clock, danger, disk, keys, models, power, store
from services.site.doctor.finding import LEVELS, Finding, Level, broken

_LOG = logging.getLogger(__name__)
Check = Callable[[Runtime], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    "disk space": disk.space,
    "disk writes": disk.writes,
    "permissions": disk.privacy,
    "clock": clock.right,
    "time server": clock.synchronised,
    "power": power.power,
    "memory": power.memory,
    "probes": power.pretended,
    "store": store.whole,
    "schema": store.schema,
    "keys": keys.keyring,
    "audit log": store.audited,
    "copies": keys.copies,
    "service": store.running,
    "work": store.backlog,
    "models": models.models,
    "voices": models.voices,
    "sms carriers": carriers.others,
    "africastalking": carriers.africastalking,
    "whatsapp": carriers.whatsapp,
    "hub": carriers.hub,
    "public address": certificates.public,
    "hub certificate": certificates.of_hub,
    "updates": certificates.of_updates,
    "settings": danger.settings,
    "sentences": danger.drafts,
}
_OF_A_STORE = ("clock", "audit log", "work")
SLOW = ("models", "voices")
AWAY = ("africastalking", "whatsapp", "hub", "public address")


def examine(site: Runtime, names: Iterable[str] = tuple(CHECKS)) -> Iterator[Finding]:
    """The findings of these checks, one after the other. A check that fails itself is a finding: never raises."""
    started = _has_tables(site)
    for name in names:
        if name in _OF_A_STORE and not started:
            continue  # the store's own check says so
        try:
            for found in CHECKS[name](site):
                yield replace(found, check=name)
        except Exception as error:
            _LOG.debug("check failed", exc_info=True)
            said = f"this could not be looked at: {type(error).__name__}: {error}".splitlines()[0]
            yield replace(broken(said, "what stands above may be the reason"), check=name)


def _has_tables(site: Runtime) -> bool:
    try:
        with site.db.read() as tx:
            return sa.inspect(tx).has_table("outbox")
    except Exception:  # what is wrong with it, its own check says
        return False


def worst(findings: Iterable[Finding]) -> Level:
    """The gravest level among them."""
    return max((found.level for found in findings), key=LEVELS.index, default="fine")
