"""What a site records for its hub, with its cause and not without; and nothing of it names anybody."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, decide, open_case, reading_of, send_photograph

from services.runtime import Runtime
from services.screening.referral import record_answer
from services.screening.results import announce, settle
from services.screening.withdrawal import withdraw_consent
from services.store.tables import photo, reading, referral, screening, sync_event
from services.sync.events import record_result
from services.sync.history import begin_for, write_on
from services.sync.identity import Identity

NORMAL: dict[str, Any] = {"outcome": "rescreen", "probability": 0.03, "oedema_probability": 0.01}
REFERABLE: dict[str, Any] = {"outcome": "refer", "probability": 0.9, "oedema_probability": 0.8}


def read(site: Runtime, code: str, eye: str, found: dict[str, Any], identity: str) -> None:
    """A photograph that came, was read and settled, as the inference worker does it."""
    came = send_photograph(site, code, eye, identity)
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == came.id).values(state="read"))
        tx.execute(reading.insert().values(reading_of(came, **found)))
        settle(tx, came, reason="")


def waiting(site: Runtime) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(sync_event).where(sync_event.c.acked_at.is_(None)).order_by(sync_event.c.seq)))


def acknowledge(site: Runtime) -> None:
    with site.db.write() as tx:
        tx.execute(sync_event.update().values(acked_at=1))


def test_a_decided_screening_is_recorded_with_its_readings(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", NORMAL, "one")
    assert waiting(site) == [], "not decided yet"
    read(site, code, "right", NORMAL, "two")
    (event,) = waiting(site)
    assert (event.kind, event.screening_id, event.urgent) == ("result", 1, False)
    assert {
        name: event.content[name] for name in ("programme", "sex", "birth_year", "priority", "outcome", "worker")
    } == {
        "programme": "dr",
        "sex": "female",
        "birth_year": 1961,
        "priority": "routine",
        "outcome": "rescreen",
        "worker": 1,
    }
    assert event.content["opened_at"] <= event.content["decided_at"]
    assert [(each["eye"], each["outcome"], each["oedema"]) for each in event.content["readings"]] == [
        ("left", "rescreen", 0.01),
        ("right", "rescreen", 0.01),
    ]
    words = json.dumps(event.content)
    assert not any(secret in words for secret in (code, PATIENT[1:], WORKER[1:], "Achieng"))


def test_a_later_photograph_takes_the_place_of_what_waits(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", REFERABLE, "one")
    (first,) = waiting(site)
    read(site, code, "right", NORMAL, "two")
    (second,) = waiting(site)
    assert second.seq > first.seq
    assert (second.content["outcome"], len(second.content["readings"])) == ("refer", 2)
    acknowledge(site)
    read(site, code, "right", REFERABLE, "three")
    (third,) = waiting(site)
    assert len(third.content["readings"]) == 3, "what the hub has already is told anew"


@pytest.mark.parametrize(
    ("priority", "outcome", "urgent"),
    [("urgent", "refer", True), ("urgent", "rescreen", False), ("routine", "refer", False)],
)
def test_an_urgent_referral_is_urgent(site: Runtime, priority: str, outcome: Any, urgent: bool) -> None:
    open_case(site)
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority=priority))
        announce(tx, 1, outcome)
    assert [event.urgent for event in waiting(site)] == [urgent]


def test_what_fails_is_not_recorded(site: Runtime) -> None:
    open_case(site)

    def fail() -> None:
        with site.db.write() as tx:
            announce(tx, 1, "refer")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(site) == []


def test_a_withdrawal_forgets_what_waited_and_what_went(site: Runtime) -> None:
    code = open_case(site)
    with site.db.write() as tx:
        announce(tx, 1, "rescreen")
    acknowledge(site)
    with site.db.write() as tx:
        announce(tx, 1, "refer")
        assert withdraw_consent(tx, code=code, msisdn=WORKER, by="worker", channel="ussd") == {"state": "done"}
    with site.db.read() as tx:
        rows = tx.execute(sa.select(sync_event.c.kind, sync_event.c.content, sync_event.c.acked_at)).all()
    assert rows == [("withdrawn", {}, None)]
    with site.db.write() as tx:
        record_result(tx, 1)
    assert [event.kind for event in waiting(site)] == ["withdrawn"]


def test_a_number_is_never_given_twice(site: Runtime) -> None:
    code = open_case(site)
    with site.db.write() as tx:
        announce(tx, 1, "refer")
    (first,) = waiting(site)
    with site.db.write() as tx:
        withdraw_consent(tx, code=code, msisdn=WORKER, by="worker", channel="ussd")
    (second,) = waiting(site)
    assert second.seq > first.seq


def test_whether_a_patient_went_is_recorded(site: Runtime) -> None:
    open_case(site)
    with site.db.write() as tx:
        announce(tx, 1, "refer")
        number = tx.execute(sa.select(referral.c.id)).scalar_one()
        record_answer(tx, referral_id=number, answer="cannot", reason="fare", by="patient")
    event = waiting(site)[-1]
    assert (event.kind, event.screening_id) == ("visit", 1)
    assert {name: event.content[name] for name in ("answer", "reason", "by")} == {
        "answer": "cannot",
        "reason": "fare",
        "by": "patient",
    }


def test_a_new_hub_is_told_what_was_decided_before(site: Runtime) -> None:
    code = open_case(site)
    decide(site, code, "refer")
    with site.db.write() as tx:
        tx.execute(screening.update().values(decided_at=5))
    identity = Identity(1, "", "", "", bytes(32), b"")
    with site.db.write() as tx:
        begin_for(tx, identity)
        assert not write_on(tx)
    assert [(event.kind, event.content["outcome"]) for event in waiting(site)] == [("result", "refer")]
    acknowledge(site)
    with site.db.write() as tx:
        begin_for(tx, identity)
        assert not write_on(tx), "once for each enrolment"
        assert tx.execute(sa.select(sa.func.count()).select_from(sync_event)).scalar_one() == 1
        begin_for(tx, Identity(2, "", "", "", bytes(31) + b"2", b""))
        write_on(tx)
    assert [event.kind for event in waiting(site)] == ["result"]
