"""What goes out through one link: as many messages at once as the window allows, a part of each at a time."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from services.channels.awaited import Awaited
from services.channels.base import ChannelError, Receipt
from services.channels.gsm7 import normalise
from services.channels.held import Gone
from services.channels.outlets import Job, Jobs
from services.channels.smpp.config import SmppConfig
from services.channels.smpp.link import Link, Pdu, address, as_text
from services.channels.smpp.receipts import canonical
from services.channels.smpp.status import THROTTLED, refusal
from services.channels.smpp.text import encode, header

_ANSWER_S = 50.0
THROTTLED_AGAIN_S, _THROTTLED_TRIES = 2.0, 10
_RECEIPT_WANTED = 1  # registered_delivery: success or failure
_HAS_HEADER = 0x40
_LONGEST_SHORT = 160
_BEING_WRITTEN = -1


@dataclass
class _Sending:
    """A message of which one part at a time waits for its answer."""

    job: Job
    awaited: str
    coding: int
    parts: list[bytes]
    billed: int
    reference: int
    position: int = 0
    tries: int = 0
    deadline: float = 0.0
    again: float | None = None


class Outgoing:
    """The messages under way on one link."""

    def __init__(self, link: Link, config: SmppConfig, awaited: Awaited, jobs: Jobs) -> None:
        self._link, self._config, self._awaited, self._jobs = link, config, awaited, jobs
        self._sending: dict[int, _Sending] = {}
        self._throttled: list[_Sending] = []

    def link_ended(self) -> None:
        """Nobody knows what became of what was under way."""
        for sending in [*self._sending.values(), *self._throttled]:
            _end(sending, ChannelError("smpp: the link ended before the answer", unknown=True))

    def go_on(self) -> None:
        """Answers that did not come, parts that were throttled, and new messages as far as the window goes."""
        now = time.monotonic()
        for sequence, sending in list(self._sending.items()):
            if now > sending.deadline:
                del self._sending[sequence]
                _end(sending, ChannelError("smpp: no answer to submit_sm", unknown=True))
        for sending in [each for each in self._throttled if each.again is not None and now >= each.again]:
            self._throttled.remove(sending)
            self._submit(sending)
        while len(self._sending) + len(self._throttled) < self._config.window:
            job = self._jobs.next(0)
            if job is None:
                return
            self._begin(job)

    def _begin(self, job: Job) -> None:
        text = normalise(job.message.text)
        coding, parts = encode(text, self._config.alphabet)
        billed = len(parts)
        if self._config.long == "payload":
            parts = [b"".join(parts)]
        awaited = self._awaited.expect(job.message.to, len(parts))
        sending = _Sending(job, awaited, coding, parts, billed, reference=secrets.randbelow(256))
        try:
            job.begin()
        except Gone as gone:
            self._awaited.drop(awaited)
            job.outcome.set_exception(gone)
            return
        self._submit(sending)

    def _submit(self, sending: _Sending) -> None:
        """Sends one part. Raises LinkLost, after which nobody knows whether it arrived."""
        octets, of = sending.parts[sending.position], len(sending.parts)
        ton, npi, source = address(self._config.sender)
        dest_ton, dest_npi, destination = address(sending.job.message.to)
        fields: dict[str, Any] = {"esm_class": 0, "short_message": octets}
        if of > 1:
            head = header(sending.reference, of, sending.position + 1)
            fields = {"esm_class": _HAS_HEADER, "short_message": head + octets}
        elif self._config.long == "payload" and len(octets) > _LONGEST_SHORT:
            fields = {"esm_class": 0, "message_payload": octets}
        sending.deadline, sending.again = time.monotonic() + _ANSWER_S, None
        self._sending[_BEING_WRITTEN] = sending  # should the link break now
        sequence = self._link.say(
            "submit_sm",
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=source,
            dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi,
            destination_addr=destination,
            registered_delivery=_RECEIPT_WANTED,
            data_coding=sending.coding,
            **fields,
        )
        self._sending[sequence] = self._sending.pop(_BEING_WRITTEN)

    def answered(self, pdu: Pdu) -> None:
        """submit_sm_resp or generic_nack. Raises LinkLost."""
        sending = self._sending.pop(pdu.sequence, None)
        if sending is None:
            return
        if pdu.status == 0 and pdu.command == "submit_sm_resp":
            self._awaited.went(sending.awaited, canonical(as_text((pdu.fields or {}).get("message_id"))))
            sending.position += 1
            if sending.position < len(sending.parts):
                self._submit(sending)
            else:
                sending.job.outcome.set_result(Receipt(sending.awaited, "sent", parts=sending.billed))
            return
        error = refusal(pdu.status or 0xFF)
        if sending.position == 0:
            self._awaited.drop(sending.awaited)
            _end(sending, error)
        elif pdu.status in THROTTLED and sending.tries < _THROTTLED_TRIES:
            # Its first parts are on their way: no other carrier may have it, so this one is asked again.
            sending.tries += 1
            sending.again = time.monotonic() + THROTTLED_AGAIN_S
            self._throttled.append(sending)
        else:
            _end(sending, ChannelError(f"{error.reason}: sent in part", unknown=True))


def _end(sending: _Sending, error: ChannelError) -> None:
    sending.job.outcome.set_exception(error)
