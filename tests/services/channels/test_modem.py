"""A session with gammu's own dummy phone, and with a modem on a pseudo-terminal that gammu speaks AT with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import gammu
import pytest
from at_modem import AtModem, delivered, dummy_phone, report
from carrier_session import PATIENT, Running, Store, wait_for

from services.channels.base import ChannelError
from services.channels.held import Gone
from services.channels.modem.session import ModemConfig, ModemSession
from services.channels.modem.watchdog import ENDED, Trouble
from services.channels.outlets import status_of

LONG = "Matokeo ya macho yako yako tayari. " * 9  # 315 letters: three parts
HI = ("C834", 2)  # "Hi", packed


@pytest.fixture
def modem() -> Iterator[AtModem]:
    found = AtModem()
    yield found
    found.close()


def start(device: object, directory: Path, store: Store, connection: str = "at", **config: Any) -> Running:
    made = ModemConfig(
        device=str(device), connection=connection, data_dir=directory, look_s=0.05, settle_s=0.01, **config
    )
    return Running(lambda: ModemSession(made, store.outlets()))


class Phone:
    """The dummy phone, as somebody else who puts SMS into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = dummy_phone(folder)
        self._machine = gammu.StateMachine()
        self._machine.SetConfig(0, {"Model": "dummy", "Connection": "none", "Device": str(folder)})
        self._machine.Init()

    def receive(self, **message: Any) -> None:
        when = datetime(2026, 11, 24, 9, 0, 7)
        base = {
            "DateTime": when,
            "SMSCDateTime": when,
            "SMSC": {"Location": 1},
            "Number": PATIENT,
            "Folder": 1,
            "State": "UnRead",
            "Type": "Deliver",
        }
        self._machine.AddSMS(base | {"Class": -1, "Coding": "Default_No_Compression"} | message)

    def receive_long(self, text: str) -> None:
        """Its last part first."""
        entry = {"ID": "ConcatenatedTextLong", "Buffer": text}
        for part in reversed(gammu.EncodeSMS({"Class": -1, "Unicode": True, "Entries": [entry]})):
            self.receive(UDH=part["UDH"], Text=part["Text"], Coding="Unicode_No_Compression")

    def holds(self) -> list[Path]:
        return sorted((self.folder / "sms" / "1").iterdir())


def test_the_dummy_phone_sends_receives_and_reports(tmp_path: Path) -> None:
    phone, store = Phone(tmp_path / "phone"), Store(away=1)
    with start(phone.folder, tmp_path, store, "dummy", number="+254711000009", balance_ussd="*144#").ready() as session:
        phone.receive(Text="HATARI")
        phone.receive_long("ŋatho " * 40)
        assert session.send(LONG).parts == 3
        receipt = session.send("Habari")
        phone.receive(Type="Status_Report", MessageReference=255, Text="Delivered", DeliveryStatus=0)
        wait_for(lambda: not phone.holds())
        wait_for(lambda: status_of(tmp_path, "modem")["balance"])
    assert sorted(store.texts) == ["HATARI", "ŋatho " * 40]
    assert {(inbound.carrier, inbound.sender, inbound.recipient) for inbound in store.received} == {
        ("modem", PATIENT, "+254711000009")
    }
    assert store.settled == [(receipt.provider_id, "delivered")], "the dummy phone calls every part 255"
    said = status_of(tmp_path, "modem")
    assert (said["sim"], said["network"], said["signal_percent"]) == ("ready", "home", 42)
    assert said["balance"] == "Reply for *144#"


def test_an_sms_stays_on_the_sim_until_the_store_has_it(tmp_path: Path) -> None:
    phone, store = Phone(tmp_path / "phone"), Store(away=10**6)
    with start(phone.folder, tmp_path, store, "dummy").ready():
        phone.receive(Text="HATARI")
        wait_for(lambda: store.away < 10**6 - 2)
        assert len(phone.holds()) == 1
        store.away = 0
        wait_for(lambda: not phone.holds())
    assert store.texts == ["HATARI"]


def test_an_sms_that_is_read_twice_is_one(tmp_path: Path) -> None:
    phone, store = Phone(tmp_path / "phone"), Store()
    phone.receive(Text="HATARI")
    kept = phone.holds()[0].read_bytes()
    for _ in range(2):  # as if the power had failed before it was deleted
        (phone.folder / "sms" / "1" / "1").write_bytes(kept)
        with start(phone.folder, tmp_path, store, "dummy").ready():
            wait_for(lambda: not phone.holds())
    assert store.texts == ["HATARI"]


