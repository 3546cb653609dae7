"""Who is told what, for each way the photographs of two eyes can turn out."""

from __future__ import annotations

from typing import Any

import pytest
from open_rows import texts
from phones import PATIENT, WORKER, open_case, reading_of, send_photograph

from services.runtime import Runtime
from services.screening.cases import result_for
from services.screening.facilities import Facility, put, remove
from services.screening.results import settle
from services.store.tables import message, reading

KINDS: dict[str, dict[str, Any]] = {
    "normal": {"outcome": "rescreen"},
    "doubtful": {"outcome": "retake"},
    "ungradable": {"outcome": "retake", "gradable": False},
    "retinopathy": {"outcome": "refer", "signs": ["retinopathy"]},
    "oedema": {"outcome": "refer", "signs": ["oedema"]},
    "both": {"outcome": "refer", "signs": ["retinopathy", "oedema"]},
}


@pytest.fixture
def code(site: Runtime) -> str:
    return open_case(site, language="en")


def conclude(site: Runtime, code: str, eye: str, kind: str, identity: str) -> str:
    """What the worker is told when a photograph of this eye reads like this."""
    row = send_photograph(site, code, eye, identity)
    with site.db.write() as tx:
        tx.execute(reading.insert().values(reading_of(row, **KINDS[kind])))
        settle(tx, row, reason="quality-blurred")
    with site.db.read() as tx:
        told = texts(tx, message.c.recipient == WORKER, message.c.dedupe_key.startswith(f"read:{row.id}"))
    return told[-1] if told else ""


def outcome(site: Runtime, code: str) -> str | None:
    with site.db.write() as tx:
        found: str | None = result_for(tx, code=code, msisdn=PATIENT)["outcome"]
        return found


@pytest.mark.parametrize(
    ("kinds", "words", "decided"),
    [
        (["doubtful"], "RETAKE. The reading is not certain", None),
        (["ungradable"], "RETAKE. The photo cannot be graded: it is blurred", None),
        (["doubtful", "doubtful"], "REFER. Two photos gave no certain result", "refer"),
        (["doubtful", "ungradable"], "REFER. Two photos gave no certain result", "refer"),
        (["ungradable", "doubtful"], "REFER. Two photos gave no certain result", "refer"),
        (["ungradable", "ungradable"], "REFER. Two photos could not be graded (it is blurred)", "refer"),
        (["doubtful", "normal"], "no referable signs. Now send the right eye", None),
        (["normal", "doubtful"], "RETAKE. The reading is not certain", None),
        (["retinopathy"], "REFER. The machine sees signs of referable retinopathy", "refer"),
        (["oedema"], "REFER. The machine suspects swelling", "refer"),
        (["both"], "REFER. The machine sees signs of referable retinopathy", "refer"),
        (["oedema", "normal"], "REFER. The machine suspects swelling", "refer"),
        (["doubtful", "oedema"], "REFER. The machine suspects swelling", "refer"),
    ],
)
def test_what_the_worker_is_told_of_one_eye(
    site: Runtime, code: str, kinds: list[str], words: str, decided: str | None
) -> None:
    told = [conclude(site, code, "left", kind, str(at)) for at, kind in enumerate(kinds)]
    assert words in told[-1]
    assert outcome(site, code) == decided


def test_a_doubtful_eye_keeps_a_patient_from_being_called_normal(site: Runtime, code: str) -> None:
    conclude(site, code, "left", "doubtful", "1")
    assert "left eye still has to be taken again" in conclude(site, code, "right", "normal", "2")
    assert outcome(site, code) is None
    assert "Both eyes are done" in conclude(site, code, "left", "normal", "3")
    assert outcome(site, code) == "rescreen"


@pytest.mark.parametrize("kind", ["oedema", "both", "retinopathy"])
def test_a_patients_sms_says_nothing_clinical(site: Runtime, code: str, kind: str) -> None:
    conclude(site, code, "left", kind, "1")
    with site.db.read() as tx:
        (words,) = texts(tx, message.c.recipient == PATIENT, message.c.kind == "sms")
    assert "is ready" in words
    assert not {"refer", "swelling", "signs", "oedema"} & set(words.lower().split())


def test_where_to_go_is_named_where_the_verdict_is(site: Runtime, code: str) -> None:
    with site.db.write() as tx:
        put(tx, Facility("Kisumu Eye Unit", "Kisumu", days=("mon", "thu")))
    told = conclude(site, code, "left", "retinopathy", "1")
    assert "Send the patient to Kisumu Eye Unit, Kisumu." in told
    with site.db.write() as tx:
        put(tx, Facility("Eye Hospital", "Siaya", ours=True))
        found = result_for(tx, code=code, msisdn=PATIENT)
        assert (found["place"], found["opening"]) == ("Kisumu Eye Unit, Kisumu", ["open-mon", "open-thu"]), "it stays"
        remove(tx, 1)
        found = result_for(tx, code=code, msisdn=PATIENT)
        assert (found["place"], found["opening"]) == ("Eye Hospital, Siaya", [])
        remove(tx, 2)
        assert result_for(tx, code=code, msisdn=PATIENT)["place"] == "place-eye-clinic"
        words = texts(tx, message.c.recipient == PATIENT)
    assert not [each for each in words if "Kisumu" in each]
