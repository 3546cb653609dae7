"""How many USSD turns a second the gateway answers, durably, and whether every answer is the right one.

Sixteen health workers open screenings, one after the other, over keep-alive connections as a carrier holds them: dial,
menu, sex, year of birth, phone, language, consent, urgency, code. Each turn is one committed transaction. Each answer
is compared with what it must say, and at the end every code that was told must be in the store, once.
"""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from services.bench.percentile import percentile
from services.bench.stack import Stack
from services.screening import codes
from services.store.database import Database
from services.store.sealing import code_token
from services.store.tables import screening

CALLERS = 16
# What is typed, and a word that the next screen must hold.
DIALOGUE = (
    ("", "Open a screening"),
    ("1", "The patient is"),
    ("1", "Year of birth"),
    ("1961", "phone number"),
    ("0722000002", "language"),
    ("1", "98 More"),
    ("98", "1. Yes"),
    ("1", "lose sight"),
    ("2", "Code: "),
)


@dataclass
class Caller:
    """One phone, and what its owner saw."""

    number: str
    milliseconds: list[float] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    wrong: int = 0


def ussd(seconds: int = 20) -> dict[str, Any]:
    """`turns_per_s, p50_ms, p99_ms, wrong, lost, cpu_ms_per_turn` and the number of turns."""
    with Stack() as stack:
        callers = [Caller(f"+2547110{number:05}") for number in range(CALLERS)]
        for caller in callers:
            stack.command("worker", "add", caller.number, "Achieng", "--language", "en")
        stack.settle()
        gateway = stack.child("gateway")
        path = f"/at/{stack.secrets()['at_token']}/ussd"
        before, began = sum(gateway.cpu_times()[:2]), time.monotonic()
        threads = [
            threading.Thread(target=_call, args=(caller, stack.port, path, began + seconds)) for caller in callers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took, cpu = time.monotonic() - began, sum(gateway.cpu_times()[:2]) - before
        rss_mb = gateway.memory_info().rss / 2**20
        with stack.keys():
            told = [code_token(code) for caller in callers for code in caller.codes]
        db = Database(f"sqlite:///{stack.directory / 'jicho.db'}")
        with db.read() as tx:
            stored = set(tx.execute(sa.select(screening.c.code)).scalars())
        db.close()
    times = [value for caller in callers for value in caller.milliseconds]
    return {
        "turns_per_s": round(len(times) / took, 1),
        "p50_ms": round(percentile(times, 0.5), 1),
        "p99_ms": round(percentile(times, 0.99), 1),
        "wrong": sum(caller.wrong for caller in callers),
        "lost": len([code for code in told if code not in stored]) + len(told) - len(set(told)),
        "cpu_ms_per_turn": round(1000 * cpu / len(times), 2),
        "turns": len(times),
        "screenings": len(told),
        "callers": CALLERS,
        "gateway_rss_mb": round(rss_mb, 1),
    }


def _call(caller: Caller, port: int, path: str, until: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    dialled = 0
    while time.monotonic() < until:
        dialled += 1
        typed: list[str] = []
        for answer, expected in DIALOGUE:
            if answer:
                typed.append(answer)
            screen = turn(caller, connection, path, f"ATUid_{caller.number}_{dialled}", "*".join(typed))
            if expected not in screen or not screen.startswith("END " if expected == "Code: " else "CON "):
                caller.wrong += 1
                break
        else:
            code = codes.clean(screen.split("Code: ")[1][:6])
            if code is None:
                caller.wrong += 1
            else:
                caller.codes.append(code)
    connection.close()


def turn(caller: Caller, connection: http.client.HTTPConnection, path: str, session: str, text: str) -> str:
    form = {
        "sessionId": session,
        "serviceCode": "*384*77#",
        "phoneNumber": caller.number,
        "networkCode": "63902",
        "text": text,
    }
    began = time.perf_counter()
    connection.request(
        "POST", path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    answer = connection.getresponse()
    screen = answer.read().decode()
    caller.milliseconds.append((time.perf_counter() - began) * 1000)
    return screen if answer.status == 200 else f"HTTP {answer.status}"
