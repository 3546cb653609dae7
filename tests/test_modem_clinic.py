"""A clinic without internet: somebody writes to its SIM, answers questions and reads the result, while the process that
holds the modem is killed in the middle of an SMS and the modem hangs. Nothing is lost and nothing is sent twice.

Everything is real but the radio: store, inbox, conversation, delivery, `python app.py carriers run modem`, gammu, AT.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import gammu
import pytest
import sqlalchemy as sa
from at_modem import AtModem, delivered, packed, report
from carrier_session import PATIENT, wait_for

from services import runtime
from services import settings as settings_module
from services.bench.stack import free_port
from services.channels.state import carriers_of
from services.messaging.delivery import send_message, settle_unknown
from services.runtime import Runtime
from services.store.tables import inbound, message, outbox

APP = Path(__file__).parents[1] / "app.py"


class Clinic:
    """The site, its modem, and the process that holds it. The test is relay and delivery worker."""

    def __init__(self, site: Runtime, modem: AtModem) -> None:
        self.site, self.modem = site, modem
        self._second = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(APP), "carriers", "run", "modem"])
        wait_for(self.works, 40)

    def works(self) -> bool:
        self.restart_if_ended()
        (modem,) = (carrier for carrier in carriers_of(self.site.settings) if carrier.name == "modem")
        return not modem.fault

    def restart_if_ended(self) -> None:
        """What the launcher does."""
        if self._process is not None and self._process.poll() is not None:
            self._process = subprocess.Popen([sys.executable, str(APP), "carriers", "run", "modem"])

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def write(self, text: str) -> None:
        """The patient sends an SMS."""
        self._second += 1
        self.modem.store(delivered(PATIENT, packed(text), len(text), second=self._second))

    def say(self, text: str) -> str:
        """The patient sends an SMS and reads the answer."""
        before = len(self.modem.sent)
        self.write(text)
        self.deliver_next()
        wait_for(lambda: len(self.modem.sent) > before)
        return self.read(self.modem.sent[-1])

    def deliver_next(self) -> None:
        """Hands over what the outbox holds, once there is something."""

        def waiting() -> list[sa.Row[tuple[int, dict[str, int]]]]:
            with self.site.db.read() as tx:
                query = sa.select(outbox.c.id, outbox.c.argument).where(
                    outbox.c.state == "pending", outbox.c.task == "send_message"
                )
                return list(tx.execute(query).all())

        for row_id, argument in wait_for(waiting, 30):
            send_message(self.site, argument)
            with self.site.db.write() as tx:
                tx.execute(outbox.update().where(outbox.c.id == row_id).values(state="done"))

    def read(self, pdu: str) -> str:
        found = gammu.DecodePDU(bytes.fromhex(pdu), True)
        assert found["Number"] == PATIENT
        return str(found["Text"])

    def states(self) -> Counter[str]:
        with self.site.db.read() as tx:
            return Counter(tx.execute(sa.select(message.c.state)).scalars())


@pytest.fixture
def clinic(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:  # noqa: ARG001 - its folder and tables
    modem = AtModem()
    for name, value in {
        "MODEM_DEVICE": modem.device,
        "MODEM_ANSWER_SECONDS": "5",
        "SMS_ROUTES": "+25472=modem,africastalking;*=africastalking",
        "AT_BASE_URL": f"http://127.0.0.1:{free_port()}",  # there is no internet
        "LANGUAGE": "en",
    }.items():
        monkeypatch.setenv(f"JICHO_{name}", value)
    settings_module.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    found = Clinic(current, modem)
    yield found
    found.stop()
    current.tally.stop()
    current.db.close()
    modem.close()


def test_a_clinic_without_internet(clinic: Clinic) -> None:
    clinic.start()
    assert "Choose a language" in clinic.say("RISK")
    assert "Do others use this phone?" in clinic.say("3")
    assert "Do you agree?" in clinic.say("98")

    # The process is killed after the network took an SMS and before anybody could know.
    clinic.modem.faults = ["silent"]
    clinic.write("1")
    killer = _once_sent(clinic, len(clinic.modem.sent) + 1)
    clinic.deliver_next()
    killer.join()
    question = clinic.read(clinic.modem.sent[-1])
    assert "told you that you have diabetes" in question
    assert clinic.states() == {"sent": 3, "unknown": 1}

    # Another is started; what she wrote is not answered anew, and she goes on where she was.
    wait_for(clinic.works, 40)
    with clinic.site.db.write() as tx:
        settle_unknown(tx, older_than_ms=-1)
    assert "Have both eyes photographed" in clinic.say("1")
    texts = [clinic.read(pdu) for pdu in clinic.modem.sent]
    assert (len(texts), texts.count(question)) == (5, 1)

    # Reports come in the wrong order, the lost message's among them.
    for reference in (5, 4, 1, 3, 2):
        clinic.modem.store(report(reference, PATIENT))
    wait_for(lambda: clinic.states() == {"delivered": 5}, 30)
    wait_for(lambda: not clinic.modem.stored)
    with clinic.site.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(inbound)).scalar_one() == 5

    # The modem hangs: its process ends by itself, and the next one finds it well again.
    clinic.modem.hangs = True
    wait_for(lambda: json.loads(_trouble(clinic)).get("level"), 60)
    clinic.modem.hangs = False
    wait_for(lambda: clinic.works() and _trouble(clinic) == "{}", 60)
    assert "Do others use this phone?" in clinic.say("RISK")


def _trouble(clinic: Clinic) -> str:
    path = clinic.site.settings.data_dir / "modem" / "trouble.json"
    clinic.restart_if_ended()
    return path.read_text() if path.is_file() else "{}"


def _once_sent(clinic: Clinic, number: int) -> threading.Thread:
    def kill() -> None:
        wait_for(lambda: len(clinic.modem.sent) >= number, 30)
        clinic.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    return killer
