"""What networks and people do to a USSD session, and what must not come of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import change_conversation, conversations
from phones import PATIENT, WORKER, Ussd, decide

from flows.catalogue import text
from flows.ussd import ussd_turn
from services.channels.base import UssdTurn
from services.runtime import Runtime
from services.screening.people import add_worker, remove_worker
from services.settings import current
from services.store import clock
from services.store.tables import conversation, screening

Clinic = Callable[[str], Runtime]
UNTIL_CONSENT = ("1", "1", "1961", "0722000002", "1", "98")


def count(site: Runtime, table: sa.Table) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def newest(site: Runtime, msisdn: str = WORKER) -> Any:
    with site.db.read() as tx:
        return conversations(tx, conversation.c.msisdn == msisdn)[-1]


def asks(screen: str, message_id: str, language: str = "en", **params: object) -> bool:
    """Whether a screen begins this message (it may go on on the next page)."""
    return text(language, message_id, **params)[:60] in screen.replace("\n", " ") or (
        text(language, message_id, **params) in screen
    )


def test_a_repeated_request_gets_the_same_answer_and_does_nothing(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    first = phone.dial()
    assert [phone.send("") for _ in range(3)] == [first] * 3
    for answer in (*UNTIL_CONSENT, "1", "2"):
        screen = phone.press(answer)
        before = newest(site)
        assert [phone.send(phone.text) for _ in range(3)] == [screen] * 3
        assert newest(site) == before
    assert screen.startswith("END Code: ")
    assert count(site, screening) == 1


def test_a_request_that_was_outrun_is_answered_without_going_back(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    phone.press("1")
    screen = phone.press("1")
    for older in ("", "1"):
        assert phone.send(older) == screen
    assert asks(phone.press("1961"), "ask-patient-phone")


def test_a_late_request_of_an_older_session_opens_nothing(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    for answer in (*UNTIL_CONSENT, "1", "2"):
        told = phone.press(answer)
    old_session, old_text = phone.session, phone.text
    phone.dial()
    menu = newest(site)
    assert phone.send(old_text, session=old_session) == told
    assert newest(site) == menu
    assert count(site, screening) == 1
    assert asks(phone.press("1"), "ask-sex")


def test_a_late_request_of_a_session_that_was_resumed_elsewhere(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    phone.press("1")
    asked = phone.press("1")
    old_session, old_text = phone.session, phone.text
    phone.dial()
    assert phone.send(old_text, session=old_session) == asked
    assert asks(phone.press("1"), "ask-birth-year")


@pytest.mark.parametrize("typed", ["****", "*", "a*b", "*1961*", "19*61"])
def test_stars_that_were_typed_belong_to_the_answer(clinic: Clinic, typed: str) -> None:
    phone = Ussd(clinic("en"))
    phone.dial()
    phone.press("1")
    phone.press("1")
    assert "Please type a number" in phone.press(typed)
    assert asks(phone.press("1961"), "ask-patient-phone")


def test_a_deep_dial_answers_the_first_questions(clinic: Clinic) -> None:
    phone = Ussd(clinic("en"))
    assert asks(phone.dial("1*1*1961"), "ask-patient-phone")
    assert asks(phone.press("0722000002"), "ask-patient-language")


def test_what_does_not_fit_in_a_deep_dial_is_asked(clinic: Clinic) -> None:
    phone = Ussd(clinic("en"))
    assert asks(phone.dial("1*1*61*1*1"), "ask-birth-year")
    assert asks(phone.press("1961"), "ask-patient-phone")
    assert phone.dial("77").startswith("CON Jicho: Achieng")


def test_consent_is_never_dialled_ahead(clinic: Clinic) -> None:
    site = clinic("en")
    screen = Ussd(site).dial("1*1*1961*1*1*1*1*1")
    assert asks(screen, "ask-consent")
    assert count(site, screening) == 0


def test_a_very_long_deep_dial_is_cut(clinic: Clinic) -> None:
    site = clinic("en")
    assert Ussd(site).dial("*".join(["4", "3"] * 5000)).startswith("CON ")
    assert len(newest(site).journal) <= 40


def test_consent_is_read_to_its_end_before_it_is_given(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    for answer in UNTIL_CONSENT[:-1]:
        screen = phone.press(answer)
    assert phone.press("1") == screen
    assert count(site, screening) == 0


def test_a_dropped_conversation_goes_on(clinic: Clinic) -> None:
    phone = Ussd(clinic("en"))
    phone.dial()
    for answer in ("1", "1", "1961"):
        screen = phone.press(answer)
    assert asks(phone.dial(), "ask-resume")
    assert phone.press("1") == screen
    assert asks(phone.press("0722000002"), "ask-patient-language")


def test_nothing_is_offered_when_nothing_was_answered_or_all_is_done(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    menu = phone.dial()
    assert phone.dial() == menu
    for answer in (*UNTIL_CONSENT, "2"):
        phone.press(answer)
    assert phone.dial() == menu


def test_after_a_day_a_conversation_is_not_offered_again(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = Ussd(clinic("en"))
    menu = phone.dial()
    phone.press("1")
    tomorrow = clock.now_ms() + clock.DAY_MS + 1
    monkeypatch.setattr("flows.sessions.now_ms", lambda: tomorrow)
    assert phone.dial() == menu


def test_who_is_no_worker_any_more_does_not_go_on_as_one(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    for answer in UNTIL_CONSENT:
        phone.press(answer)
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    phone.dial()
    assert asks(phone.press("1"), "ask-menu")
    assert count(site, screening) == 0


def test_a_session_id_opens_nothing_to_another_number(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    for answer in (*UNTIL_CONSENT, "1", "2"):
        told = phone.press(answer)
    for spied in (phone.text, "", "1"):
        stolen = phone.send(spied, msisdn="+254733000009")
        assert stolen != told
        assert "Code: " not in stolen
    assert count(site, screening) == 1


def test_a_network_that_sends_only_the_last_input(clinic: Clinic) -> None:
    site = clinic("en")
    session = iter(range(100))

    def send(typed: str, number: int) -> str:
        turn = UssdTurn(f"S{number}", "*384*77#", WORKER, "63903", typed)
        with site.db.write() as tx:
            return ussd_turn(tx, turn, current_only_networks=frozenset({"63903"}))

    this = next(session)
    assert send("", this).startswith("CON Jicho: Achieng")
    assert asks(send("1", this), "ask-sex")
    assert asks(send("2", this), "ask-birth-year")
    assert asks(send("1961", this), "ask-patient-phone")


def test_on_such_a_network_the_same_input_again_is_an_answer_but_not_at_once(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = clinic("en")
    now = [clock.now_ms()]
    monkeypatch.setattr("flows.sessions.now_ms", lambda: now[0])
    monkeypatch.setattr("flows.ussd.now_ms", lambda: now[0])

    def send(typed: str) -> str:
        with site.db.write() as tx:
            return ussd_turn(
                tx,
                UssdTurn("S1", "*384*77#", WORKER, "63903", typed),
                current_only_networks=frozenset({"63903"}),
            )

    send("")
    asked = send("1")
    now[0] += 500
    assert send("1") == asked
    now[0] += 5_000
    assert asks(send("1"), "ask-birth-year")


def test_a_network_nobody_listed_is_understood_when_its_text_does_not_grow(clinic: Clinic) -> None:
    phone = Ussd(clinic("en"))
    phone.dial()
    assert asks(phone.send("1"), "ask-sex")
    assert asks(phone.send("2"), "ask-birth-year")
    assert asks(phone.send("1961"), "ask-patient-phone")


def test_back_says_why_when_it_cannot(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site, PATIENT)
    phone.dial("2")
    phone.press("100009")
    screen = phone.press("0")
    assert asks(screen, "error-back")
    assert asks(screen, "ask-result-code")


def test_a_result_on_two_pages_is_read_and_ends(clinic: Clinic) -> None:
    site = clinic("sw")
    worker = Ussd(site)
    worker.dial()
    for answer in (*UNTIL_CONSENT, "1", "2"):
        screen = worker.press(answer)
    code = next(word.strip(".") for word in screen.split() if word.strip(".").isdigit() and len(word.strip(".")) == 6)
    decide(site, code, "refer")
    phone = Ussd(site, PATIENT)
    phone.dial("1")
    first = phone.press(code)
    assert first.startswith("CON ")
    assert text("sw", "ussd-more") in first
    last = phone.press("98")
    assert last.startswith("END ")
    assert phone.send(phone.text) == last


def test_a_conversation_of_an_older_release_starts_again_and_says_so(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    phone.dial()
    phone.press("1")
    phone.press("1")
    with site.db.write() as tx:
        journal = newest(site).journal
        journal[1][1] = "ask-gender"
        change_conversation(tx, journal=journal)
    screen = phone.press("1961")
    assert asks(screen, "restarted")
    assert "1. Open a screening" in screen


@pytest.mark.parametrize(
    "broken",
    [{"flow": "chess"}, {"caller": {"msisdn": WORKER, "shoe_size": 41}}, {"caller": None}],
)
def test_a_conversation_nobody_understands_any_more_is_left_alone(clinic: Clinic, broken: dict[str, Any]) -> None:
    site = clinic("en")
    phone = Ussd(site)
    menu = phone.dial()
    phone.press("1")
    with site.db.write() as tx:
        if "flow" in broken:
            tx.execute(conversation.update().values(broken))
        else:
            change_conversation(tx, **broken)
    assert phone.dial() == menu


def test_a_worker_is_greeted_by_her_own_name(site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Ng’ong’o {0} – €[ŋ]", language="luo")
    assert Ussd(site).dial().splitlines()[0] == "CON Jicho: Ng'ong'o {0} - €[ng']"


def test_a_patient_s_number_is_of_the_region_that_was_set(monkeypatch: pytest.MonkeyPatch, clinic: Clinic) -> None:
    monkeypatch.setenv("JICHO_REGION", "UG")
    current.cache_clear()
    site = clinic("en")
    phone = Ussd(site)
    phone.dial("1*1*1961")
    assert asks(phone.press("0772000002"), "ask-patient-language")
    assert newest(site).journal[-1][2] == "+256772000002"
