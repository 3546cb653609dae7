"""A machine is lost after it went on for a while; another takes its place from the stick and the paper, and goes on.

Nothing that the lost one may have sent goes out again: a real carrier at the other end of real sockets keeps count.
"""

from __future__ import annotations

import itertools
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from phones import PATIENT, WORKER, Ussd
from recovery import KEY
from werkzeug.serving import make_server

from app import main
from models.dr.phantom import draw
from services import runtime, settings
from services.backup import recovery_key
from services.bench.stack import free_port
from services.channels.base import Inbound, Kind, Media
from services.channels.registry import simulator_config
from services.channels.simulator import create_simulator
from services.messaging.inbox import receive
from services.queue import perform
from services.runtime import Runtime
from services.screening.cases import result_for
from services.screening.people import add_worker, set_language
from services.store import schema
from services.store.migrate import migrate
from services.store.tables import message, outbox, photo, reading, referral, screening, sync_event

NUMBERED = ((screening, screening.c.id), (photo, photo.c.id), (sync_event, sync_event.c.seq))
_SESSIONS = itertools.count(1)


class Carrier:
    """The stand-in, which outlives the machines."""

    def __init__(self) -> None:
        self.port = free_port()
        self._application: Any = None
        self._server: Any = None

    def open(self, site: Runtime) -> None:
        url = f"http://127.0.0.1:{self.port}"
        # Its callbacks go nowhere: that a message arrived is not reported here.
        told = site.settings.model_copy(update={"simulator_port": self.port, "public_url": "http://127.0.0.1:9"})
        self._application = create_simulator(replace(simulator_config(told), own_url=url))
        self._server = make_server("127.0.0.1", self.port, self._application, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def sms(self) -> Counter[tuple[str, str]]:
        """How often it carried each message: to whom, and the text."""
        entries = self._application.test_client().get("/phone/api/ledger").get_json()["entries"]
        return Counter(
            (entry["msisdn"], entry["text"])
            for entry in entries
            if entry["kind"] == "sms" and entry["sender"] == "gateway"
        )


class Machines:
    """Which machine this process is: each has a data directory, and keys elsewhere. They have one carrier."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.carrier, self.stick = folder, Carrier(), folder / "stick"
        self._patch = patch
        self._site: Runtime | None = None
        self.codes: dict[str, str] = {}
        self.numbers: dict[str, int] = {}

    def become(self, name: str) -> Runtime:
        self.forget()
        self._patch.setenv("JICHO_DATA_DIR", str(self.folder / name / "data"))
        self._patch.setenv("JICHO_KEYRING", str(self.folder / name / "keys" / "ring.json"))
        self._patch.setenv("JICHO_AT_BASE_URL", f"http://127.0.0.1:{self.carrier.port}")
        self._patch.chdir(self.folder)
        self._site = runtime.current()
        return self._site

    def forget(self) -> None:
        if self._site is not None:
            self._site.tally.stop()
            self._site.db.close()
        self._site = None
        settings.current.cache_clear()
        runtime.current.cache_clear()

    def restored(self, *more: str) -> str:
        return command("restore", str(self.stick), "--key-file", str(self.folder / "paper"), *more)


def work(site: Runtime, *queues: str) -> None:
    """What these queues' workers would do until nothing is left."""
    while True:
        with site.db.read() as tx:
            query = sa.select(outbox.c.id).where(outbox.c.state == "pending", outbox.c.queue.in_(queues))
            ids = tx.execute(query.order_by(outbox.c.id)).scalars().all()
        if not ids:
            return
        for number in ids:
            perform(number)


def opened(site: Runtime, patient: str = PATIENT) -> str:
    """The code of a screening that the worker opens by dialling."""
    phone = Ussd(site)
    phone.sessions = _SESSIONS
    phone.dial()
    screen = ""
    for answer in ("1", "1", "1961", f"0{patient[4:]}", "3", "98", "1", "2", "2"):
        screen = phone.press(answer)
        if "Code: " in screen:
            break
    return screen.split("Code: ")[1][:6]


def photographed(site: Runtime, code: str, *seeds: int) -> None:
    for eye, seed in zip(("left", "right"), seeds, strict=False):
        file = BytesIO()
        draw(seed, 480, lesions=seed % 2 == 1).save(file, "JPEG")
        media = (Media("image/jpeg", content=file.getvalue()),)
        assert receive(site, Inbound("mm7", Kind.MMS, f"{code}{eye}", WORKER, "", f"{code} {eye}", media))


def command(*arguments: str) -> str:
    done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """One of them, "old", was copied in the middle of its work, went on, and burned."""
    with pytest.MonkeyPatch.context() as patch:
        found = Machines(tmp_path_factory.mktemp("machines"), patch)
        site = found.become("old")
        migrate(site.db)
        found.carrier.open(site)
        lose(found, site)
        yield found
        found.forget()
        found.carrier.close()


def lose(found: Machines, site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
        set_language(tx, msisdn=PATIENT, language="en")
    recovery_key.keep_public_half(site.settings.data_dir, recovery_key.public_half(KEY))
    codes = found.codes
    codes["done"] = opened(site)
    photographed(site, codes["done"], 2, 4)
    work(site, "inference", "delivery")
    codes["waiting"] = opened(site, "+254733000003")
    photographed(site, codes["waiting"], 1, 6)
    work(site, "inference")
    codes["unread"] = opened(site, "+254733000004")
    photographed(site, codes["unread"], 3, 8)
    found.stick.mkdir()
    assert "Copy 1 in" in command("backup", str(found.stick))
    work(site, "inference", "delivery")
    codes["after"] = opened(site, "+254733000005")
    photographed(site, codes["after"], 5, 10)
    work(site, "inference", "delivery")
    with site.db.read() as tx:
        for table, column in NUMBERED:
            found.numbers[table.name] = tx.execute(sa.select(sa.func.max(column))).scalar_one()
    shutil.rmtree(found.folder / "old" / "keys")
    (found.folder / "paper").write_text(KEY.lower().replace("-", " "))


def test_another_machine_goes_on_and_nothing_goes_out_twice(machines: Machines) -> None:
    codes, sent = machines.codes, machines.carrier.sms()
    assert set(sent.values()) == {1}
    machines.become("new")
    said = machines.restored()
    assert "Restored: the store and" in said
    assert "The old machine must not run again." in said

    site = machines.become("new")
    work(site, "inference", "delivery")
    assert machines.carrier.sms() == sent, "what was under way is not sent again"
    with site.db.write() as tx:
        assert schema.schema_of(tx) == schema.newest()
        assert result_for(tx, code=codes["done"], msisdn=WORKER)["outcome"] == "rescreen"
        assert result_for(tx, code=codes["waiting"], msisdn=WORKER)["outcome"] == "refer"
        assert result_for(tx, code=codes["unread"], msisdn=WORKER)["outcome"] == "refer", "read when it was put back"
        assert result_for(tx, code=codes["after"], msisdn=WORKER)["state"] == "unknown", "what came later is lost"
        assert tx.execute(sa.select(sa.func.count()).select_from(reading)).scalar_one() == 6
        assert tx.execute(sa.select(sa.func.count()).select_from(referral)).scalar_one() == 2
        states = Counter(tx.execute(sa.select(message.c.state)).scalars())
    assert set(states) == {"sent", "unknown"}
    assert states["unknown"] >= 8, "two eyes of two patients, and what each of them was told"

    # A screening goes on, on the new machine, by the same phone.
    code = opened(site, "+254733000006")
    photographed(site, code, 7, 12)
    work(site, "inference", "delivery")
    fresh = machines.carrier.sms() - sent
    assert [text for _, text in fresh if text.startswith(f"{code} right eye: no referable signs")]
    assert [text for _, text in fresh if text.startswith(f"{code} left eye: REFER")]
    assert set(machines.carrier.sms().values()) == {1}

    # Numbers by which the hub knows screenings, and which the lost machine gave away meanwhile, are not given again.
    with site.db.read() as tx:
        for table, column in NUMBERED:
            assert tx.execute(sa.select(sa.func.max(column))).scalar_one() > machines.numbers[table.name] + 1000
        assert tx.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    assert "have a new key" in command("keys", "rotate"), "rows that stand for nobody are in nobody's way"


def test_a_machine_that_did_nothing_since_sends_what_waited(machines: Machines) -> None:
    before = machines.carrier.sms()
    machines.become("idle")
    machines.restored("--nothing-since")
    work(machines.become("idle"), "inference", "delivery")
    again = {text for (to, text), times in machines.carrier.sms().items() if times > before[to, text]}
    assert {code for name, code in machines.codes.items() if any(code in text for text in again)} == {
        machines.codes["waiting"],
        machines.codes["unread"],
    }


def test_what_must_not_be_restored_is_refused(machines: Machines) -> None:
    machines.become("third")
    stick, paper, other = str(machines.stick), str(machines.folder / "paper"), machines.folder / "other"
    data, keys = machines.folder / "third" / "data", machines.folder / "third" / "keys"
    other.write_text(recovery_key.new())

    def refused(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["restore", stick, *arguments])
        assert done.exit_code == 1
        return done.output

    assert "does not open with this recovery key" in refused("--key-file", str(other))
    assert "It is whole and opens" in command("restore", stick, "--check", "--key-file", paper)
    assert "this is the copy of a site" in refused("--key-file", paper, "--hub")
    keys.mkdir(parents=True)
    (keys / "ring.json").write_text("{}")
    assert "holds the keys of another store" in refused("--key-file", paper)
    (keys / "ring.json").unlink()
    assert not (data / "jicho.db").exists()
    machines.restored("--nothing-since")
    assert "holds a store already" in refused("--key-file", paper)
