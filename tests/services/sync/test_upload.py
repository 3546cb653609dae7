"""Photographs from a site to a served hub: chosen, made small, sent in pieces, and resumed where the link broke."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from phones import open_case, reading_of, send_photograph
from PIL import Image
from served_hub import BreakingLink, ServedHub
from uploading import photograph

from services.hub.tables import photograph as arrived
from services.hub.tables import upload
from services.runtime import Runtime
from services.screening.results import announce
from services.store.clock import now_ms
from services.store.files import read_sealed, write_sealed
from services.store.keyring import site_keys
from services.store.tables import outbox, photo, photo_upload, reading, screening
from services.sync.client import HubClient, HubError
from services.sync.identity import Identity
from services.sync.photographs import outgoing
from services.sync.preparing import prepare_photograph
from services.sync.running import Courier
from services.sync.upload import step

CHUNK = 4 * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    with ServedHub(tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest.fixture
def identity(served: ServedHub, tmp_path: Path) -> Identity:
    return served.site("Siaya", tmp_path / "site")


@pytest.fixture
def link(served: ServedHub) -> Iterator[BreakingLink]:
    found = BreakingLink(served.port)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JICHO_SYNC_CHUNK_KB", "4")


def a_referred_eye(site: Runtime, *, seed: int = 1) -> Any:
    """A photograph that was read and referred: its upload's row, chosen."""
    code = open_case(site)
    came = send_photograph(site, code, "left", f"referred-{seed}")
    content = photograph(seed)
    sha256 = hashlib.sha256(content).hexdigest()
    site.media.replace(sha256, content)
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == came.id).values(state="read", sha256=sha256))
        tx.execute(reading.insert().values(reading_of(came, outcome="refer", probability=0.9, signs=["retinopathy"])))
        announce(tx, came.screening_id, "refer")
        return tx.execute(sa.select(photo_upload).where(photo_upload.c.photo_id == came.id)).one()


def state(site: Runtime) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(photo_upload)).one()


def at_hub(served: ServedHub, identity: Identity, table: sa.Table = arrived) -> list[Any]:
    with served.hub.db.read() as tx:
        return list(tx.execute(sa.select(table).where(table.c.site_id == identity.site)))


def send_all(site: Runtime, client: HubClient, *, tries: int = 100) -> int:
    """As the sync process does, at once after each failure. How many attempts failed."""
    failed = 0
    for _ in range(tries):
        try:
            if not step(site, client) and state(site).state in ("sent", "refused"):
                return failed
        except HubError as error:
            if error.status:
                raise
            failed += 1
    raise AssertionError(f"not sent: {state(site)}")


def wait_for(look: Callable[[], list[Any]]) -> list[Any]:
    """What is found in the end: the hub learns of a break when it learns of it."""
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_a_referred_eye_goes_up_with_its_heat_map(site: Runtime, served: ServedHub, identity: Identity) -> None:
    row = a_referred_eye(site)
    counted: list[tuple[str, int, int]] = []
    with HubClient(identity, count=lambda *each: counted.append(each)) as client:
        assert not step(site, client), "the file is still to be made"
        with site.db.read() as tx:
            (job,) = tx.execute(sa.select(outbox).where(outbox.c.task == "prepare_photograph")).all()
        assert not step(site, client)
        with site.db.read() as tx:
            count = tx.execute(sa.select(sa.func.count()).where(outbox.c.task == "prepare_photograph")).scalar_one()
        assert count == 1, "asked for once"
        for _ in range(2):
            prepare_photograph(site, job.argument)
        content = read_sealed(outgoing(site, row.photo_id), site_keys())
        assert send_all(site, client) == 0
    (came,) = at_hub(served, identity)
    assert served.hub.media.get(came.media_key) == content
    assert len(content) <= 100_000
    assert (came.photo_ref, came.screening_ref, came.eye) == (row.photo_id, row.screening_id, "left")
    assert came.probability_before > 0.5
    assert abs(came.probability_before - came.probability_after) < 0.1
    with Image.open(io.BytesIO(served.hub.media.get(came.heatmap_key))) as heat:
        assert max(heat.size) <= 480
    assert not outgoing(site, row.photo_id).exists()
    assert {purpose for purpose, _, _ in counted} == {"photographs"}
    sent = sum(up for _, up, _ in counted)
    assert len(content) < sent < len(content) * 1.3 + 3000
    (there,) = at_hub(served, identity, upload)
    assert (there.received, there.resumed) == (len(content), 0), "no byte twice, and no question in between"


def test_breaks_cost_less_than_a_piece_each(
    site: Runtime, served: ServedHub, identity: Identity, link: BreakingLink
) -> None:
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    size = state(site).bytes
    failed = 0
    with HubClient(link.through(identity), timeout_s=10) as client:
        for cut in range(1500, 60_000, 2311):
            if state(site).state == "sent":
                break
            if cut % 3:
                link.cut_up = 3500 + cut % 4000
            else:
                link.cut_down = 2200 + cut % 500
            try:
                for _ in range(3):
                    step(site, client)
            except HubError:
                failed += 1
        link.cut_up = link.cut_down = 0
        failed += send_all(site, client)
    assert failed >= 5
    (came,) = at_hub(served, identity)
    assert came.sha256 == state(site).sha256
    (there,) = at_hub(served, identity, upload)
    assert there.received - size <= failed * CHUNK
    assert there.resumed >= 1
    assert there.offset == size


