"""The life of a link with an SMPP carrier: bound, kept alive, bound again with ever longer pauses when it breaks."""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from services.channels.awaited import Awaited, open_journal
from services.channels.outlets import Jobs, Outlets, Status, status_path
from services.channels.phone_numbers import NotAPhone, from_carrier
from services.channels.phone_numbers import normalise as number_of_region
from services.channels.smpp import receipts
from services.channels.smpp.config import SmppConfig
from services.channels.smpp.incoming import NAME, Arrived, Incoming
from services.channels.smpp.link import Link, LinkLost, Pdu, as_text
from services.channels.smpp.sending import Outgoing
from services.channels.smpp.text import Part, decode, split_header

_LOG = logging.getLogger(__name__)
_TICK_S = 0.5
_ANSWER_S = 50.0
_PROOF_S = 1.0
_THROTTLED_AGAIN_S, _THROTTLED_TRIES = 2.0, 10
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _STEADY_S = 1.0, 60.0, 60.0
_GIVE_UP_EVERY_S = 600.0
_RECEIPT_WANTED = 1  # registered_delivery: success or failure
_HAS_HEADER, _TYPE, _IS_RECEIPT = 0x40, 0x3C, 0x04
_TRY_AGAIN, _NEVER_AGAIN, _BAD_COMMAND = 0x64, 0x66, 0x03


@dataclass
class _Talk:
    """What one link is in the middle of."""

    link: Link
    outgoing: Outgoing
    answered: list[str] = field(default_factory=list)
    proofs: dict[int, list[str]] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)
    asked: float = field(default_factory=time.monotonic)


