"""Whatever a call says to everybody is rendered beforehand: each way through is walked for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, decide, open_another
from sqlalchemy.engine import Connection

from flows.render_voice import Utterance, VoiceStep
from flows.sessions import begin, save
from flows.voice import voice_turn
from services.calls.repertoire import repertoire
from services.channels.base import Kind, VoiceEvent
from services.messaging.outbox import ring
from services.runtime import Runtime
from services.screening.cases import find
from services.screening.follow_up import due_in_a_year
from services.screening.people import add_worker, set_language
from services.screening.referral import VISIT_CALL, destination, open_referral
from services.screening.risk import RISK_CALL, record_risk
from services.screening.withdrawal import withdraw_consent
from services.store.tables import follow_up, referral, screening

# What cannot be rendered beforehand, and why.
EXCEPTIONS = {
    "photo-which": "counts photographs: a worker goes on by call with what she sent",
}
NUMBERS = ("1", "7", "50", "160", "100", "1961", "0722000002")
DEEPEST = 40


@pytest.fixture
def codes(site: Runtime) -> list[str]:
    """One code a state that a screening can be in, and one of nobody."""
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
        set_language(tx, msisdn=PATIENT, language="en")
    waiting, clear, referred, urgent, withdrawn, due = found = [open_another(site) for _ in range(6)]
    for code, outcome in ((clear, "rescreen"), (referred, "refer"), (urgent, "refer"), (due, "rescreen")):
        decide(site, code, outcome)
    with site.db.write() as tx:
        tx.execute(screening.update().where(screening.c.code == urgent).values(priority="urgent"))
        for code, priority in ((referred, "routine"), (urgent, "urgent")):
            open_referral(tx, find(tx, code, PATIENT).id, priority)
        due_in_a_year(tx, find(tx, due, PATIENT).id)
        tx.execute(follow_up.update().values(state="invited"))
        withdraw_consent(tx, code=withdrawn, msisdn=PATIENT, by="patient", channel="voice")
    assert waiting != clear
    return [*found, "100009", "111111"]


class Walk:
    """Every way through a call, as far as it says something that was not said yet."""

    def __init__(self, tx: Connection, person: str, codes: list[str], direction: str) -> None:
        self.tx, self.person, self.codes, self.direction = tx, person, codes, direction
        self.tried: set[tuple[tuple[str, ...], str]] = set()
        self.said: list[Utterance] = []

    def on(self, digits: str | None = None, depth: int = 0) -> None:
        event = VoiceEvent("ATVId_1", self.direction, self.person, "+254711082000", True, digits)
        step = voice_turn(self.tx, event, person=self.person)
        for prompt in step.prompts:
            if not prompt.private and prompt not in self.said:
                self.said.append(prompt)
        if step.ended or depth == DEEPEST:
            return
        heard = tuple(prompt.id for prompt in step.prompts)
        for answer in self.answers(step):
            if (heard, answer) not in self.tried:
                self.tried.add((heard, answer))
                branch = self.tx.begin_nested()
                self.on(answer or None, depth + 1)
                branch.rollback()

    def answers(self, step: VoiceStep) -> list[str]:
        keys = [str(prompt.params["key"]) for prompt in step.prompts if prompt.id == "voice-press"]
        if step.digits == 6:
            return [*self.codes, "0", ""]
        if step.digits == 0:
            return [*NUMBERS, "0", ""]
        return [*keys, "", "9", "0"]


def placed_for_a_result(tx: Connection, person: str) -> str:
    ring(tx, person, key="result", purpose="result", language="en", useful_ms=1)
    return "outbound"


def placed_for_a_risk(tx: Connection, person: str) -> str:
    answers = {"age": 50, "sex": "female", "height_cm": 160, "weight_kg": 72, "waist_cm": 90}
    habits = dict.fromkeys(("active_daily", "greens_daily", "pressure_medicine", "high_glucose"), True)
    common = {"msisdn": person, "worker": False, "channel": "sms", "consent_version": "test"}
    record_risk(tx, **common, answers=answers | habits | {"family": "near"})
    ring(tx, person, key="risk", purpose=RISK_CALL, language="en", useful_ms=1)
    return "outbound"


def placed_for_a_visit(tx: Connection, person: str) -> str:
    return _placed_for(tx, person, "refer")


def placed_for_a_code(tx: Connection, person: str) -> str:
    return _placed_for(tx, person, "refer", shared=True)


def placed_for_an_invitation(tx: Connection, person: str) -> str:
    return _placed_for(tx, person, "rescreen")


def _placed_for(tx: Connection, person: str, outcome: str, *, shared: bool = False) -> str:
    """In place of a message about the newest screening with this outcome that did not arrive."""
    found = sa.select(sa.func.max(screening.c.id)).where(screening.c.outcome == outcome)
    screening_id = tx.execute(found).scalar_one()
    if not shared:
        tx.execute(referral.update().where(referral.c.screening_id != screening_id).values(state="closed"))
    tx.execute(follow_up.update().values(state="unreached"))
    ring(tx, person, key="v", purpose=VISIT_CALL, language="en", useful_ms=1, screening_id=screening_id)
    return "outbound"


def rung_by_her(_tx: Connection, _person: str) -> str:
    return "inbound"


def goes_on_from_a_menu(tx: Connection, person: str) -> str:
    return _begun_by_message(tx, person, "menu", "language", "3")


def goes_on_with_a_photograph(tx: Connection, person: str) -> str:
    return _begun_by_message(tx, person, "photograph", "482918", photos=[[1, None, None], [2, None, None]])


def goes_on_with_an_eye_among_pictures(tx: Connection, person: str) -> str:
    return _begun_by_message(tx, person, "photograph", "1", photos=[[1, None, None]])


def _begun_by_message(tx: Connection, person: str, flow: str, *answers: str, photos: object = None) -> str:
    talk = begin(tx, person, Kind.SMS, "message", flow, **({"photos": photos} if photos else {}))
    for answer in answers:
        talk.step(tx, answer)
    save(tx, talk)
    return "inbound"


STARTS = [
    (PATIENT, placed_for_a_result),
    (PATIENT, placed_for_a_risk),
    (PATIENT, placed_for_a_visit),
    (PATIENT, placed_for_a_code),
    (PATIENT, placed_for_an_invitation),
    (PATIENT, rung_by_her),
    (WORKER, rung_by_her),
    (PATIENT, goes_on_from_a_menu),
    (WORKER, goes_on_from_a_menu),
    (WORKER, goes_on_with_a_photograph),
]


def walk(site: Runtime, codes: list[str]) -> Iterator[Utterance]:
    for person, start in STARTS:
        with site.db.write() as tx:
            whole = tx.begin_nested()
            direction = start(tx, person)
            found = Walk(tx, person, codes, direction)
            found.on()
            whole.rollback()
        assert len(found.said) > 8, start.__name__
        yield from found.said


def test_every_sentence_for_everybody_is_rendered_beforehand(site: Runtime, codes: list[str]) -> None:
    with site.db.read() as tx:
        rendered = repertoire(site.settings, destination(tx))
    said: list[Utterance] = []
    for each in walk(site, codes):
        if each not in said:
            said.append(each)
    missing = [each for each in said if each not in rendered and each.id not in EXCEPTIONS]
    assert missing == []
    assert {each.id for each in said} >= set(EXCEPTIONS)


@pytest.mark.parametrize("programmes", ["dr,maize"])
def test_so_is_what_another_programme_says(site: Runtime) -> None:
    with site.db.read() as tx:
        rendered = repertoire(site.settings, destination(tx))
    said: list[Utterance] = []
    for start in (rung_by_her, goes_on_with_an_eye_among_pictures):
        with site.db.write() as tx:
            set_language(tx, msisdn=PATIENT, language="en")
            whole = tx.begin_nested()
            found = Walk(tx, PATIENT, [], start(tx, PATIENT))
            found.on()
            whole.rollback()
        said += found.said
    assert {"ask-maize-spots", "maize-rust-do", "ask-photo-code"} <= {each.id for each in said}
    assert [each for each in said if each not in rendered and each.id not in EXCEPTIONS] == []
