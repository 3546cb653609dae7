"""What goes wrong at a clinic, as faults that strike a running stack and are lifted again."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from services import queue_server
from services.bench.failing_disk import FailingDisk
from services.bench.jumping_clock import JumpingClock
from services.bench.live import LiveStack

CHILDREN = (
    "gateway",
    "relay",
    "scheduler",
    "worker run delivery",
    "worker run inference",
    "worker run speech",
    "queue",
)
_DAY_S = 86_400
_SILENT_CONNECTIONS = 200
_ENDLESS = 1_000_000


@dataclass
class Site:
    """What faults strike."""

    stack: LiveStack
    disk: FailingDisk | None
    clock: JumpingClock | None
    random: random.Random
    silent: list[socket.socket] = field(default_factory=list)
    """Connections that send and never end."""

    def kill(self, count: int) -> None:
        """kill -9 of so many processes at once, whichever they are."""
        for name in self.random.sample(CHILDREN, count):
            with suppress(StopIteration, psutil.Error):
                self._process(name).kill()

    def _process(self, name: str) -> psutil.Process:
        if name != "queue":
            return self.stack.child(name)
        return next(each for each in self.stack.children() if "app.py" not in " ".join(each.cmdline()[:2]))


@dataclass(frozen=True)
class Fault:
    """`share` of all rounds; struck, held for some seconds in between, lifted."""

    share: float
    strike: Callable[[Site], None]
    lift: Callable[[Site], None] = lambda _site: None
    hold_s: tuple[float, float] = (0.0, 0.5)
    needs: str = ""
    """`disk` or `clock`: left out where the machine has none to spoil."""


def _power_cut(site: Site) -> None:
    site.stack.kill()


def _restart(site: Site) -> None:
    site.stack.start(wait=False)


def _disk(site: Site) -> FailingDisk:
    assert site.disk is not None
    return site.disk


def _repair(site: Site) -> None:
    """A machine whose disk can no longer be written is switched off and on."""
    site.stack.kill()
    _disk(site).repair()
    site.stack.start(wait=False)


def _wipe_queue(site: Site) -> None:
    connection = queue_server.connect(f"unix://{site.stack.directory / 'queue' / 'queue.sock'}")
    with suppress(Exception):  # it may be dead of the round before
        connection.flushall()
    connection.close()


def _jump(site: Site) -> None:
    assert site.clock is not None
    site.clock.set_ahead(site.random.choice((-_DAY_S, 0, _DAY_S)))


def _carrier(**faults: int) -> tuple[Callable[[Site], None], Callable[[Site], None]]:
    def strike(site: Site) -> None:
        site.stack.ask("faults", **faults)

    def lift(site: Site) -> None:
        site.stack.ask("faults", **dict.fromkeys(faults, 0))

    return strike, lift


def _freeze(site: Site) -> None:
    site.stack.carrier.suspend()


def _thaw(site: Site) -> None:
    site.stack.carrier.resume()


def _slow_loris(site: Site) -> None:
    """Connections that send a header, byte by byte, and never end it."""
    for _ in range(_SILENT_CONNECTIONS):
        with suppress(OSError):
            line = socket.create_connection(("127.0.0.1", site.stack.port), timeout=2)
            line.sendall(b"POST /at/x/ussd HTTP/1.1\r\nX-A: b")
            site.silent.append(line)


def _hang_up(site: Site) -> None:
    while site.silent:
        site.silent.pop().close()


FAULTS: dict[str, Fault] = {
    "process killed": Fault(0.36, lambda site: site.kill(1)),
    "three processes killed": Fault(0.10, lambda site: site.kill(3)),
    "power cut": Fault(0.16, _power_cut, _restart),
    "queue wiped": Fault(0.08, _wipe_queue),
    "disk full": Fault(0.06, lambda site: _disk(site).fill(), lambda site: _disk(site).free(), (1.0, 3.0), "disk"),
    "disk read-only": Fault(0.04, lambda site: _disk(site).fail(), _repair, (1.0, 3.0), "disk"),
    "clock jump": Fault(0.06, _jump, needs="clock"),
    "carrier fails": Fault(0.04, *_carrier(sms_500=_ENDLESS, whatsapp_500=_ENDLESS), (1.0, 4.0)),
    "carrier out of airtime": Fault(0.02, *_carrier(sms_no_airtime=_ENDLESS), (1.0, 3.0)),
    "carrier answers too late": Fault(0.02, *_carrier(sms_silent=2), (1.0, 2.0)),
    "carrier frozen": Fault(0.03, _freeze, _thaw, (1.0, 5.0)),
    "reports doubled and early": Fault(0.02, *_carrier(report_twice=30, report_first=30), (2.0, 4.0)),
    "slow loris": Fault(0.01, _slow_loris, _hang_up, (3.0, 5.0)),
}


def plan(rounds: int, random_: random.Random, *, having: set[str]) -> list[str]:
    """The fault of each round: as their shares have it, each at least once, in random order."""
    names = {name: fault for name, fault in FAULTS.items() if not fault.needs or fault.needs in having}
    total = sum(fault.share for fault in names.values())
    chosen = [name for name, fault in names.items() for _ in range(max(1, round(rounds * fault.share / total)))]
    random_.shuffle(chosen)
    most = max(names, key=lambda name: names[name].share)
    chosen += [most] * (rounds - len(chosen))
    return chosen[:rounds]


def strike(site: Site, name: str) -> float:
    """Strikes, holds and lifts one fault. The time, by `time.monotonic`, at which it was lifted."""
    fault = FAULTS[name]
    fault.strike(site)
    time.sleep(site.random.uniform(*fault.hold_s))
    fault.lift(site)
    return time.monotonic()
