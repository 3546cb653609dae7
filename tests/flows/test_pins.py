"""A health worker's list is behind a PIN of her own, where the clinic asks for one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from open_rows import conversations
from phones import WORKER, Ussd

from flows.catalogue import text
from flows.programmes import worker_menu
from services import settings
from services.runtime import Runtime
from services.screening.pins import forget_pin
from services.store.tables import worker

Clinic = Callable[[str], Runtime]


@pytest.fixture(autouse=True)
def _asks_for_a_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JICHO_WORKER_PIN", "true")


def lists(phone: Ussd) -> str:
    """The screen after the menu's line for her list."""
    phone.dial()
    return phone.press(str(1 + tuple(worker_menu()).index("lists")))


def says(screen: str, message_id: str) -> bool:
    return text("en", message_id) in screen.replace("\n", " ")


def test_she_chooses_it_at_the_first_use_and_types_it_from_then_on(clinic: Clinic) -> None:
    site = clinic("en")
    assert settings.current().worker_pin
    phone = Ussd(site)
    assert says(lists(phone), "ask-pin-new")
    assert says(phone.press("12"), "error-pin")
    assert says(phone.press("7777"), "error-pin-simple")
    assert says(phone.press("4829"), "ask-pin-again")
    assert says(phone.press("4820"), "pin-differs")
    phone.press("4829")
    assert says(phone.press("4829"), "ask-lists")
    assert says(phone.press("2"), "lists-none")

    assert says(lists(phone), "ask-pin")
    assert says(phone.press("9999"), "error-pin-simple")
    assert says(phone.press("4820"), "pin-wrong")
    assert says(phone.press("4829"), "ask-lists")


def test_wrong_ones_lock_it_and_the_clinic_can_reset_it(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    lists(phone)
    phone.press("4829")
    phone.press("4829")
    for tried in (3, 2):
        lists(phone)
        screens = [phone.press(f"123{number}") for number in range(tried)]
    assert says(screens[-1], "pin-locked")
    assert says(lists(phone), "pin-locked"), "the right one is not looked at either"
    with site.db.write() as tx:
        assert forget_pin(tx, msisdn=WORKER)
    assert says(lists(phone), "ask-pin-new")


def test_no_digits_of_it_are_kept(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Ussd(site)
    lists(phone)
    phone.press("482917")
    phone.press("482917")
    with site.db.read() as tx:
        kept = tx.execute(sa.select(worker.c.pin)).scalar_one()
        journal = json.dumps(conversations(tx, sa.true())[-1].journal)
    assert len(kept) == 22
    assert "482917" not in journal
    assert kept in journal


def test_where_none_is_asked_for_there_is_none(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    site = clinic("en")
    monkeypatch.setenv("JICHO_WORKER_PIN", "false")
    settings.current.cache_clear()
    assert says(lists(Ussd(site)), "ask-lists")
