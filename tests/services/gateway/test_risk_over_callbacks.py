"""The risk questions as carriers bring them: form posts in, one row of answers in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from open_rows import texts
from phones import PATIENT

from app import create_app
from flows.catalogue import text
from flows.render_ussd import LIMIT, length
from services.calls.clips import Clips
from services.runtime import Runtime
from services.screening.people import set_language
from services.store.sealing import phone_token
from services.store.tables import risk_assessment

# Consent, no diabetes; 61 years, male, 168 cm, 78 kg, 101 cm; does not move, eats greens, takes medicine, no high
# sugar, a brother: 3 + 1 + 3 + 2 + 0 + 2 + 0 + 5 = 16 points.
ANSWERS = ("1", "2", "61", "2", "168", "78", "101", "2", "1", "1", "2", "3")


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language="en")
    with create_app().test_client() as found:
        yield found


@pytest.fixture
def at(site: Runtime) -> str:
    return f"/at/{site.settings.at_token.get_secret_value()}"


def kept(site: Runtime) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(risk_assessment)).one()


def test_by_ussd_in_two_sessions(site: Runtime, client: FlaskClient, at: str) -> None:
    def send(session: str, typed: str) -> str:
        form = {"sessionId": session, "serviceCode": "*384*77#", "phoneNumber": PATIENT, "networkCode": "63902"}
        answer = client.post(f"{at}/ussd", data=form | {"text": typed})
        assert answer.status_code == 200
        assert length(answer.text[4:]) <= LIMIT
        return answer.text

    pressed = ""
    assert "5. Diabetes risk" in send("S1", "")
    for key in ("5", "98", *ANSWERS[:5]):
        pressed = f"{pressed}*{key}".removeprefix("*")
        asked = send("S1", pressed)
    assert text("en", "ask-risk-weight") in asked
    assert text("en", "ask-resume") in send("S2", "")
    pressed = "1"
    assert send("S2", pressed) == asked
    for key in ANSWERS[5:]:
        pressed = f"{pressed}*{key}"
        screen = send("S2", pressed)
        assert send("S2", pressed) == screen, "a carrier's retry"
    assert screen.startswith(f"CON {text('en', 'risk-points', points=16, most=26)}\n{text('en', 'risk-high')[:40]}")
    last = send("S2", f"{pressed}*98")
    assert last.startswith("END ")
    assert last.endswith(text("en", "risk-eyes"))
    row = kept(site)
    assert (row.msisdn, row.channel, row.points, row.category, row.missing) == (
        phone_token(PATIENT),
        "ussd",
        16,
        "high",
        [],
    )


def test_by_sms(site: Runtime, client: FlaskClient, at: str) -> None:
    for number, words in enumerate(("Hatari!", "98", *ANSWERS, "2")):
        form = {"date": "2026-11-24 09:00:00", "from": PATIENT, "id": f"sms-{number}", "text": words, "to": "38477"}
        for _ in range(2):
            assert client.post(f"{at}/sms", data=form).status_code == 200
    row = kept(site)
    assert (row.msisdn, row.channel, row.points, row.category) == (phone_token(PATIENT), "sms", 16, "high")
    with site.db.read() as tx:
        replies = texts(tx)
    assert len(replies) == len(ANSWERS) + 3
    assert replies[-1] == text("en", "goodbye")
    assert not any("risk:" in reply.casefold() for reply in replies)


def test_by_voice_on_a_call_that_is_answered(
    site: Runtime, client: FlaskClient, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.calls.dialogue.ensure", lambda *_, **__: Clips((), True))  # as if all audio was there
    monkeypatch.setattr(site, "settings", site.settings.model_copy(update={"voice_on_incoming": "answer"}))
    call = {"isActive": "1", "sessionId": "ATVId_1", "direction": "Inbound", "callerNumber": PATIENT}
    for keys in (None, "2", *ANSWERS):
        form = call | {"destinationNumber": "+254711082000"} | ({"dtmfDigits": keys} if keys else {})
        answer = client.post(f"{at}/voice", data=form)
        assert "<GetDigits" in answer.text
    assert (kept(site).channel, kept(site).points) == ("voice", 16)
