"""From a dialled conversation to the answer in the outbox: once, on the worker's channel, and never a diagnosis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import messages as sent_messages
from phones import WORKER, Chat, Ussd

from flows.catalogue import LANGUAGES, messages, text
from flows.conversation import Step
from flows.questions import Confirm
from flows.render_ussd import LIMIT, length, pages
from services import queue
from services.channels.base import Kind
from services.runtime import Runtime
from services.screening.engines import MODELS
from services.screening.people import add_worker, opt_out_of, remove_worker
from services.screening.symptoms import OLDEST, SYMPTOMS, YOUNGEST, assess_symptoms, record_symptoms
from services.store.tables import message, outbox, symptom_assessment

ROOT = Path(__file__).parents[3]
MENU = "5"  # of a worker's menu


@pytest.fixture(autouse=True)
def achieng(site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")


def answers(*present: str, age: int = 45) -> list[str]:
    return [MENU, "98", "1", str(age), *("1" if symptom in present else "2" for symptom in SYMPTOMS)]


def dial(site: Runtime, *typed: str) -> str:
    phone = Ussd(site)
    screen = phone.dial()
    for each in typed:
        screen = phone.press(each)
    return screen


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)))


def job(site: Runtime) -> Any:
    (row,) = [row for row in rows(site, outbox) if row.task == "assess_symptoms"]
    return row


def test_the_number_of_the_menu_is_the_one_shown(site: Runtime) -> None:
    assert f"{MENU}. {text('en', 'menu-symptoms')}" in dial(site)


@pytest.mark.parametrize(
    ("present", "age", "said"),
    [
        (("polyuria", "polydipsia"), 45, "symptoms-advised"),
        (("itching",), 25, "symptoms-not-advised"),
        ((), 30, "symptoms-not-advised"),
    ],
)
def test_from_the_dialled_answers_to_the_message(site: Runtime, present: tuple[str, ...], age: int, said: str) -> None:
    screen = dial(site, *answers(*present, age=age))
    assert screen == f"END {text('en', 'symptoms-recorded', number=1)}"
    (before,) = rows(site, symptom_assessment)
    assert (before.age, before.symptoms, before.judged_at) == (age, list(present), None)
    assert (job(site).queue, job(site).argument) == ("inference", {"assessment_id": 1})

    for _ in range(2):
        queue.perform(job(site).id)
        assess_symptoms(site, {"assessment_id": 1})  # a worker that died before its row was marked

    (row,) = rows(site, symptom_assessment)
    assert row.advised == (said == "symptoms-advised") == (row.probability >= row.threshold)
    assert row.model_sha256 == json.loads((MODELS / "risk" / "manifest.json").read_text())["tiers"]["full"]["sha256"]
    assert job(site).state == "done"
    with site.db.read() as tx:
        (sent,) = sent_messages(tx)
    assert (sent.kind, sent.recipient, sent.text) == ("sms", WORKER, text("en", said, number=1, age=age))
    assert [row.task for row in rows(site, outbox)] == ["assess_symptoms", "send_message"]


def test_a_chat_is_answered_where_it_was_asked(site: Runtime) -> None:
    chat = Chat(site, Kind.WHATSAPP)
    chat.write("hello")
    for typed in answers("polyuria", "polydipsia"):
        if typed != "98":  # a chat has no pages
            chat.write(typed)
    queue.perform(job(site).id)
    (sent,) = rows(site, message)
    assert sent.kind == "whatsapp"


def test_an_answer_that_was_asked_for_comes_after_stop_too(site: Runtime) -> None:
    dial(site, *answers())
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=WORKER, kind="sms")
    queue.perform(job(site).id)
    (sent,) = rows(site, message)
    assert sent.purpose == "reply", "which delivery does not hold back"


def test_without_consent_nothing_is_kept(site: Runtime) -> None:
    assert text("en", "consent-declined") in dial(site, MENU, "98", "2")
    assert rows(site, symptom_assessment) == rows(site, outbox) == []


@pytest.mark.parametrize("age", [YOUNGEST - 1, OLDEST + 1])
def test_an_age_the_model_never_saw_is_asked_again(site: Runtime, age: int) -> None:
    assert text("en", "error-number", low=YOUNGEST, high=OLDEST) in dial(site, MENU, "98", "1", str(age))


def test_no_symptom_can_be_skipped(site: Runtime) -> None:
    screen = dial(site, MENU, "98", "1", "45", "3")
    assert text("en", "error-choice", last=2) in screen
    assert text("en", "ask-symptom-polyuria") in screen


def test_a_worker_removed_meanwhile_records_nothing(site: Runtime) -> None:
    phone = Ussd(site)
    phone.dial()
    *most, last = answers()
    for typed in most:
        phone.press(typed)
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    assert text("en", "screening-refused") in phone.press(last)
    assert rows(site, symptom_assessment) == []


def test_an_unknown_symptom_is_a_programming_error(site: Runtime) -> None:
    with site.db.write() as tx, pytest.raises(ValueError, match="toothache"):
        record_symptoms(
            tx, msisdn=WORKER, age=45, symptoms=["toothache"], consent_version="test", channel="ussd"
        )  # fmt: skip


def test_what_is_asked_is_what_the_model_reads() -> None:
    age, *symptoms = json.loads((MODELS / "risk" / "manifest.json").read_text())["inputs"]
    assert (age["name"], age["low"], age["high"]) == ("age", YOUNGEST, OLDEST)
    assert [each["name"] for each in symptoms] == list(SYMPTOMS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_fits_one_screen(language: str) -> None:
    for symptom in SYMPTOMS:
        (screen,) = pages(Step(language, [], Confirm(f"ask-symptom-{symptom}")))
        assert length(screen) <= LIMIT
    # What can be said of the answers is a screening's words.
    assert {name for name in messages(language) if name.startswith("symptoms-")} == {
        "symptoms-recorded",
        "symptoms-advised",
        "symptoms-not-advised",
    }


def test_the_conversation_loads_no_model() -> None:
    program = "import sys, flows.symptoms; print([m for m in ('numpy', 'onnxruntime') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
