"""Somebody at the site judges photographs: by the hub's rules, with what follows at once, and never less cautiously
than another person did."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from console import account, screened

from flows.catalogue import text
from services.people.accounts import listed
from services.runtime import Runtime
from services.screening.judging import NotToJudge, judge
from services.screening.opinions import EyeFinding, Opinion, Unsound
from services.store.rows import opened
from services.store.tables import message, reading, referral, review, screening, sync_event
from services.sync import verdicts
from services.sync.events import RESULT
from services.sync.verdicts import Here

GRADED = {"left": EyeFinding(2), "right": EyeFinding(0)}
NORMAL = {"left": EyeFinding(1), "right": EyeFinding(0)}


@pytest.fixture
def people(site: Runtime) -> dict[str, Here]:
    account(site, "achieng", "nurse")
    account(site, "atieno", "reviewer")
    with site.db.read() as tx:
        numbers = {each["name"]: each["id"] for each in listed(tx)}
    return {"nurse": Here(numbers["achieng"], "nurse"), "reviewer": Here(numbers["atieno"], "reviewer")}


def say(site: Runtime, case: int, by: Here, outcome: Any, eyes: Any = GRADED, *, last: int | None = None) -> str:
    with site.db.write() as tx:
        newest = tx.execute(sa.select(sa.func.max(reading.c.id)).where(reading.c.screening_id == case)).scalar_one()
        return judge(tx, case, by, newest if last is None else last, Opinion(eyes, outcome))


def outcome_of(site: Runtime, case: int) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(screening.c.outcome).where(screening.c.id == case)).scalar_one()


def said_to_worker(site: Runtime, case: int) -> list[str]:
    with site.db.read() as tx:
        rows = tx.execute(
            sa.select(message)
            .where(message.c.screening_id == case, message.c.purpose == "review")
            .order_by(message.c.id)
        ).all()
        return [opened(message.c.text, row) for row in rows if row.kind == "sms"]


def results_sent(site: Runtime, case: int) -> list[str]:
    with site.db.read() as tx:
        of_case = sync_event.c.screening_id == case, sync_event.c.kind == RESULT
        return [row.content["outcome"] for row in tx.execute(sa.select(sync_event).where(*of_case))]


def test_a_reviewer_takes_a_referral_back(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site)
    assert outcome_of(site, case) == "refer"
    assert say(site, case, people["reviewer"], "rescreen", NORMAL) == "called"
    assert outcome_of(site, case) == "rescreen"
    with site.db.read() as tx:
        assert tx.execute(sa.select(referral.c.state)).scalar_one() == "withdrawn"
        kept = tx.execute(sa.select(review)).one()
    assert (kept.account_id, kept.role, kept.outcome_before) == (people["reviewer"].account, "reviewer", "refer")
    worker_says, patient_says = said_to_worker(site, case)
    assert "a specialist has looked" in worker_says
    assert patient_says == text("sw", "patient-news", clinic="Jicho", ussd="*384*77#")
    assert results_sent(site, case) == ["rescreen"], "the hub judges what holds"


def test_a_nurse_is_no_specialist(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site, "rescreen", "rescreen")
    assert say(site, case, people["nurse"], "refer") == "called"
    worker_says = said_to_worker(site, case)[0]
    assert "the clinic has looked at the photos again: REFER" in worker_says
    with site.db.read() as tx:
        assert tx.execute(sa.select(referral.c.state)).scalar_one() == "open"


def test_to_confirm_changes_nothing_and_tells_the_patient_nothing(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site)
    assert say(site, case, people["nurse"], "refer") == "unchanged"
    assert said_to_worker(site, case) == []
    assert say(site, case, people["reviewer"], "refer") == "unchanged"
    assert outcome_of(site, case) == "refer"


@pytest.mark.parametrize(
    ("outcome", "eyes", "why"),
    [
        ("rescreen", GRADED, "unsound-referable"),
        ("rescreen", {"left": EyeFinding(0, oedema=True), "right": EyeFinding(0)}, "unsound-referable"),
        ("rescreen", {"left": EyeFinding(None), "right": EyeFinding(0)}, "unsound-ungradable"),
        ("retake", NORMAL, "unsound-retake"),
        ("refer", {"left": EyeFinding(2)}, "unsound-eyes"),
        ("refer", {"left": EyeFinding(7), "right": EyeFinding(0)}, "unsound-grade"),
    ],
)
def test_the_rules_are_the_hubs(
    site: Runtime, people: dict[str, Here], outcome: str, eyes: dict[str, EyeFinding], why: str
) -> None:
    with pytest.raises(Unsound, match=why):
        say(site, screened(site), people["reviewer"], outcome, eyes)


def test_another_persons_caution_stands(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site, "rescreen", "rescreen")
    say(site, case, people["reviewer"], "refer")
    with pytest.raises(NotToJudge, match="review-held"):
        say(site, case, people["nurse"], "rescreen", NORMAL)
    assert outcome_of(site, case) == "refer"
    assert say(site, case, people["reviewer"], "rescreen", NORMAL) == "called", "she takes it back herself"


def test_the_hubs_caution_stands_too(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site, "rescreen", "rescreen")
    eyes = {"left": {"grade": 3, "oedema": False}, "right": {"grade": 0, "oedema": False}}
    verdict = {"screening": case, "review": 4, "seq": 9, "reviewer": 2, "outcome": "refer", "eyes": eyes, "at": 1}
    with site.db.write() as tx:
        verdicts.apply(tx, verdict)
    with pytest.raises(NotToJudge, match="review-held"):
        say(site, case, people["reviewer"], "rescreen", NORMAL)


def test_what_is_newer_than_what_was_seen_is_looked_at_first(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site)
    with pytest.raises(NotToJudge, match="review-newer"):
        say(site, case, people["nurse"], "refer", last=1)
    with pytest.raises(NotToJudge, match="review-gone"):
        say(site, case + 1, people["nurse"], "refer", last=2)


def test_a_retake_waits_for_another_photograph(site: Runtime, people: dict[str, Here]) -> None:
    case = screened(site, "rescreen", "rescreen")
    ungradable = {"left": EyeFinding(None), "right": EyeFinding(0)}
    assert say(site, case, people["nurse"], "retake", ungradable) == "called"
    assert outcome_of(site, case) is None
    assert "The clinic could not judge the photo" in said_to_worker(site, case)[0]
