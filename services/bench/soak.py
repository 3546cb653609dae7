"""Half an hour of a busy clinic: does a process grow, do answers get slower, are files or connections left open?

Twenty USSD turns a second by callers who open screenings, and a photograph a second for the screenings that they
opened, on a whole stack that has settled before.
"""

from __future__ import annotations

import http.client
import itertools
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psutil
import sqlalchemy as sa

from services.bench.percentile import percentile
from services.bench.stack import Stack
from services.bench.ussd import DIALOGUE, Caller, turn
from services.bench.webapp_pictures import encoded_eye
from services.screening import codes
from services.store.database import Database
from services.store.tables import reading

TURNS_A_SECOND, PHOTOGRAPHS_A_SECOND = 20, 1
_CALLERS, _PICTURES = 8, 12
_LOOK_EVERY_S = 5.0
_PARTS = 10
"""The time is cut into so many parts. The first two are warm-up: caches fill and connections open."""


@dataclass
class _Seen:
    """What was seen of the stack: by process and time."""

    rss_mb: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    sockets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def soak(seconds: int = 1800) -> dict[str, Any]:
    """`turns`, `photographs` sent and `read`, `wrong` answers; `p99_ms_early` and `_late` (third and last tenth of the
    time); `growth_mb`, the most that any process grew from the third to the last tenth, by the median of each; the same
    of open files and sockets; and each process's memory."""
    with Stack() as stack:
        callers = [Caller(f"+2547110{number:05}") for number in range(_CALLERS)]
        for caller in callers:
            stack.command("worker", "add", caller.number, "Achieng", "--language", "en")
        stack.settle()
        seen, opened, sent = _Seen(), queue.Queue[tuple[str, str]](), itertools.count()
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_dial, args=(stack, caller, opened, until, number))
            for number, caller in enumerate(callers)
        ]
        threads.append(threading.Thread(target=_photograph, args=(stack, opened, until, sent)))
        for thread in threads:
            thread.start()
        while time.monotonic() < until:
            _look(stack, seen)
            time.sleep(_LOOK_EVERY_S)
        for thread in threads:
            thread.join()
        photographs = next(sent)
        stack.wait_for(lambda: _read(stack) >= photographs, "every photograph to be read", seconds=120)
        return _figures(callers, seen) | {"photographs": photographs, "read": _read(stack), "seconds": seconds}


def _dial(stack: Stack, caller: Caller, opened: queue.Queue[tuple[str, str]], until: float, number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    path = f"/at/{stack.secrets()['at_token']}/ussd"
    pause = _CALLERS / TURNS_A_SECOND
    due = time.monotonic() + pause * number / _CALLERS
    for dialled in itertools.count():
        typed: list[str] = []
        for answer, expected in DIALOGUE:
            time.sleep(max(0.0, due - time.monotonic()))
            if (due := due + pause) > until:
                connection.close()
                return
            typed += [answer] if answer else []
            screen = turn(caller, connection, path, f"ATUid_{caller.number}_{dialled}", "*".join(typed))
            if expected not in screen:
                caller.wrong += 1
                break
        else:
            code = codes.clean(screen.split("Code: ")[1][:6])
            for eye in ("left", "right"):
                opened.put((caller.number, f"{code} {eye}"))


def _photograph(stack: Stack, opened: queue.Queue[tuple[str, str]], until: float, sent: itertools.count[int]) -> None:
    pictures = [encoded_eye(seed, lesions=seed % 4 == 0, size=1200, quality=85) for seed in range(_PICTURES)]
    due = time.monotonic()
    for number in itertools.count():
        time.sleep(max(0.0, due - time.monotonic()))
        due += 1 / PHOTOGRAPHS_A_SECOND
        if due > until:
            return
        with suppress(queue.Empty):
            worker, caption = opened.get(timeout=10)
            picture = pictures[number % _PICTURES]
            comment = b"\xff\xfe" + (10).to_bytes(2, "big") + number.to_bytes(8, "big")  # each is another file
            stack.send_picture(worker, picture[:2] + comment + picture[2:], caption, via="mm7")
            next(sent)


def _look(stack: Stack, seen: _Seen) -> None:
    for process in [*stack.own_processes(), *stack.children()]:
        with suppress(psutil.Error):
            words = process.cmdline()
            name = " ".join(words[2:5]) if "app.py" in " ".join(words[:2]) else "queue"
            seen.rss_mb[name].append(process.memory_info().rss / 2**20)
            seen.files[name].append(process.num_fds())
            seen.sockets[name].append(len(process.net_connections("all")))


def _read(stack: Stack) -> int:
    db = Database(f"sqlite:///{stack.directory / 'jicho.db'}")
    with db.read() as tx:
        found = tx.execute(sa.select(sa.func.count()).select_from(reading)).scalar_one()
    db.close()
    return int(found)


def _figures(callers: list[Caller], seen: _Seen) -> dict[str, Any]:
    early = [value for caller in callers for value in _part(caller.milliseconds, 2)]
    late = [value for caller in callers for value in _part(caller.milliseconds, _PARTS - 1)]
    return {
        "turns": sum(len(caller.milliseconds) for caller in callers),
        "wrong": sum(caller.wrong for caller in callers),
        "p99_ms_early": round(percentile(early, 0.99), 1),
        "p99_ms_late": round(percentile(late, 0.99), 1),
        "growth_mb": max(round(_growth(values), 1) for values in seen.rss_mb.values()),
        "files_more": max(int(_growth(values)) for values in seen.files.values()),
        "sockets_more": max(int(_growth(values)) for values in seen.sockets.values()),
        "processes": {
            name: {
                "rss_mb_early": round(median(_part(values, 2)), 1),
                "rss_mb_late": round(median(_part(values, _PARTS - 1)), 1),
                "files": seen.files[name][-1],
                "sockets": seen.sockets[name][-1],
            }
            for name, values in seen.rss_mb.items()
        },
    }


def _part(values: Sequence[float], which: int) -> Sequence[float]:
    """The values of one tenth of the time."""
    return values[len(values) * which // _PARTS : len(values) * (which + 1) // _PARTS] or values


def _growth(values: Sequence[float]) -> float:
    return median(_part(values, _PARTS - 1)) - median(_part(values, 2))