def test_reports_in_any_order_settle_the_right_message(modem: AtModem, tmp_path: Path) -> None:
    store, other = Store(), "+254733000003"
    with start(modem.device, tmp_path, store).ready() as session:
        long, failed, single = session.send(LONG), session.send("Habari", to=other), session.send("Habari")
        for reference, number, status in [(5, PATIENT, 0), (3, PATIENT, 0), (4, other, 0x41), (2, PATIENT, 0x30)]:
            modem.store(report(reference, number, status=status))
        wait_for(lambda: not modem.stored)
        assert store.settled == [(single.provider_id, "delivered"), (failed.provider_id, "failed")]
        for reference in (2, 1):
            modem.store(report(reference, PATIENT))
        wait_for(lambda: len(store.settled) == 3)
    assert store.settled[-1] == (long.provider_id, "delivered")
    assert len(modem.sent) == 5


def test_what_the_network_refuses_may_go_another_way(modem: AtModem, tmp_path: Path) -> None:
    def gone() -> None:
        raise Gone

    with start(modem.device, tmp_path, Store()).ready() as session:
        modem.faults = ["refuse"]
        with pytest.raises(ChannelError, match="CMS 331") as refused:
            session.send("Habari")
        with pytest.raises(Gone):
            session.send("Habari", begin=gone)
        session.send("Karibu")
    assert (refused.value.unknown, refused.value.permanent) == (False, False)
    assert len(modem.sent) == 1


def test_a_modem_without_network_takes_nothing(modem: AtModem, tmp_path: Path) -> None:
    modem.network = 3
    with start(modem.device, tmp_path, Store()) as session:
        wait_for(lambda: "no network" in session.jobs.fault)
        with pytest.raises(ChannelError, match="refused") as refused:
            session.send("Habari")
    assert not refused.value.unknown
    assert status_of(tmp_path, "modem")["network"] == "refused"


def test_the_sim_gets_its_pin_and_a_wrong_one_only_once(modem: AtModem, tmp_path: Path) -> None:
    modem.pin = "1234"
    for _ in range(2):
        with start(modem.device, tmp_path, Store(), pin="9999") as session:
            wait_for(lambda: "PIN" in session.jobs.fault)
    assert modem.pins == ["9999"]
    with start(modem.device, tmp_path, Store(), pin="1234").ready():
        assert modem.pins == ["9999", "1234"]


def test_a_modem_that_cannot_be_opened_is_reset_and_then_its_power_is_cut(modem: AtModem, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    for level in (1, 2, 3):
        with start(tmp_path / "none", tmp_path, Store(), power_command=f"touch {cut}") as session:
            wait_for(lambda: session.ended)
            assert isinstance(session.ended[0], SystemExit)
            assert session.ended[0].code == ENDED
        assert Trouble(tmp_path / "modem" / "trouble.json").level == level
        assert not cut.exists()
    with start(modem.device, tmp_path, Store(), power_command=f"touch {cut}").ready() as session:
        session.send("Habari")
    assert cut.exists()
    assert Trouble(tmp_path / "modem" / "trouble.json").level == 0


def test_the_second_time_it_is_reset(modem: AtModem, tmp_path: Path) -> None:
    trouble = Trouble(tmp_path / "modem" / "trouble.json")
    assert [trouble.rise("no answer"), trouble.rise("no answer")] == [1, 2]
    with start(modem.device, tmp_path, Store()).ready():
        assert modem.resets == 1


def test_parts_that_never_come_do_not_fill_the_sim(
    modem: AtModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    monkeypatch.setattr("services.channels.modem.session._INCOMPLETE_S", 0.2)
    # The second of two parts: a header of six octets, then "Hi" after the seven septets that it takes up.
    octets = "050003070202" + "9069"
    pdu = delivered(PATIENT, octets, 9)
    modem.store("0044" + pdu[4:])
    with start(modem.device, tmp_path, store).ready():
        wait_for(lambda: store.received)
        wait_for(lambda: not modem.stored)
    assert store.texts == [" [...] Hi"]


def test_two_people_of_the_same_second(modem: AtModem, tmp_path: Path) -> None:
    store = Store()
    for sender in (PATIENT, "+254733000003"):
        modem.store(delivered(sender, *HI))
    modem.store(delivered(PATIENT, *HI, second=1))
    with start(modem.device, tmp_path, store).ready():
        wait_for(lambda: not modem.stored)
    assert store.texts == ["Hi"] * 3
