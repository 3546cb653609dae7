"""Which carrier gets an SMS: by destination and health, the next one only if the one before certainly has it not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels.awaited import Awaited, open_journal
from services.channels.base import Channel, ChannelError, DeliveryState, Kind, Media, Outbound, Receipt
from services.channels.circuits import FAILURES, Circuits
from services.channels.held import Door, Gone, HeldSms, socket_path
from services.channels.in_turn import InTurn
from services.channels.routes import everywhere, parse
from services.store import clock

KNOWN = ("africastalking", "smpp", "modem")
PATIENT = "+254722000002"
HABARI = Outbound(Kind.SMS, PATIENT, "Habari", reference="7")
PASSING, CERTAIN_NOT = ChannelError("away"), ChannelError("no such number", permanent=True)


@pytest.mark.parametrize(
    ("number", "carriers"),
    [
        ("+254701000001", ("modem", "africastalking")),
        ("+254722000002", ("modem", "africastalking")),
        ("+254722900002", ("smpp",)),
        ("+254733000003", ("africastalking", "smpp")),
        ("", ("africastalking", "smpp")),
    ],
)
def test_the_longest_prefix_decides(number: str, carriers: tuple[str, ...]) -> None:
    routes = parse("+25470, +25472 = modem,africastalking; +2547229=smpp ;*=africastalking,smpp", KNOWN)
    assert routes.to(number) == carriers


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("*", "names no carrier"),
        ("*=", "names no carrier"),
        ("0722=modem;*=modem", "is no prefix"),
        ("*=telegram", "'telegram' is no SMS carrier of this site; there are africastalking, smpp, modem"),
        ("*=modem;*=smpp", "stands twice"),
        ("*=modem,modem", "names a carrier twice"),
        ("+25472=modem", "nothing is said for other numbers"),
    ],
)
def test_a_wrong_order_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("*", r"\*")):
        parse(text, KNOWN)


@given(st.text(alphabet="+0123456789*=;, amodesp", max_size=60), st.text(max_size=20))
def test_any_order_is_understood_or_explained(text: str, number: str) -> None:
    try:
        routes = parse(text, ("modem", "smpp"))
    except ValueError:
        return
    assert set(routes.to(number)) <= {"modem", "smpp"}


class Carrier:
    """Takes what it is given, or raises what it is told to."""

    kinds = frozenset({Kind.SMS})

    def __init__(self, name: str, error: ChannelError | None = None) -> None:
        self.name, self.error, self.taken, self.probes = name, error, 0, 0

    def send(self, message: Outbound) -> Receipt:
        self.taken += 1
        if self.error:
            raise self.error
        return Receipt(f"{self.name}-{message.reference}", "sent", parts=1)

    def fetch(self, media: Media) -> bytes:
        raise ChannelError(media.locator, permanent=True)

    def probe(self) -> None:
        self.probes += 1
        if self.error:
            raise self.error


def in_turn(directory: Path, *carriers: Channel) -> InTurn:
    names = [carrier.name for carrier in carriers]
    return InTurn(dict(zip(names, carriers, strict=True)), everywhere(names), Circuits(directory))


def test_the_next_carrier_has_it_when_the_first_certainly_has_not(tmp_path: Path) -> None:
    first, second = Carrier("modem", PASSING), Carrier("smpp")
    receipt = in_turn(tmp_path, first, second).send(HABARI)
    assert (receipt.provider_id, receipt.carrier) == ("smpp-7", "smpp")


@pytest.mark.parametrize("error", [ChannelError("time-out", unknown=True), CERTAIN_NOT])
def test_no_other_carrier_gets_what_may_be_sent_or_may_not_be(tmp_path: Path, error: ChannelError) -> None:
    second = Carrier("smpp")
    with pytest.raises(ChannelError) as raised:
        in_turn(tmp_path, Carrier("modem", error), second).send(HABARI)
    assert (raised.value, raised.value.carrier, second.taken) == (error, "modem", 0)


def test_when_all_refuse_the_soonest_counts(tmp_path: Path) -> None:
    slow, fast = ChannelError("no airtime", retry_after_s=1800), ChannelError("throttled", retry_after_s=10)
    with pytest.raises(ChannelError, match="throttled"):
        in_turn(tmp_path, Carrier("modem", slow), Carrier("smpp", fast)).send(HABARI)


def test_a_carrier_out_of_order_comes_last_until_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now_ms()
    monkeypatch.setattr("services.channels.circuits.now_ms", lambda: now)
    first, second = Carrier("modem", PASSING), Carrier("smpp")
    sms = in_turn(tmp_path, first, second)
    for _ in range(FAILURES + 2):
        sms.send(HABARI)
    assert (first.taken, second.taken) == (FAILURES, FAILURES + 2)
    assert Circuits(tmp_path).of("modem").state == "open"
    assert sms.probe_due() == 0, "not yet"
    now += 31_000
    assert (sms.probe_due(), first.probes) == (0, 1)
    now += 31_000
    assert sms.probe_due() == 0, "it waits twice as long"
    now += 30_000
    first.error = None
    assert (sms.probe_due(), first.probes) == (1, 2)
    assert sms.send(HABARI).carrier == "modem"
    assert Circuits(tmp_path).all() == {}
    now -= 10**10
    first.error = PASSING
    for _ in range(FAILURES):
        sms.send(HABARI)
    now -= 10**10  # the clock was set back for months
    assert Circuits(tmp_path).due() == ["modem"]


def test_one_failure_after_a_probe_is_enough(tmp_path: Path) -> None:
    circuits = Circuits(tmp_path)
    for _ in range(FAILURES):
        circuits.failed("modem", "away")
    circuits.probed("modem", "")
    assert circuits.in_order(["modem", "smpp"]) == ["modem", "smpp"]
    circuits.failed("modem", "away")
    assert circuits.in_order(["modem", "smpp"]) == ["smpp", "modem"]
    (tmp_path / "site" / "carriers.json").write_text("[1]")
    assert circuits.in_order(["modem", "smpp"]) == ["modem", "smpp"], "what cannot be read is forgotten"


def test_a_message_reaches_the_process_that_holds_the_session(tmp_path: Path) -> None:
    late: list[tuple[str, Receipt]] = []
    waiting, go = threading.Event(), threading.Event()

    def take(message: Outbound, begin: object) -> Receipt:
        assert callable(begin)
        begin()
        if message.text == "later":
            waiting.set()
            go.wait(10)
        if message.text == "refused":
            raise ChannelError("throttled", retry_after_s=10)
        return Receipt(f"id of {message.to}", "sent", parts=2)

    path = socket_path(tmp_path, "modem")
    door = Door(path, take, lambda: "no network", lambda reference, receipt: late.append((reference, receipt)))
    channel = HeldSms("modem", path)
    assert channel.send(HABARI) == Receipt(f"id of {PATIENT}", "sent", parts=2)
    with pytest.raises(ChannelError, match="throttled") as refused:
        channel.send(Outbound(Kind.SMS, PATIENT, "refused"))
    assert (refused.value.unknown, refused.value.retry_after_s) == (False, 10)
    with pytest.raises(ChannelError, match="no network"):
        channel.probe()
    with pytest.raises(ChannelError, match="in time") as late_error:
        HeldSms("modem", path, wait_s=(0.1, 0.1)).send(Outbound(Kind.SMS, PATIENT, "later", reference="9"))
    assert late_error.value.unknown
    assert waiting.is_set()
    go.set()
    for _ in range(500):
        if late:
            break
        threading.Event().wait(0.01)
    assert late == [("9", Receipt(f"id of {PATIENT}", "sent", parts=2))], "its receipt is not lost"
    door.close()
    with pytest.raises(ChannelError, match="not running") as gone:
        channel.send(HABARI)
    assert not gone.value.unknown


def test_what_waits_too_long_is_not_begun(tmp_path: Path) -> None:
    begun: list[str] = []

    def take(message: Outbound, begin: object) -> Receipt:
        threading.Event().wait(0.3)
        assert callable(begin)
        begin()
        begun.append(message.text)
        raise Gone

    path = socket_path(tmp_path, "modem")
    door = Door(path, take, str, lambda _reference, _receipt: None)
    with pytest.raises(ChannelError, match="busy") as busy:
        HeldSms("modem", path, wait_s=(0.1, 5)).send(HABARI)
    door.close()
    assert (busy.value.unknown, begun) == (False, [])


_HOLDER = """
import sys, time
from pathlib import Path
from services.channels.held import Door
def take(message, begin):
    if message.text == "begun":
        begin()
    print("taken", flush=True)
    time.sleep(60)