def test_what_came_of_a_broken_piece_is_not_sent_again(
    site: Runtime, served: ServedHub, identity: Identity, link: BreakingLink
) -> None:
    """What came is what TLS could check: whole records, of 16 KiB at most."""
    site.settings = site.settings.model_copy(update={"sync_chunk_kb": 64})
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    with HubClient(link.through(identity), timeout_s=10) as client:
        link.cut_up = 30_000
        with pytest.raises(HubError):
            step(site, client)
        assert state(site).in_doubt
        (there,) = wait_for(lambda: [each for each in at_hub(served, identity, upload) if each.offset])
        assert 8_000 < there.offset < 30_000, "the byte where it broke, within the piece"
        assert send_all(site, client) == 0
    (there,) = at_hub(served, identity, upload)
    assert there.received == state(site).bytes, "no byte came twice"
    assert there.resumed == 1


def test_an_upload_that_expired_begins_anew(site: Runtime, served: ServedHub, identity: Identity) -> None:
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    with HubClient(identity) as client:
        step(site, client)
        with served.hub.db.write() as tx:
            tx.execute(upload.update().where(upload.c.site_id == identity.site).values(expires_at=now_ms() - 1))
        assert send_all(site, client) == 0
    assert len(at_hub(served, identity)) == 1
    assert sorted(each.state for each in at_hub(served, identity, upload)) == ["expired", "finished"]


def test_a_file_that_the_disk_lost_is_made_again(site: Runtime, served: ServedHub, identity: Identity) -> None:
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    with HubClient(identity) as client:
        step(site, client)
        outgoing(site, row.photo_id).unlink()
        assert step(site, client)
        assert not step(site, client)
        prepare_photograph(site, {"photo_id": row.photo_id})
        assert send_all(site, client) == 0
    assert len(at_hub(served, identity)) == 1


def test_what_the_hub_finds_spoiled_is_tried_three_times(site: Runtime, served: ServedHub, identity: Identity) -> None:
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    with site.db.write() as tx:
        tx.execute(photo_upload.update().values(sha256="0" * 64))
    with HubClient(identity) as client:
        send_all(site, client)
    assert (state(site).state, state(site).tries) == ("refused", 3)
    assert at_hub(served, identity) == []


@pytest.mark.parametrize("why", ["budget", "none"])
def test_nothing_goes_up_when_it_may_not(
    site: Runtime, identity: Identity, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    row = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": row.photo_id})
    if why == "budget":
        monkeypatch.setattr("services.ledger.budget.may_spend", lambda *_: False)
    else:
        site.settings = site.settings.model_copy(update={"sync_photographs": "none"})
    with HubClient(identity) as client:
        assert not step(site, client)
        assert (client.sent, client.received) == (0, 0)


def test_the_sync_process_sends_them_once_results_are_in(site: Runtime, served: ServedHub, identity: Identity) -> None:
    row = a_referred_eye(site)
    probes = site.settings.data_dir / "probes.json"
    low = {"battery_percent": 10, "on_mains": False, "memory_mb": 4096, "disk_mb": 10_000}
    clock = itertools.count(step=11.0)  # errands are looked for every ten seconds
    probes.write_text(json.dumps(low))
    with HubClient(identity) as client:
        courier = Courier(site, client, clock=lambda: next(clock))

        def turns(number: int) -> None:
            for _ in range(number):
                courier.turn()
                prepare_photograph(site, {"photo_id": row.photo_id})  # an inference worker's part

        turns(10)
        assert at_hub(served, identity, upload) == [], "not on low battery"
        probes.write_text(json.dumps(low | {"on_mains": True}))
        site.watch._due = 0.0
        turns(30)
    assert len(at_hub(served, identity)) == 1
    assert state(site).state == "sent"


def test_urgent_ones_go_first(site: Runtime, served: ServedHub, identity: Identity) -> None:
    first = a_referred_eye(site)
    prepare_photograph(site, {"photo_id": first.photo_id})
    with HubClient(identity) as client:
        step(site, client)
        with site.db.write() as tx:
            tx.execute(photo_upload.update().values(urgent=False))
            later = dict(tx.execute(sa.select(photo_upload)).mappings().one()) | {"urgent": True, "state": "ready"}
            case = dict(tx.execute(sa.select(screening)).mappings().one())
            case.pop("id")
            case["code"] = "other"
            screening_id = tx.execute(screening.insert().values(case).returning(screening.c.id)).scalar_one()
            came = dict(tx.execute(sa.select(photo)).mappings().one()) | {"position": 1}
            came.pop("id")
            photo_id = tx.execute(photo.insert().values(came).returning(photo.c.id)).scalar_one()
            later |= {"photo_id": photo_id, "screening_id": screening_id, "url": None, "offset": 0, "in_doubt": False}
            later.pop("id")
            tx.execute(photo_upload.insert().values(later))
        write_sealed(outgoing(site, photo_id), read_sealed(outgoing(site, first.photo_id), site_keys()), site_keys())
        for _ in range(30):
            if at_hub(served, identity):
                break
            step(site, client)
    assert [each.photo_ref for each in at_hub(served, identity)] == [photo_id]
