"""A session with the server of npm's `smpp`: both directions, receipts in any order, throttling, a link that breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carrier_session import PATIENT, Running, Store, wait_for
from smpp_server import SmppServer, self_signed

from services.channels.base import ChannelError
from services.channels.held import Gone
from services.channels.outlets import status_of
from services.channels.smpp.config import SmppConfig
from services.channels.smpp.session import SmppSession

LONG = "Matokeo ya macho yako yako tayari. " * 9  # 315 letters: three parts
THROTTLED, INVALID_NUMBER = 0x58, 0x0B


@pytest.fixture(scope="module")
def server() -> Iterator[SmppServer]:
    found = SmppServer()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _forget(server: SmppServer) -> None:
    server.events.clear()


def start(server: SmppServer, directory: Path, store: Store, **config: Any) -> Running:
    made = SmppConfig(
        "127.0.0.1", server.port, directory, system_id="jicho", password="secret", sender="22384", **config
    )
    return Running(lambda: SmppSession(made, store.outlets()))


def send(session: Running, errors: list[ChannelError]) -> None:
    try:
        session.send("Habari")
    except ChannelError as error:
        errors.append(error)


def test_a_message_goes_and_its_receipt_comes(server: SmppServer, tmp_path: Path) -> None:
    store = Store()
    with start(server, tmp_path, store).ready() as session:
        receipt = session.send("Nenda kliniki – leo")
        server.receipt(server.got("submit_sm")[0]["id"], "DELIVRD")
        wait_for(lambda: store.settled)
    (sent,) = server.of("submit_sm")
    assert (sent["to"], sent["from"], sent["ton"]) == ("254722000002", "22384", [3, 1])
    assert (sent["text"], sent["coding"], sent["registered"]) == ("Nenda kliniki - leo", 0, 1)
    assert store.settled == [(receipt.provider_id, "delivered")]
    assert store.reports[0][1] == PATIENT
    assert status_of(tmp_path, "smpp")["bound"] is False, "it was stopped"


def test_a_long_message_is_delivered_when_its_last_part_is(server: SmppServer, tmp_path: Path) -> None:
    store = Store()
    with start(server, tmp_path, store).ready() as session:
        receipt = session.send(LONG)
        ids = [event["id"] for event in server.got("submit_sm", 3)]
        for message_id in reversed(ids[1:]):
            server.receipt(str(int(message_id, 16)), "DELIVRD")  # answered in hexadecimal, reported in decimal
        server.receipt(ids[0], "ENROUTE")
        wait_for(lambda: len(server.of("deliver_sm_resp")) == 3)
        assert store.settled == []
        server.deliver("", esm_class=4, receipted_message_id=ids[0], message_state=2)
        wait_for(lambda: store.settled)
    parts = server.of("submit_sm")
    assert "".join(part["text"] for part in parts) == LONG
    assert [part["udh"][0][-4:] for part in parts] == ["0301", "0302", "0303"]
    assert len({part["udh"][0][:6] for part in parts}) == 1
    assert receipt.parts == 3
    assert store.settled == [(receipt.provider_id, "delivered")]


@pytest.mark.parametrize(
    ("config", "coding", "sent"),
    [({"long": "payload"}, 0, 1), ({"alphabet": "ucs2"}, 8, 5), ({"alphabet": "latin1"}, 3, 3)],
)
def test_a_long_message_as_the_carrier_wants_it(
    server: SmppServer, tmp_path: Path, config: dict[str, Any], coding: int, sent: int
) -> None:
    with start(server, tmp_path, Store(), **config).ready() as session:
        session.send(LONG)
    parts = server.got("submit_sm", sent)
    assert "".join(part["text"] for part in parts) == LONG
    assert ({part["coding"] for part in parts}, len(parts)) == ({coding}, sent)


def test_what_the_carrier_refuses(server: SmppServer, tmp_path: Path) -> None:
    with start(server, tmp_path, Store()).ready() as session:
        server.tell("fault", faults=[{"status": THROTTLED}, {"status": INVALID_NUMBER}])
        with pytest.raises(ChannelError) as throttled:
            session.send("Habari")
        with pytest.raises(ChannelError) as wrong:
            session.send("Habari")
        assert session.send("Habari").provider_id
    assert (throttled.value.permanent, throttled.value.unknown, throttled.value.retry_after_s) == (False, False, 10)
    assert (wrong.value.permanent, wrong.value.unknown) == (True, False)


def test_a_throttled_part_is_sent_again_since_no_other_carrier_may_have_the_message(
    server: SmppServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.channels.smpp.sending.THROTTLED_AGAIN_S", 0.05)
    with start(server, tmp_path, Store()).ready() as session:
        server.tell("fault", faults=[{}, {"status": THROTTLED}, {"status": THROTTLED}])
        assert session.send(LONG).parts == 3
    taken = [part for part in server.got("submit_sm", 5) if not part["status"]]
    assert "".join(part["text"] for part in taken) == LONG


def test_the_window_bounds_what_waits_for_its_answer(server: SmppServer, tmp_path: Path) -> None:
    with start(server, tmp_path, Store(), window=2).ready() as session:
        server.tell("fault", faults=[{"silent": True}] * 2)
        errors: list[ChannelError] = []
        senders = [threading.Thread(target=send, args=(session, errors)) for _ in range(3)]
        for sender in senders:
            sender.start()
        wait_for(lambda: len(server.of("submit_sm")) == 2)
        server.deliver("HATARI")
        wait_for(lambda: server.of("deliver_sm_resp"))  # time passed, and the third still waits
        assert len(server.of("submit_sm")) == 2
        server.tell("drop")
        for sender in senders:
            sender.join(30)
    assert [error.unknown for error in errors].count(True) == 2, "the two that were written"
    assert len(server.of("submit_sm")) + [error.unknown for error in errors].count(False) == 3


def test_a_link_that_breaks_is_bound_again(server: SmppServer, tmp_path: Path) -> None:
    with start(server, tmp_path, Store()).ready() as session:
        server.tell("fault", faults=[{"silent": True}])
        errors: list[ChannelError] = []
        waiting = threading.Thread(target=send, args=(session, errors))
        waiting.start()
        wait_for(lambda: server.of("submit_sm"))
        server.tell("unbind")
        waiting.join(20)
        assert [error.unknown for error in errors] == [True]
        wait_for(lambda: len(server.of("bind")) == 2)
        session.ready()
        assert session.send("Habari").parts == 1


def test_a_carrier_that_falls_silent_is_left(server: SmppServer, tmp_path: Path) -> None:
    with start(server, tmp_path, Store(), enquire_s=0.2).ready():
        wait_for(lambda: len(server.of("enquire_link")) > 2)
        server.tell("deaf", on=True)
        wait_for(lambda: len(server.of("bind")) > 1)
        server.tell("deaf", on=False)


def test_a_wrong_password_says_so(server: SmppServer, tmp_path: Path) -> None:
    with start(server, tmp_path, Store()) as session:
        session.ready()
    made = SmppConfig("127.0.0.1", server.port, tmp_path, system_id="jicho", password="wrong", sender="22384")
    with Running(lambda: SmppSession(made, Store().outlets())) as session:
        wait_for(lambda: "bind refused" in session.jobs.fault)
        with pytest.raises(ChannelError, match="0x0000000d") as refused:
            session.send("Habari")
    assert not refused.value.unknown


def test_tls_is_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    self_signed(key, certificate)
    server = SmppServer(key, certificate)
    try:
        with start(server, tmp_path, Store(), tls=True) as stranger:
            wait_for(lambda: "SSLCertVerificationError" in stranger.jobs.fault)
        store = Store()
        with start(server, tmp_path, store, tls=True, ca=str(certificate)).ready() as session:
            assert session.send("Habari").parts == 1
            server.deliver("HATARI " * 20)
            wait_for(lambda: store.received)
    finally:
        server.stop()


def test_a_message_that_nobody_waits_for_any_more_is_not_sent(server: SmppServer, tmp_path: Path) -> None:
    def gone() -> None:
        raise Gone

    with start(server, tmp_path, Store()).ready() as session:
        with pytest.raises(Gone):
            session.send("Habari", begin=gone)
        session.send("Karibu")
    assert [event["text"] for event in server.got("submit_sm")] == ["Karibu"]


def test_what_people_write_comes_once_and_the_same_words_twice_are_two(server: SmppServer, tmp_path: Path) -> None:
    store = Store()
    with start(server, tmp_path, store).ready():
        server.deliver("1")
        server.deliver("1")
        server.deliver("b" * 10, udh="050003070202", esm_class=0x40)
        server.deliver("ŋatho ", udh="050003070201", esm_class=0x40, data_coding=8)
        server.deliver("", message_payload="Nairobi")
        wait_for(lambda: len(store.received) == 4)
    assert store.texts == ["1", "1", "ŋatho " + "b" * 10, "Nairobi"]
    assert {(inbound.sender, inbound.recipient) for inbound in store.received} == {(PATIENT, "22384")}
    assert [event["status"] for event in server.got("deliver_sm_resp", 5)] == [0] * 5


def test_a_redelivery_after_a_broken_link_is_no_second_answer(server: SmppServer, tmp_path: Path) -> None:
    store = Store()
    with start(server, tmp_path, store).ready():
        server.deliver("1")
        wait_for(lambda: server.of("deliver_sm_resp"))
        server.tell("drop")  # before any later answer of the carrier could prove that ours arrived
        wait_for(lambda: len(server.of("bind")) == 2)
        server.deliver("1")
        wait_for(lambda: len(server.of("deliver_sm_resp")) == 2)
        assert store.texts == ["1"]
        asked = len(server.of("enquire_link"))
        wait_for(lambda: len(server.of("enquire_link")) > asked)
        server.deliver("1")
        wait_for(lambda: len(store.texts) == 2)


def test_a_store_that_is_away_has_the_carrier_keep_the_message(server: SmppServer, tmp_path: Path) -> None:
    store = Store(away=1)
    with start(server, tmp_path, store).ready():
        server.deliver("HATARI")
        wait_for(lambda: server.of("deliver_sm_resp"))
        server.deliver("HATARI")
        wait_for(lambda: store.received)
    assert [event["status"] for event in server.got("deliver_sm_resp", 2)] == [0x64, 0]
    assert store.texts == ["HATARI"]


@pytest.mark.parametrize("garbage", ["ffffffff00000004", "0000000a00000004000000", "00000010"])
def test_what_is_no_smpp_ends_the_link(server: SmppServer, tmp_path: Path, garbage: str) -> None:
    with start(server, tmp_path, Store()).ready() as session:
        server.tell("raw", hex=garbage)
        if garbage == "00000010":
            server.tell("raw", hex="7777777700000000000000ff")  # a whole PDU, of a command that nobody knows
            assert session.send("Habari").parts == 1
            return
        wait_for(lambda: len(server.of("bind")) == 2)
        session.ready()
        assert session.send("Habari").parts == 1
