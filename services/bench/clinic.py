"""A day at a clinic, as its results would be: for measuring sync.

`readings.csv` is what the `full` model of release 0.2.0 said to both eyes of the 148 test patients of whom both were
photographed (models/dr/README.md tells where the photographs come from). A fourth of these patients is referable, more
than in a clinic, so that the figures err on the large side. The rest is drawn: 200 patients in eight hours, 1 to 4
health workers, 5 minutes from opened to decided in the median, 7 of 10 patients with a phone, 3 of 100 urgent.
"""

from __future__ import annotations

import csv
import random
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening import codes
from services.store.phones import remember
from services.store.tables import screening, worker
from services.sync.events import RESULT, record

_READINGS = Path(__file__).with_name("readings.csv")
_MODEL = {
    "tier": "full",
    "name": "dr",
    "version": "0.2.0",
    "sha256": "e8b51a3de04f2d6db206b0d56c6b1fb92b0487b6989a26e9834ac388bf33e95b",
    "threshold": 0.2471,
    "doubt": 0.1397,
    "oedema_threshold": 0.379,
}
_WORKERS = 4
_BETWEEN_S = 8 * 3600 / 200
_NOON_MS = 1_795_681_200_000
_YEAR = 2026


def day(seed: int, results: int, *, first: int = 1) -> list[dict[str, Any]]:
    """The contents of so many results, in the order of their decision."""
    chance = random.Random(seed)
    at, found = _NOON_MS + first * int(1000 * _BETWEEN_S), []
    for _ in range(results):
        at += int(chance.expovariate(1 / _BETWEEN_S) * 1000)
        readings = [dict(each, model=_MODEL) for each in chance.choice(_patients())]
        for each in [each for each in readings if each["outcome"] == "retake"]:
            again = next(other for other in chance.sample(_all(), len(_all())) if other["outcome"] != "retake")
            readings.append(dict(again, eye=each["eye"], model=_MODEL))
        found.append(
            {
                "programme": "dr",
                "sex": chance.choice(("female", "female", "female", "male", "male")),
                "birth_year": _YEAR - min(90, max(20, round(chance.gauss(57, 12)))),
                "priority": "urgent" if chance.random() < 0.03 else "routine",
                "outcome": "refer" if any(each["outcome"] == "refer" for each in readings) else "rescreen",
                "worker": chance.randint(1, _WORKERS),
                "opened_at": at - int(1000 * chance.lognormvariate(5.7, 0.5)),
                "decided_at": at,
                "readings": readings,
            }
        )
    return found


def write_day(tx: Connection, contents: list[dict[str, Any]]) -> None:
    """Puts screenings with these results into a site's store, seven of ten with a phone, and their events."""
    for number in range(1, _WORKERS + 1):
        if tx.execute(sa.select(worker.c.id).where(worker.c.id == number)).first() is None:
            tx.execute(worker.insert().values(id=number, msisdn=f"+25471100000{number}", name="", added_at=0))
    for number, content in enumerate(contents):
        code = str(900_000 + number)
        row = {
            "code": code,
            "code_sealed": codes.sealed(code),
            "worker_id": content["worker"],
            "patient_msisdn": remember(tx, f"+2547220{number:05}") if number % 10 < 7 else None,
            "language": "sw",
            "state": "decided",
            **{name: value for name, value in content.items() if name not in ("worker", "readings")},
        }
        screening_id = tx.execute(screening.insert().values(row).returning(screening.c.id)).scalar_one()
        record(tx, RESULT, content, screening_id=screening_id)  # what is urgent would be gone already


@lru_cache(maxsize=1)
def _patients() -> list[list[dict[str, Any]]]:
    patients: dict[str, list[dict[str, Any]]] = {}
    with _READINGS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            patients.setdefault(row["patient"], []).append(
                {
                    "eye": row["eye"],
                    "outcome": row["outcome"],
                    "gradable": row["gradable"] == "1",
                    "quality": float(row["quality"]),
                    "probability": float(row["probability"]) if row["probability"] else None,
                    "oedema": float(row["oedema"]) if row["oedema"] else None,
                }
            )
    return list(patients.values())


def _all() -> list[dict[str, Any]]:
    return [each for patient in _patients() for each in patient]