class SmppSession:
    """One thread speaks with the carrier; whoever has a message waits in `jobs`."""

    def __init__(self, config: SmppConfig, outlets: Outlets) -> None:
        self._config, self._outlets = config, outlets
        journal = open_journal(config.data_dir / "smpp" / "session.db")
        self._awaited = Awaited(NAME, journal, outlets.token, by_number=False)
        self._incoming = Incoming(journal, outlets)
        self._status = Status(status_path(config.data_dir, NAME))
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.jobs = Jobs(NAME, self._wake)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Until told to stop."""
        pause = _FIRST_PAUSE_S
        while not stopping():
            began = time.monotonic()
            try:
                self._talk(stopping)
            except LinkLost as error:
                self._say(str(error))
                _LOG.warning("link lost", extra={"reason": str(error)})
            if time.monotonic() - began > _STEADY_S:
                pause = _FIRST_PAUSE_S
            until = time.monotonic() + pause
            while time.monotonic() < until and not stopping():
                time.sleep(min(_TICK_S, pause))
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        self._say("stopped")

    def _talk(self, stopping: Callable[[], bool]) -> None:
        """One link from its bind to its end. Raises LinkLost."""
        config = self._config
        link = Link(
            config.host,
            config.port,
            tls=config.tls,
            ca=config.ca,
            system_id=config.system_id,
            password=config.password,
            system_type=config.system_type,
        )
        self._incoming.new_link()
        talk, give_up = _Talk(link, Outgoing(link, config, self._awaited, self.jobs)), 0.0
        self._say("")
        try:
            while not stopping():
                readable, _, _ = select.select([link.fileno(), self._wake_read], [], [], _TICK_S)
                self._drain()
                for pdu in link.receive() if link.fileno() in readable else ():
                    talk.heard = time.monotonic()
                    self._hear(talk, pdu)
                self._keep_alive(talk)
                talk.outgoing.go_on()
                if time.monotonic() >= give_up:
                    self._incoming.give_up_waiting()
                    give_up = time.monotonic() + _GIVE_UP_EVERY_S
            link.say("unbind")
        finally:
            self.jobs.fault = self.jobs.fault or "no link"
            link.close()
            talk.outgoing.link_ended()

    def _hear(self, talk: _Talk, pdu: Pdu) -> None:
        if pdu.command in ("submit_sm_resp", "generic_nack"):
            talk.outgoing.answered(pdu)
        elif pdu.command == "deliver_sm":
            self._deliver(talk, pdu)
        elif pdu.command == "enquire_link":
            talk.link.say("enquire_link_resp", sequence=pdu.sequence)
        elif pdu.command == "enquire_link_resp":
            self._incoming.proven(talk.proofs.pop(pdu.sequence, []))
        elif pdu.command == "unbind":
            talk.link.say("unbind_resp", sequence=pdu.sequence)
            raise LinkLost("unbound by the carrier")
        elif pdu.command == "unknown":
            talk.link.say("generic_nack", sequence=pdu.sequence, status=_BAD_COMMAND)

    def _deliver(self, talk: _Talk, pdu: Pdu) -> None:
        """A receipt or a person's SMS; the carrier is thanked when it is safe."""
        if pdu.fields is None:
            talk.link.say("deliver_sm_resp", sequence=pdu.sequence, status=_NEVER_AGAIN)
            return
        try:
            if (pdu.fields.get("esm_class") or 0) & _TYPE == _IS_RECEIPT:
                self._take_receipt(pdu.fields)
            else:
                arrived = self._read(pdu.fields)
                if arrived is not None:
                    talk.answered.append(self._incoming.take(arrived))
        except Exception as error:  # whatever the store raises: the carrier keeps it and sends it again
            _LOG.error("message not taken", extra={"reason": type(error).__name__})
            talk.link.say("deliver_sm_resp", sequence=pdu.sequence, status=_TRY_AGAIN)
            return
        talk.link.say("deliver_sm_resp", sequence=pdu.sequence)

    def _take_receipt(self, fields: dict[str, Any]) -> None:
        octets = fields.get("short_message") or fields.get("message_payload") or b""
        message_id = as_text(fields.get("receipted_message_id"))
        found = receipts.parse(octets.decode("latin-1"), message_id, fields.get("message_state"))
        if found is None:
            _LOG.info("receipt without an id")
            return
        number = self._number(fields.get("source_addr"))
        reason = f"{found.status} {found.error}".strip()
        report = self._awaited.reported(number, found.references, found.state, found.status, reason)
        if report is not None:
            self._outlets.report(report, number)
            self._awaited.settled(report.provider_id)

    def _read(self, fields: dict[str, Any]) -> Arrived | None:
        """None for what is no text."""
        octets = fields.get("short_message") or fields.get("message_payload") or b""
        part = Part()
        if (fields.get("esm_class") or 0) & _HAS_HEADER:
            part, octets = split_header(octets)
        elif 1 <= (fields.get("sar_segment_seqnum") or 0) <= (fields.get("sar_total_segments") or 0):
            part = Part(
                int(fields.get("sar_msg_ref_num") or 0), fields["sar_segment_seqnum"], fields["sar_total_segments"]
            )
        text = decode(octets, fields.get("data_coding") or 0, self._config.alphabet)
        if text is None:
            return None
        return Arrived(self._number(fields.get("source_addr")), as_text(fields.get("destination_addr")), text, part)

    def _number(self, given: object) -> str:
        """Some carriers leave the country out."""
        found = from_carrier(as_text(given))
        try:
            return found if found.startswith("+") else number_of_region(found, self._config.region)
        except NotAPhone:
            return found

    def _keep_alive(self, talk: _Talk) -> None:
        """Asks when nothing was heard for long, and soon after an SMS was answered: the reply proves that our answer
        arrived. Raises LinkLost when there is no reply."""
        now = time.monotonic()
        if now - talk.heard > 2 * self._config.enquire_s + _TICK_S:
            raise LinkLost("the carrier is silent")
        due = now - max(talk.heard, talk.asked) > self._config.enquire_s
        if due or (talk.answered and now - talk.asked > _PROOF_S):
            talk.asked = now
            answered, talk.answered = talk.answered, []
            talk.proofs[talk.link.say("enquire_link")] = answered

    def _say(self, fault: str) -> None:
        self.jobs.fault = fault
        self._status.say(fault=fault, bound=not fault)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it is awake
            os.write(self._wake_write, b".")

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
