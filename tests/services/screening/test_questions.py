"""Photographs that belong to no case: answered once on the channel that they came by, by the real model, and erased."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, open_case
from PIL import Image

from flows.catalogue import LANGUAGES, text
from models.maize.phantom import draw
from services.channels.base import Inbound, Kind, Media
from services.fhir import edge
from services.fhir.source import Cursor
from services.messaging.holding import Held
from services.messaging.inbox import receive
from services.programmes import installed
from services.runtime import Runtime
from services.screening import engines, policy
from services.screening.people import set_language
from services.store.tables import message, outbox, photo, photo_question, reading, sync_event

SAYS = installed()["maize"].says
_IDS = itertools.count(1)


@pytest.fixture
def programmes() -> str:
    return "dr,maize"


def leaf(sign: str | None = "Gray_Leaf_Spot", seed: int = 1) -> bytes:
    file = io.BytesIO()
    draw(seed, 600, sign).save(file, "JPEG", quality=92)
    return file.getvalue()


def noise() -> bytes:
    """A picture of nothing."""
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((800, 600)).save(file, "JPEG", quality=85)
    return file.getvalue()


def send(
    site: Runtime, content: bytes, *, kind: Kind = Kind.WHATSAPP, sender: str = PATIENT, word: str = "maize"
) -> int:
    media = (Media("image/jpeg", content=content),)
    assert receive(site, Inbound("test", kind, f"m{next(_IDS)}", sender, "", word, media))
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.max(photo.c.id))).scalar_one())


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id if "id" in table.c else table.c.seq)))


def answers(site: Runtime) -> list[tuple[str, str]]:
    """Kind and words of what was sent as an answer; a voice note has no words."""
    return [(row.kind, said(row)) for row in rows(site, message) if row.dedupe_key.startswith("answer:")]


def said(row: Any) -> str:
    try:
        from services.messaging.outbox import text_of
    except ImportError:  # a store that seals nothing
        return str(row.text)
    return text_of(row)


def test_a_leaf_is_answered_once_with_a_voice_note_and_erased(site: Runtime) -> None:
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language="luo")
    photo_id = send(site, leaf())
    (before,) = rows(site, photo)
    assert (before.state, before.screening_id) == ("attached", None)
    for _ in range(3):
        policy.read_routine(site, {"photo_id": photo_id})
    words = "\n".join(text("luo", each) for each in SAYS["Gray_Leaf_Spot"])
    assert answers(site) == [("whatsapp", words), ("whatsapp", "")]
    (note,) = [row for row in rows(site, outbox) if row.task == "prepare_note"]
    assert note.argument["messages"] == list(SAYS["Gray_Leaf_Spot"])
    (after,) = rows(site, photo)
    assert (after.state, after.sha256, after.locator) == ("read", None, "")
    with pytest.raises(FileNotFoundError):
        site.media.content(before.sha256)
    (asked,) = rows(site, photo_question)
    assert (asked.programme, asked.found, asked.tier, asked.model_name) == (
        "maize",
        "Gray_Leaf_Spot",
        "full",
        "jicho-maize",
    )
    assert asked.probability > asked.abstain_below
    assert not [column for column in photo_question.c if "msisdn" in column.name or "sender" in column.name]


@pytest.mark.parametrize(
    ("content", "found"),
    [(leaf("Blight", 3), "Blight"), (leaf(None, 2), "Healthy"), (noise(), None)],
    ids=["blight", "healthy", "nothing"],
)
def test_what_is_found_is_said_by_sms_to_who_sent_a_picture_message(
    site: Runtime, content: bytes, found: str | None
) -> None:
    photo_id = send(site, content, kind=Kind.MMS, word="mahindi")
    policy.read_routine(site, {"photo_id": photo_id})
    assert [row.found for row in rows(site, photo_question)] == [found]
    assert answers(site) == [("sms", "\n".join(text("sw", each) for each in SAYS[found or ""]))]


def test_what_is_no_photograph_is_said_and_erased(site: Runtime) -> None:
    photo_id = send(site, b"\xff\xd8 no picture")
    policy.read_routine(site, {"photo_id": photo_id})
    (row,) = rows(site, photo)
    assert (row.state, row.sha256) == ("refused", None)
    assert answers(site) == [("whatsapp", text("en", row.error))]
    assert [each.found for each in rows(site, photo_question)] == [None]


def test_the_same_picture_of_two_farmers_is_answered_to_both_and_then_erased(site: Runtime) -> None:
    first, second = send(site, leaf()), send(site, leaf(), sender="+254733000003")
    sha256 = rows(site, photo)[0].sha256
    policy.read_routine(site, {"photo_id": first})
    assert site.media.content(sha256), "the other one still waits"
    policy.read_routine(site, {"photo_id": second})
    assert len(answers(site)) == 4
    with pytest.raises(FileNotFoundError):
        site.media.content(sha256)


def test_a_patients_photograph_of_the_same_bytes_stays(site: Runtime) -> None:
    code, content = open_case(site), leaf()
    send(site, content, sender=WORKER, word=f"{code} left", kind=Kind.MMS)
    sha256 = rows(site, photo)[0].sha256
    policy.read_routine(site, {"photo_id": send(site, content)})
    assert site.media.content(sha256)


def test_a_question_waits_for_power(site: Runtime) -> None:
    photo_id = send(site, leaf())
    (site.settings.data_dir / "probes.json").write_text(
        json.dumps({"battery_percent": 5, "on_mains": False, "memory_mb": 4096, "disk_mb": 10_000})
    )
    with pytest.raises(Held):
        policy.read_routine(site, {"photo_id": photo_id})
    assert answers(site) == []


def test_each_case_is_read_by_its_own_model_and_no_leaf_goes_further(site: Runtime) -> None:
    code = open_case(site)
    eye = send(site, leaf(), sender=WORKER, word=f"{code} left", kind=Kind.MMS)
    policy.read_routine(site, {"photo_id": eye})
    policy.read_routine(site, {"photo_id": send(site, leaf(seed=2))})
    assert [row.model_name for row in rows(site, reading)] == ["jicho-dr"]
    assert [row.model_name for row in rows(site, photo_question)] == ["jicho-maize"]
    assert rows(site, sync_event) == [], "a leaf is no result of anybody's"
    assert edge.Site(site).changes(Cursor(), 10) == []
    assert engines.grader("dr") is not engines.classifier("maize")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_takes_two_sms_at_most(language: str) -> None:
    for found, messages in SAYS.items():
        assert len("\n".join(text(language, each) for each in messages)) <= 2 * 153, found


def test_every_class_has_an_answer() -> None:
    assert SAYS.keys() == {*engines.classifier("maize").manifest.classes, ""}
