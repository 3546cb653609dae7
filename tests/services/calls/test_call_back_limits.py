"""Who is rung back, how often, and at what cost; and who is put through to whom."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
from defusedxml.ElementTree import fromstring
from phones import PATIENT, WORKER, open_case

from services.calls.dialogue import answer_call, spent_on_calls
from services.channels.base import Kind, VoiceEvent
from services.channels.voice_xml import Dial, render
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.people import remove_worker, who_helps
from services.store import clock
from services.store.tables import clip, message

CLINIC = "+254711082000"


def ring(site: Runtime, number: str, session: str = "in") -> int:
    """Rings the clinic; how many calls back there are then."""
    (verb,) = fromstring(answer_call(site, VoiceEvent(session, "inbound", number, CLINIC, True), step=""))
    assert verb.tag == "Reject"
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).where(message.c.purpose == "call-back")).scalar_one())


def set_to(site: Runtime, **values: object) -> None:
    site.settings = site.settings.model_copy(update=values)


def spend(site: Runtime, *costs: str, age_ms: int = 0) -> None:
    with site.db.write() as tx:
        for number, cost in enumerate(costs):
            key = f"{cost}-{number}-{age_ms}"
            post(tx, Kind.VOICE, PATIENT, "", key=key, purpose="result", language="sw", prepare=True)
            values = {"cost": cost, "created_at": clock.now_ms() - age_ms}
            tx.execute(message.update().where(message.c.dedupe_key == key).values(values))


def test_calls_a_day_are_an_operator_s_to_set(site: Runtime) -> None:
    set_to(site, calls_a_day=2)
    assert [ring(site, f"+25472200000{each}", f"in{each}") for each in range(4)] == [1, 2, 2, 2]
    set_to(site, calls_a_day=0)
    assert ring(site, "+254722000009", "in9") == 2


@pytest.mark.parametrize(
    ("costs", "rung"),
    [
        ((), 1),
        (("KES 49.5",), 1),
        (("KES 49.5", "KES 0.50"), 0),
        (("50",), 0),
        (("", "None", "KES"), 1),
        (("KES 1.05", "KES 100.00"), 0),
    ],
)
def test_no_call_back_once_the_day_s_money_is_spent(site: Runtime, costs: tuple[str, ...], rung: int) -> None:
    set_to(site, call_spending_a_day=50.0)
    spend(site, *costs)
    assert ring(site, PATIENT) == rung


def test_yesterday_s_calls_are_paid(site: Runtime) -> None:
    set_to(site, call_spending_a_day=50.0)
    spend(site, "KES 200", age_ms=clock.DAY_MS + 1)
    assert ring(site, PATIENT) == 1
    with site.db.read() as tx:
        assert spent_on_calls(tx, since=0) == 200
        assert spent_on_calls(tx, since=clock.now_ms() - clock.DAY_MS) == 0


def test_without_a_limit_nothing_is_counted(site: Runtime) -> None:
    spend(site, "KES 1000000")
    assert ring(site, PATIENT) == 1


def test_a_person_is_the_worker_who_screened_else_the_clinic(site: Runtime) -> None:
    with site.db.read() as tx:
        assert who_helps(tx, msisdn=PATIENT) == {"phone": ""}
    open_case(site)
    with site.db.write() as tx:
        assert who_helps(tx, msisdn=PATIENT) == {"phone": WORKER}
        assert who_helps(tx, msisdn="+254733000009") == {"phone": ""}
        assert who_helps(tx, msisdn=WORKER) == {"phone": ""}
        remove_worker(tx, msisdn=WORKER)
        assert who_helps(tx, msisdn=PATIENT) == {"phone": ""}


def test_a_call_is_put_through_once(site: Runtime) -> None:
    open_case(site)
    set_to(site, voice_on_incoming="answer")

    def press(digits: str | None) -> Element:
        event = VoiceEvent("in", "inbound", PATIENT, CLINIC, True, digits)
        answered: Element = fromstring(answer_call(site, event, step=""))
        with site.db.write() as tx:
            tx.execute(clip.update().values(state="ready"))
        again: Element = fromstring(answer_call(site, event, step="again"))
        return again if answered[0].tag in ("Play", "Say") and answered[-1].tag == "Redirect" else answered

    press(None)
    press("0")
    verbs = press("4")
    assert [verb.tag for verb in verbs] == ["Play", "Dial", "Redirect"]
    assert verbs[1].attrib == {"phoneNumbers": WORKER, "maxDuration": "600"}
    assert "Dial" not in {verb.tag for verb in press(None)}


def test_the_verb_is_escaped() -> None:
    (verb,) = fromstring(render([Dial('"><Reject/>', longest_s=5)]))
    assert verb.attrib == {"phoneNumbers": '"><Reject/>', "maxDuration": "5"}