Door(Path(sys.argv[1]), take, str, print)
print("open", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("text", "unknown"), [("begun", True), ("waiting", False)])
def test_a_process_killed_in_the_middle(tmp_path: Path, text: str, unknown: bool) -> None:
    """Before "begun" another carrier may have the message; after it, nobody may."""
    path = socket_path(tmp_path, "modem")
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"

    def kill() -> None:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        os.kill(holder.pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    with pytest.raises(ChannelError, match="ended") as killed:
        HeldSms("modem", path).send(Outbound(Kind.SMS, PATIENT, text))
    holder.wait()
    assert killed.value.unknown is unknown


@pytest.mark.parametrize("said", [b"", b"{}\n", b"[]\n", b"nonsense\n", b'{"to": 1}\n'])
def test_what_is_no_request_harms_nobody(tmp_path: Path, said: bytes) -> None:
    path = socket_path(tmp_path, "modem")
    door = Door(path, lambda _message, _begin: Receipt("1", "sent"), str, lambda _reference, _receipt: None)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(path))
        stranger.sendall(said)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(100) == b""
    assert HeldSms("modem", path).send(HABARI).provider_id == "1"
    assert oct(path.stat().st_mode)[-3:] == "600"
    door.close()


def awaited(tmp_path: Path, *, by_number: bool = True) -> Awaited:
    return Awaited(
        "modem", open_journal(tmp_path / "reports.db"), lambda number: f"token of {number}", by_number=by_number
    )


