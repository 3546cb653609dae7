"""What a reviewer's verdict changes at the site, and who is told of it how."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import messages
from phones import PATIENT, WORKER, Ussd, Voice, open_case, reading_of, send_photograph

from services.messaging.delivery import _claim
from services.runtime import Runtime
from services.screening.cases import finish_with_one_eye, result_for
from services.screening.people import opt_out_of
from services.screening.referral import record_answer
from services.screening.results import settle
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.screening.worklist import pending_of
from services.store.clock import DAY_MS, now_ms
from services.store.tables import follow_up, message, photo, reading, referral, retake, review, screening, sync_event
from services.sync.batch import Down
from services.sync.down import apply

KINDS: dict[str, dict[str, Any]] = {
    "normal": {"outcome": "rescreen"},
    "retinopathy": {"outcome": "refer", "signs": ["retinopathy"]},
    "ungradable": {"outcome": "retake", "gradable": False},
}
NORMAL = {"grade": 0, "oedema": False}
MODERATE = {"grade": 2, "oedema": False}
UNGRADABLE = {"grade": None, "oedema": False}


class Clinic:
    """A site whose hub sends verdicts."""

    def __init__(self, site: Runtime) -> None:
        self.site, self.code, self._items, self._photos = site, open_case(site, language="en"), 0, 0

    def read(self, eye: str, kind: str) -> None:
        """A photograph comes and is read like this."""
        self._photos += 1
        came = send_photograph(self.site, self.code, eye, f"photo-{self._photos}")
        with self.site.db.write() as tx:
            tx.execute(reading.insert().values(reading_of(came, **KINDS[kind])))
            tx.execute(photo.update().where(photo.c.id == came.id).values(state="read"))
            settle(tx, came, reason="quality-dark")

    def judge(self, verdict: str, left: Any = NORMAL, right: Any = NORMAL, **changes: Any) -> None:
        """The hub sends what a reviewer found in the newest result."""
        with self.site.db.write() as tx:
            newest = tx.execute(sa.select(sa.func.max(sync_event.c.seq)).where(sync_event.c.kind == "result")).scalar()
            content = {
                "screening": 1, "review": self._items + 1, "seq": newest, "reviewer": 7, "outcome": verdict,
                "eyes": {"left": left, "right": right}, "note": None, "at": 1000 + self._items,
            }  # fmt: skip
            self._items += 1
            assert apply(tx, Down(self._items, "verdict", content | changes))

    def said(self) -> list[tuple[str, str, str]]:
        """Messages of reviews: to whom, how, what."""
        with self.site.db.read() as tx:
            rows = messages(tx, message.c.purpose == "review")
        return [("worker" if row.recipient == WORKER else "patient", row.kind, row.text) for row in rows]

    def rows(self, table: sa.Table) -> list[Any]:
        with self.site.db.read() as tx:
            return list(tx.execute(sa.select(table).order_by(table.c.id)))

    def case(self) -> Any:
        return self.rows(screening)[0]

    def told(self) -> list[str]:
        """What the hub is told of it."""
        with self.site.db.read() as tx:
            rows = tx.execute(sa.select(sync_event.c.content).where(sync_event.c.kind == "verdict-told"))
            return [content["patient"] for (content,) in rows]

    def result(self) -> dict[str, Any]:
        with self.site.db.write() as tx:
            return result_for(tx, code=self.code, msisdn=PATIENT)


@pytest.fixture
def clinic(site: Runtime) -> Clinic:
    return Clinic(site)


@pytest.fixture
def referred(clinic: Clinic) -> Clinic:
    """A patient whom the model refers."""
    clinic.read("left", "retinopathy")
    clinic.read("right", "normal")
    return clinic


@pytest.fixture
def normal(clinic: Clinic) -> Clinic:
    """A patient in whom the model sees nothing."""
    clinic.read("left", "normal")
    clinic.read("right", "normal")
    return clinic


def test_what_is_confirmed_is_told_to_the_worker_only(referred: Clinic) -> None:
    referred.judge("refer", MODERATE)
    (told,) = referred.said()
    assert told == ("worker", "sms", f"{referred.code}: a specialist has looked at the photos. "
                    "The result stays as it was.")  # fmt: skip
    assert referred.told() == ["unchanged"]
    assert referred.result() | {"place": ""} == {
        "state": "ready", "outcome": "refer", "reviewed": True, "place": "", "opening": [], "urgent": False
    }  # fmt: skip
    referred.judge("refer", MODERATE, note="review-note-thanks")
    assert [text for _, _, text in referred.said()][1:] == [
        f"{referred.code}, from the specialist: these are good photos. Thank you."
    ]


def test_a_referral_is_taken_back(referred: Clinic) -> None:
    referred.judge("rescreen", review=40)
    worker, patient, call = referred.said()
    assert worker[2].endswith("no referable signs. The visit is not needed. Check again in 12 months.")
    assert patient[:2] == ("patient", "sms")
    assert patient[2].startswith("There is news about your eye check at Jicho. We will call you.")
    assert call == ("patient", "voice", ""), "nothing of the verdict is written to her"
    assert [(row.state, row.next_at) for row in referred.rows(referral)] == [("withdrawn", None)]
    assert [row.state for row in referred.rows(follow_up)] == ["waiting"]
    assert (referred.case().state, referred.case().outcome) == ("decided", "rescreen")
    (kept,) = referred.rows(review)
    assert (kept.review_ref, kept.reviewer, kept.outcome_before, kept.outcome) == (40, 7, "refer", "rescreen")
    assert referred.told() == ["called"]
    with referred.site.db.write() as tx:
        answer = record_answer(tx, referral_id=1, answer="cannot", reason="money", by="patient")
    assert answer == {"state": "withdrawn"}, "a reminder that was answered late sends nobody to her"


def test_a_patient_who_was_called_normal_is_referred(normal: Clinic) -> None:
    normal.judge("refer", MODERATE)
    worker, patient, call = normal.said()
    assert "REFER. Send the patient to the eye clinic." in worker[2]
    assert (patient[1], call[1]) == ("sms", "voice")
    (opened,) = normal.rows(referral)
    assert (opened.state, opened.next_at is not None) == ("open", True)
    assert [row.state for row in normal.rows(follow_up)] == ["referred"]


def test_photographs_are_taken_again_and_read_anew(referred: Clinic) -> None:
    referred.judge("retake", UNGRADABLE, note="review-note-field")
    worker, patient, _, note = referred.said()
    assert worker[2] == (
        f"{referred.code} left eye: RETAKE. A specialist could not judge the photo. Please take it again."
    )
    assert patient[0] == "patient"
    assert note[2].startswith(f"{referred.code}, from the specialist: the optic disc")
    assert (referred.case().state, referred.case().outcome) == ("open", None)
    assert [(row.eye, row.state) for row in referred.rows(retake)] == [("left", "asked")]
    assert referred.result()["outcome"] == "retake"
    with referred.site.db.write() as tx:
        (listed,) = pending_of(tx, worker=WORKER)["screenings"]
        assert (listed["left"], listed["right"]) == ("retake", "done")
        assert finish_with_one_eye(tx, code=referred.code, worker=WORKER) == {"state": "waiting"}
    referred.read("left", "normal")
    assert referred.case().outcome == "rescreen", "the model's referral was of the photographs that are set aside"
    assert [row.state for row in referred.rows(retake)] == ["done"]
    assert referred.result()["reviewed"] is False, "nobody has looked at the new ones"
    with referred.site.db.read() as tx:
        keys = tx.execute(sa.select(message.c.dedupe_key).where(message.c.purpose == "result")).scalars().all()
    assert len(keys) == 4, "she is told of the new result as of the first"


def test_a_second_ungradable_photograph_refers_after_a_reviewer_too(referred: Clinic) -> None:
    referred.judge("retake", UNGRADABLE)
    referred.read("left", "ungradable")
    assert referred.case().outcome == "refer"
    (opened,) = referred.rows(referral)
    assert (opened.state, opened.messages) == ("open", 0), "the withdrawn referral begins anew"


def test_who_has_no_phone_is_told_by_the_worker(site: Runtime, referred: Clinic) -> None:
    with site.db.write() as tx:
        tx.execute(screening.update().values(patient_msisdn=None))
    referred.judge("rescreen")
    assert [who for who, _, _ in referred.said()] == ["worker", "worker"]
    assert referred.said()[1][2].endswith("Please tell the patient yourself.")
    assert referred.told() == ["worker"]


def test_who_said_stop_is_told_by_the_worker(site: Runtime, referred: Clinic) -> None:
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=PATIENT, kind="sms")
    referred.judge("rescreen")
    assert {who for who, _, _ in referred.said()} == {"worker"}


def test_nothing_is_said_of_who_took_her_consent_back(site: Runtime, referred: Clinic) -> None:
    with site.db.write() as tx:
        withdraw_consent(tx, code=referred.code, msisdn=PATIENT, by="patient", channel="ussd")
    referred.judge("rescreen", seq=1)
    assert (referred.said(), referred.rows(review), referred.told()) == ([], [], [])


def test_what_was_reviewed_is_erased_with_the_consent(site: Runtime, referred: Clinic) -> None:
    referred.judge("retake", UNGRADABLE)
    with site.db.write() as tx:
        withdraw_consent(tx, code=referred.code, msisdn=PATIENT, by="patient", channel="ussd")
    erase_screening(site, {"screening_id": 1, "final": True})
    assert referred.rows(review) == []
    assert referred.result()["state"] == "withdrawn"


@pytest.mark.parametrize(
    "changes", [{"screening": 99}, {"outcome": "diagnose"}, {"eyes": {"third": NORMAL}}, {"reviewer": "Dr Atieno"}]
)
def test_what_makes_no_sense_is_passed_over(referred: Clinic, changes: dict[str, Any]) -> None:
    referred.judge("rescreen", **changes)
    assert (referred.said(), referred.told(), referred.case().outcome) == ([], [], "refer")


def test_a_verdict_that_comes_twice_is_applied_once(referred: Clinic) -> None:
    referred.judge("rescreen", review=5, at=77)
    before = referred.said()
    referred.judge("rescreen", review=5, at=77)
    assert (referred.said(), len(referred.rows(review))) == (before, 1)


def test_an_older_verdict_takes_nothing_back_that_is_newer(normal: Clinic) -> None:
    seen = 1
    normal.read("left", "retinopathy")
    normal.judge("rescreen", seq=seen)
    assert normal.case().outcome == "refer"
    assert normal.told() == ["stale"]
    assert normal.result()["reviewed"] is False
    normal.judge("retake", UNGRADABLE, seq=seen)
    assert normal.told() == ["stale", "stale"]


def test_a_more_cautious_verdict_counts_however_old(normal: Clinic) -> None:
    normal.read("left", "normal")
    normal.judge("refer", MODERATE, seq=1)
    assert (normal.case().outcome, normal.told()) == ("refer", ["called"])


def test_who_was_seen_by_a_doctor_is_not_called_back(referred: Clinic) -> None:
    with referred.site.db.write() as tx:
        record_answer(tx, referral_id=1, answer="yes", reason=None, by="patient")
    referred.judge("rescreen")
    assert (referred.said(), referred.told(), referred.case().outcome) == ([], ["attended"], "refer")


def test_an_eye_that_was_never_photographed_is_asked_for(clinic: Clinic) -> None:
    clinic.read("left", "retinopathy")
    one_eye = {"eyes": {"left": NORMAL}}
    clinic.judge("rescreen", **one_eye)
    assert (clinic.case().outcome, clinic.told()) == ("refer", ["stale"])
    clinic.judge("retake", **one_eye)
    assert clinic.said()[0][2] == f"{clinic.code}: a specialist found nothing to refer yet. Now send the right eye."
    assert [(row.eye, row.state) for row in clinic.rows(retake)] == [("right", "asked")], "without it she is referred"
    with clinic.site.db.write() as tx:
        assert finish_with_one_eye(tx, code=clinic.code, worker=WORKER) == {"state": "done"}
    assert clinic.case().outcome == "rescreen"


def test_what_the_reviewer_cannot_see_stands_as_the_model_found_it(clinic: Clinic) -> None:
    clinic.read("left", "retinopathy")
    clinic.read("right", "retinopathy")
    clinic.judge("rescreen", eyes={"left": NORMAL})
    clinic.judge("retake", eyes={"left": UNGRADABLE})
    assert (clinic.case().outcome, clinic.told()) == ("refer", ["stale", "stale"])


def test_one_eye_is_enough_where_the_model_found_nothing_in_the_other(referred: Clinic) -> None:
    referred.judge("rescreen", eyes={"left": NORMAL})
    assert (referred.case().outcome, referred.told()) == ("rescreen", ["called"])


def test_sudden_loss_of_sight_is_never_called_normal(site: Runtime, referred: Clinic) -> None:
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority="urgent"))
    referred.judge("rescreen")
    assert (referred.case().outcome, referred.told()) == ("refer", ["stale"])


def test_a_code_that_is_too_old_needs_a_new_screening(site: Runtime, referred: Clinic) -> None:
    with site.db.write() as tx:
        tx.execute(screening.update().values(opened_at=now_ms() - 31 * DAY_MS))
    referred.judge("retake", UNGRADABLE)
    assert "Please open a new screening" in referred.said()[0][2]


@pytest.mark.parametrize(("night", "goes"), [(True, False), (False, True)])
def test_nobody_is_woken_by_a_review(
    referred: Clinic, monkeypatch: pytest.MonkeyPatch, night: bool, goes: bool
) -> None:
    referred.judge("rescreen")
    monkeypatch.setattr("services.messaging.delivery.is_night", lambda _: night)
    with referred.site.db.write() as tx:
        wanted = tx.execute(sa.select(message.c.id).where(message.c.purpose == "review")).scalars().all()
        assert [_claim(tx, number) is not None for number in wanted] == [goes] * 3


@pytest.fixture
def called(referred: Clinic) -> Voice:
    referred.judge("rescreen")
    return Voice(referred.site)


def test_the_call_says_that_a_specialist_looked(referred: Clinic, called: Voice) -> None:
    called.event()
    said = [prompt.id for prompt in called.event(referred.code).prompts]
    assert said[:2] == ["result-reviewed", "result-rescreen"]


def test_the_screen_says_so_too(referred: Clinic) -> None:
    referred.judge("retake", UNGRADABLE)
    phone = Ussd(referred.site, PATIENT)
    phone.dial()
    phone.press("3")
    phone.press("1")
    screen = phone.press(referred.code)
    assert "A specialist has looked at your photos." in screen
    assert "Please go back to Jicho to have them taken." in screen.replace("\n", " ")
