"""Which photographs go to the hub, and that nothing stays of those whose consent was taken back."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa
from phones import WORKER, open_case, reading_of, send_photograph
from uploading import photograph

from services import settings
from services.runtime import Runtime
from services.screening.decision import Finding
from services.screening.results import announce
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.store.files import read_sealed
from services.store.keyring import site_keys
from services.store.tables import consent, photo, photo_upload, reading, screening
from services.sync.about import Grid
from services.sync.events import record_result
from services.sync.photographs import backlog, choose_asked, eyes_to_show, outgoing
from services.sync.preparing import prepare_photograph

NORMAL = {"outcome": "rescreen", "probability": 0.03}
REFERABLE = {"outcome": "refer", "probability": 0.9, "signs": ["retinopathy"]}
DOUBTFUL = {"outcome": "retake", "probability": 0.2}
UNGRADABLE = {"outcome": "retake", "gradable": False, "quality_score": 0.1}


def read(site: Runtime, code: str, eye: str, found: dict[str, Any], identity: str, *, seed: int = 1) -> int:
    """A photograph that came and was read: its number."""
    came = send_photograph(site, code, eye, identity)
    content = photograph(seed)
    sha256 = hashlib.sha256(content).hexdigest()
    site.media.replace(sha256, content)
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == came.id).values(state="read", sha256=sha256))
        tx.execute(reading.insert().values(reading_of(came, **found)))
    return int(came.id)


def decide(site: Runtime, outcome: Any) -> None:
    with site.db.write() as tx:
        announce(tx, 1, outcome)


def chosen(site: Runtime) -> list[int]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(photo_upload.c.photo_id).order_by(photo_upload.c.photo_id)).scalars())


@pytest.mark.parametrize(
    ("left", "right", "outcome", "shown"),
    [
        (["refer"], ["rescreen"], "refer", {"left"}),
        (["refer"], ["refer"], "refer", {"left", "right"}),
        (["rescreen"], ["rescreen"], "rescreen", set()),
        (["retake", "rescreen"], ["rescreen"], "rescreen", set()),
        (["doubtful", "rescreen"], ["rescreen"], "rescreen", {"left"}),
        (["retake", "retake"], ["rescreen"], "refer", {"left"}),
        (["retake", "doubtful"], [], "refer", {"left"}),
        (["refer", "rescreen"], [], "refer", {"left"}),
        (["rescreen"], ["rescreen"], "refer", {"left", "right"}),
        (["retake"], ["rescreen"], "refer", {"left", "right"}),
        (["retake"], [], None, set()),
    ],
)
def test_eyes_to_look_at_again(left: list[Finding], right: list[Finding], outcome: str | None, shown: set[str]) -> None:
    assert eyes_to_show({"left": left, "right": right}, outcome) == shown


@pytest.mark.parametrize(("wanted", "numbers"), [("needed", [1]), ("all", [1, 2]), ("none", [])])
def test_the_site_says_which(site: Runtime, monkeypatch: pytest.MonkeyPatch, wanted: str, numbers: list[int]) -> None:
    monkeypatch.setenv("JICHO_SYNC_PHOTOGRAPHS", wanted)
    settings.current.cache_clear()
    code = open_case(site)
    read(site, code, "left", REFERABLE, "1")
    read(site, code, "right", NORMAL, "2")
    decide(site, "refer")
    assert chosen(site) == numbers


def test_a_later_photograph_of_a_decided_screening_follows(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", NORMAL, "1")
    read(site, code, "right", NORMAL, "2")
    decide(site, "rescreen")
    assert chosen(site) == []
    read(site, code, "right", REFERABLE, "3")
    decide(site, "refer")
    assert chosen(site) == [2, 3], "all of that eye, since they contradict each other"
    with site.db.write() as tx:
        record_result(tx, 1)
    assert chosen(site) == [2, 3]


def test_the_hub_may_ask_for_a_normal_one(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", NORMAL, "1")
    read(site, code, "right", NORMAL, "2")
    decide(site, "rescreen")
    with site.db.write() as tx:
        choose_asked(tx, {"screening": 1})
        choose_asked(tx, {"screening": 99})
    assert chosen(site) == [1, 2]


def test_nothing_is_chosen_without_a_standing_consent(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", REFERABLE, "1")
    with site.db.write() as tx:
        tx.execute(consent.update().values(withdrawn_at=1))
    decide(site, "refer")
    assert chosen(site) == []
    with site.db.write() as tx:
        choose_asked(tx, {"screening": 1})
    assert chosen(site) == []


def test_a_withdrawn_consent_leaves_neither_row_nor_file(site: Runtime) -> None:
    code = open_case(site)
    number = read(site, code, "left", REFERABLE, "1")
    decide(site, "refer")
    prepare_photograph(site, {"photo_id": number})
    assert outgoing(site, number).exists()
    assert backlog(site) == {"waiting": 1, "refused": 0}
    with site.db.write() as tx:
        assert withdraw_consent(tx, code=code, msisdn=WORKER, by="worker", channel="ussd") == {"state": "done"}
    assert chosen(site) == []
    erase_screening(site, {"screening_id": 1, "final": False})
    assert not outgoing(site, number).exists()
    prepare_photograph(site, {"photo_id": number})
    assert not outgoing(site, number).exists()


def test_a_consent_taken_back_while_the_file_is_made(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    code = open_case(site)
    number = read(site, code, "left", REFERABLE, "1")
    decide(site, "refer")
    from services.sync import preparing

    def slowly(*arguments: Any) -> Any:
        with site.db.write() as tx:
            withdraw_consent(tx, code=code, msisdn=WORKER, by="worker", channel="ussd")
        return real(*arguments)

    real = preparing._prepared
    monkeypatch.setattr(preparing, "_prepared", slowly)
    prepare_photograph(site, {"photo_id": number})
    assert not outgoing(site, number).exists()


def test_a_file_is_made_with_what_the_model_says_of_it(site: Runtime) -> None:
    code = open_case(site)
    number = read(site, code, "left", REFERABLE, "1")
    decide(site, "refer")
    prepare_photograph(site, {"photo_id": number})
    with site.db.read() as tx:
        row = tx.execute(sa.select(photo_upload)).one()
    content = read_sealed(outgoing(site, number), site_keys())
    assert (row.state, row.bytes, row.sha256) == ("ready", len(content), hashlib.sha256(content).hexdigest())
    assert row.probability_before > 0.5
    assert row.probability_after > 0.5
    grid = Grid.from_text(row.heat)
    assert max(grid.cells) == 255, "the strongest cell"
    assert len(row.heat) < 200, "tens of bytes"


@pytest.mark.parametrize("reason", ["too large", "gone"])
def test_what_cannot_be_sent_is_told(site: Runtime, reason: str) -> None:
    code = open_case(site)
    number = read(site, code, "left", UNGRADABLE, "1")
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority="urgent"))
    decide(site, "refer")
    if reason == "gone":
        site.media.erase(hashlib.sha256(photograph()).hexdigest())
    else:
        site.settings = site.settings.model_copy(update={"sync_photograph_kb": 1})
    prepare_photograph(site, {"photo_id": number})
    with site.db.read() as tx:
        row = tx.execute(sa.select(photo_upload)).one()
    assert row.state == "refused"
    assert row.urgent
    assert row.error
    assert backlog(site) == {"waiting": 0, "refused": 1}
