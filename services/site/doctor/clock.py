"""Is the time right? Reminders, certificates and the order of results hang on it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from datetime import UTC, datetime

from services import RELEASED
from services.messaging.clock_jump import behind_ms
from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.store.clock import DAY_MS, now_ms
from services.sync import clock as sync_clock

_TIMEX_BYTES = 256  # struct timex has 208
_TIME_ERROR = 5
_SET = "set it (`sudo timedatectl set-time '2026-01-31 09:00'`), or let a time server: `sudo timedatectl set-ntp true`"


def right(site: Runtime) -> Iterator[Finding]:
    """The clock against this release's date and against the newest work in the store."""
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    said = now.strftime("%Y-%m-%d %H:%M UTC")
    if now.date() < RELEASED:
        yield broken(f"the clock says {said}, before this release was made ({RELEASED})", _SET)
        return
    with site.db.read() as tx:
        behind = -behind_ms(tx)
        rolled = sync_clock.rollbacks(tx)
    if behind > DAY_MS // 24:
        yield broken(f"the clock says {said}, {behind / DAY_MS:.1f} days before the newest work here", _SET)
    elif behind:
        yield warning(f"the clock says {said}, {behind // 1000} s before the newest work here", _SET)
    else:
        yield fine(f"the clock says {said}")
    if rolled:
        yield note(
            f"the clock went back {rolled} times since this site was set up", "a battery for the clock costs little"
        )


def synchronised(_site: Runtime) -> Iterator[Finding]:
    """Whether a time server sets the clock, as the kernel knows it."""
    libc = ctypes.CDLL(None, use_errno=True)
    state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state == _TIME_ERROR:
        yield note("no time server sets the clock", "with a link now and then: `sudo timedatectl set-ntp true`")
    elif state >= 0:
        yield fine("a time server sets the clock")