def test_a_report_without_its_reference_goes_to_the_message_that_was_cut(tmp_path: Path) -> None:
    found = awaited(tmp_path)
    whole = found.expect(PATIENT, 1)
    found.went(whole, "6")
    cut = found.expect(PATIENT, 2)
    found.went(cut, "7")
    found = awaited(tmp_path)  # the process was killed
    delivered = DeliveryState.DELIVERED
    assert found.reported(PATIENT, ("8",), delivered, "0") is None
    settled = found.reported(PATIENT, ("7",), delivered, "0")
    assert settled is not None
    assert (settled.provider_id, settled.state) == (cut, delivered)
    found.settled(cut)
    assert found.reported(PATIENT, ("7",), delivered, "0") is None, "reported again"
    other = found.reported(PATIENT, ("6",), DeliveryState.FAILED, "65", "gone")
    assert other is not None
    assert (other.provider_id, other.reason) == (whole, "gone")
    assert PATIENT.encode() not in (tmp_path / "reports.db").read_bytes().replace(f"token of {PATIENT}".encode(), b"")


def test_a_reference_that_came_round_again_belongs_to_the_newest_unsettled(tmp_path: Path) -> None:
    found = awaited(tmp_path)
    first, second = found.expect(PATIENT, 1), found.expect("+254733000003", 1)
    found.went(first, "7")
    found.went(second, "7")
    report = found.reported(PATIENT, ("7",), DeliveryState.DELIVERED, "0")
    assert report is not None
    assert report.provider_id == first, "the number tells them apart"
