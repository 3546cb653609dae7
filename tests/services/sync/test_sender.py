"""A site and a real hub over TLS: nothing is lost, nothing doubled, whatever breaks between them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from phones import open_case

from services.bench.clinic import day, write_day
from services.bench.hub import HubStack
from services.hub import tables as hub_tables
from services.hub.down import send_down
from services.runtime import Runtime
from services.screening.results import announce
from services.store.database import Database
from services.store.tables import caller, sync_event
from services.sync import down
from services.sync.client import Answer, HubClient, HubError, hub_client
from services.sync.events import record
from services.sync.identity import Identity
from services.sync.sender import Sender, StoreIsOlder


@pytest.fixture
def hub_db(served: HubStack) -> Any:
    db = Database(served.store_url)
    yield db
    db.close()


def at_hub(db: Database, identity: Identity) -> list[tuple[int, str | None, int]]:
    """Screening, outcome and number of readings of what the hub has of a site."""
    result, eye = hub_tables.result, hub_tables.eye
    with db.read() as tx:
        rows = tx.execute(
            sa.select(result.c.screening_ref, result.c.outcome, sa.func.count(eye.c.id))
            .outerjoin(eye, eye.c.result_id == result.c.id)
            .where(result.c.site_id == identity.site)
            .group_by(result.c.id)
            .order_by(result.c.screening_ref)
        )
        return [(ref, outcome, number) for ref, outcome, number in rows]


def waiting(site: Runtime) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).where(sync_event.c.acked_at.is_(None))).scalar_one())


def begun(site: Runtime, client: HubClient) -> Sender:
    """A sender whose hub has said how much it has."""
    sender = Sender(site, client)
    assert sender.send() == 0
    return sender


def test_a_day_goes_up_in_full_batches(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    contents = day(3, 120)
    with hub_client(site) as client:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, contents)
        assert [sender.send(), sender.send(), sender.send(), sender.send()] == [50, 50, 20, 0]
    assert at_hub(hub_db, enrolled) == [
        (number, content["outcome"], len(content["readings"])) for number, content in enumerate(contents, start=1)
    ]
    with hub_db.read() as tx:
        of_site = hub_tables.result.c.site_id == enrolled.site
        keys = tx.execute(sa.select(hub_tables.result.c.patient_key).where(of_site)).scalars().all()
    assert sum(key is not None for key in keys) == 84
    with site.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(sync_event)).scalar_one() == 120


class LosesAnswers(HubClient):
    """A link that breaks after the hub has committed."""

    def post(self, path: str, body: bytes, **options: Any) -> Answer:
        super().post(path, body, **options)
        raise HubError("the link broke", permanent=False)


def test_an_answer_that_is_lost_changes_nothing(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    with hub_client(site) as client, LosesAnswers(enrolled) as breaking:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, day(4, 7))
        sender._client = breaking
        for _ in range(2):
            with pytest.raises(HubError):
                sender.send()
        assert waiting(site) == 7, "acknowledged before it is marked"
        sender._client = client
        assert sender.send() == 7
    assert len(at_hub(hub_db, enrolled)) == 7
    assert waiting(site) == 0


def test_a_process_that_died_goes_on_where_it_was(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    with site.db.write() as tx:
        write_day(tx, day(5, 60))
    for _ in range(2):  # the second one knows only what is in the store
        with hub_client(site) as client:
            begun(site, client).send()
    assert (waiting(site), len(at_hub(hub_db, enrolled))) == (0, 60)


def test_a_hub_that_died_takes_it_later(site: Runtime, enrolled: Identity, served: HubStack, hub_db: Database) -> None:
    with hub_client(site) as client:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, day(6, 5))
        served.kill()
        with pytest.raises(HubError) as caught:
            sender.send()
        assert (caught.value.status, caught.value.permanent, waiting(site)) == (0, False, 5)
        served.start()
        assert sender.send() == 5
    assert len(at_hub(hub_db, enrolled)) == 5


def test_a_site_from_a_backup_sends_nothing(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    backup = site.settings.data_dir.parent / "backup"
    with site.db.write() as tx:
        write_day(tx, day(7, 3))
    site.db.close()
    shutil.copytree(site.settings.data_dir, backup)
    del site.db
    open_case(site)
    with site.db.write() as tx:
        announce(tx, 4, "refer")
    with hub_client(site) as client:
        assert Sender(site, client).send_all() == 4
    older = Runtime(site.settings.model_copy(update={"data_dir": backup}))
    with older.db.write() as tx:
        record(tx, "visit", {"answer": "yes", "by": "patient", "answered_at": 1}, screening_id=3)
        tx.execute(sync_event.delete().where(sync_event.c.seq > 3))
    with hub_client(older) as client, pytest.raises(StoreIsOlder, match="Enrol it anew"):
        Sender(older, client).send_all()
    assert waiting(older) == 3
    older.tally.stop()
    older.db.close()
    assert len(at_hub(hub_db, enrolled)) == 4


def test_an_event_that_no_hub_takes_holds_up_no_other(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    with hub_client(site) as client:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, day(8, 20))
            record(tx, "visit", {"answer": 7}, screening_id=4)  # refused by the hub
            record(tx, "result", {"decided_at": "today"}, screening_id=5)  # cannot even be written
            record(tx, "visit", {"answer": "yes", "by": "patient", "answered_at": 1}, screening_id=6)
        assert sender.send_all() == 23
    assert (waiting(site), len(at_hub(hub_db, enrolled))) == (0, 20)
    with hub_db.read() as tx:
        of_site = hub_tables.result.c.site_id == enrolled.site
        visits = tx.execute(
            sa.select(hub_tables.result.c.screening_ref).where(of_site, hub_tables.result.c.visit.is_not(None))
        )
        assert visits.scalars().all() == [6]


def test_what_arrived_a_year_ago_is_forgotten_and_not_missed(site: Runtime, enrolled: Identity) -> None:
    assert enrolled
    with hub_client(site) as client:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, day(11, 3))
        assert sender.send() == 3
        with site.db.write() as tx:
            tx.execute(sync_event.update().values(acked_at=1))
            record(tx, "visit", {"answer": "yes", "by": "patient", "answered_at": 1}, screening_id=3)
        assert sender.send() == 1
    with site.db.write() as tx:
        assert tx.execute(sa.select(sync_event.c.kind)).scalars().all() == ["visit"]
        tx.execute(sync_event.delete())
    with hub_client(site) as client:
        assert Sender(site, client).send_all() == 0, "a store that forgot is not one from a backup"


def test_urgent_events_go_first(site: Runtime, enrolled: Identity, hub_db: Database) -> None:
    with hub_client(site) as client:
        sender = begun(site, client)
        with site.db.write() as tx:
            write_day(tx, day(9, 60))
            tx.execute(sync_event.update().where(sync_event.c.seq == 60).values(urgent=True))
        sender.send()
    assert [ref for ref, _, _ in at_hub(hub_db, enrolled)] == [*range(1, 50), 60]


def change_language(tx: Any, content: Any) -> None:
    if content["msisdn"] == "+254700000666":
        raise ValueError("no such phone")
    tx.execute(caller.insert().values(msisdn=content["msisdn"], language="luo", updated_at=0))


def test_what_the_hub_has_is_applied_once_and_in_order(
    site: Runtime, enrolled: Identity, hub_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(down, "KINDS", {"language": f"{__name__}:change_language"})
    monkeypatch.setattr(down, "import_module", lambda _name: __import__("sys").modules[__name__])
    with hub_db.write() as tx:
        for number in range(60):
            send_down(tx, enrolled.site, "language", {"msisdn": f"+2547000000{number:02}"})
        send_down(tx, enrolled.site, "telepathy", {})
    with hub_client(site) as client:
        assert Sender(site, client).send_all() == 0
        Sender(site, client).send_all()
    with site.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(caller)).scalar_one() == 60
    with hub_db.write() as tx:
        send_down(tx, enrolled.site, "language", {"msisdn": "+254700000666"})
        send_down(tx, enrolled.site, "language", {"msisdn": "+254700000099"})
    with site.db.read() as tx:
        before = down.seen(tx)
    with hub_client(site) as client:
        Sender(site, client).send_all()
    with site.db.read() as tx:
        assert down.seen(tx) == before, "what failed comes again, and what follows waits for it"


def test_a_revoked_site_hears_why(site: Runtime, enrolled: Identity, served: HubStack) -> None:
    served.command("revoke", str(enrolled.site))
    with hub_client(site) as client, pytest.raises(HubError, match="this site was revoked") as caught:
        Sender(site, client).send_all()
    assert (caught.value.status, caught.value.permanent) == (403, True)


def test_another_certificate_is_never_talked_to(site: Runtime, enrolled: Identity, tmp_path: Path) -> None:
    with HubStack(directory=tmp_path) as impostor:
        fooled = replace(enrolled, url=impostor.url)
        with HubClient(fooled) as client, pytest.raises(HubError, match="CERTIFICATE_VERIFY_FAILED"):
            Sender(site, client).send_all()


def test_the_report_says_how_the_site_is(site: Runtime, enrolled: Identity, served: HubStack) -> None:
    with site.db.write() as tx:
        write_day(tx, day(10, 2))
    with hub_client(site) as client:
        begun(site, client)
    (line,) = [line for line in served.command("sites").splitlines() if line.split()[0] == str(enrolled.site)]
    assert "backlog 2" in line
    assert "disk_mb 10000" in line
