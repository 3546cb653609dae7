"""The life of a modem: opened, asked how it is, relieved of what it received, given what must go out."""

from __future__ import annotations

import hmac
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from services.channels.awaited import Awaited, open_journal
from services.channels.base import ChannelError, Receipt
from services.channels.gsm7 import normalise
from services.channels.held import Gone
from services.channels.modem.device import Condition, Device, DeviceError
from services.channels.modem.incoming import NAME, Report, Stored, join, read
from services.channels.modem.watchdog import ENDED, POWER, RESET, Trouble, Watchdog, cut_power
from services.channels.outlets import Job, Jobs, Outlets, Status, status_path

_LOG = logging.getLogger(__name__)
_CONDITION_EVERY_S, _BALANCE_EVERY_S = 30.0, 6 * 3600.0
_INCOMPLETE_S, _INCOMPLETE_FULL_S, _NEARLY_FULL = 6 * 3600.0, 60.0, 0.8
_FAILURES = 3
_AGAIN, _AGAIN_S = 2, 3.0
_PIN_REFUSED = "pin-refused"


@dataclass(frozen=True)
class ModemConfig:
    """See the settings of the same names. `look_s`: seconds between two looks for incoming SMS; `settle_s`: what a
    modem needs to come back from a reset."""

    device: str
    connection: str
    data_dir: Path
    number: str = ""
    pin: str = ""
    balance_ussd: str = ""
    answer_s: float = 60.0
    power_command: str = ""
    look_s: float = 3.0
    settle_s: float = 15.0


class ModemSession:
    """One thread speaks with the modem; whoever has a message waits in `jobs`."""

    def __init__(self, config: ModemConfig, outlets: Outlets) -> None:
        self._config, self._outlets = config, outlets
        self._own = config.data_dir / "modem"
        self._trouble = Trouble(self._own / "trouble.json")
        self._watchdog = Watchdog(config.answer_s, self._trouble)
        self._status = Status(status_path(config.data_dir, NAME))
        self._awaited = Awaited(NAME, open_journal(self._own / "reports.db"), outlets.token, by_number=True)
        self._first_seen: dict[tuple[str, int, int], float] = {}
        self._failures, self._balance = 0, ""
        self._condition: Condition | None = None
        self.jobs = Jobs(NAME)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Until told to stop. Raises SystemExit when the modem must be opened anew."""
        device = self._open()
        look = condition = balance = 0.0
        while not stopping():
            job = self.jobs.next(min(0.2, self._config.look_s))
            if job is not None:
                self._do(device, job)
            now = time.monotonic()
            if now >= condition:
                self._attempt(device, self._check)
                condition = time.monotonic() + _CONDITION_EVERY_S
            if now >= look and not self.jobs.fault:
                self._attempt(device, self._look)
                look = time.monotonic() + self._config.look_s
            if self._config.balance_ussd and now >= balance and not self.jobs.fault:
                self._attempt(device, self._ask_balance)
                balance = time.monotonic() + _BALANCE_EVERY_S
        self._attempt(device, Device.close)

    def _open(self) -> Device:
        level, config = self._trouble.level, self._config
        self._say(f"is being opened ({level} times it did not answer)" if level else "is being opened")
        if level >= POWER:
            time.sleep(self._trouble.pause_s())
            cut_power(config.power_command)
            time.sleep(config.settle_s if config.power_command else 0)
        try:
            device = Device(config.device, config.connection, self._watchdog.asked)
            if level == RESET:
                device = self._reset(device)
            self._unlock(device)
        except DeviceError as error:
            self._lost(error.name)
        self._watchdog.idle()
        return device

    def _reset(self, device: Device) -> Device:
        try:
            device.reset()
        except DeviceError as error:
            _LOG.warning("the modem could not be reset", extra={"reason": error.name})
        device.close()
        self._watchdog.idle()
        time.sleep(self._config.settle_s)
        return Device(self._config.device, self._config.connection, self._watchdog.asked)

    def _unlock(self, device: Device) -> None:
        """Gives the PIN where the SIM wants it, and never twice the same that it refused: the third time locks it."""
        if not self._config.pin or device.condition().sim != "PIN":
            return
        refused, token = self._own / _PIN_REFUSED, self._outlets.token(f"pin:{self._config.pin}")
        if refused.is_file() and hmac.compare_digest(refused.read_text(), token):
            return
        # Written before it is tried: a power cut must not make it be tried again.
        refused.write_text(token)
        if device.enter_pin(self._config.pin):
            refused.unlink()
        else:
            _LOG.error("the SIM refused its PIN")

    def _attempt(self, device: Device, what: Callable[[Device], None]) -> None:
        try:
            what(device)
        except DeviceError as error:
            self._failures += 1
            _LOG.warning("modem", extra={"reason": error.name, "failures": self._failures})
            if self._failures >= _FAILURES:
                self._lost(error.name)
        finally:
            self._watchdog.idle()

    def _lost(self, reason: str) -> NoReturn:
        self._watchdog.idle()
        self._trouble.rise(reason)
        self._say(f"does not answer ({reason})")
        sys.exit(ENDED)

    def _check(self, device: Device) -> None:
        self._condition = device.condition()
        self._failures = 0
        self._trouble.end()
        self._say(self._condition.fault)

    def _ask_balance(self, device: Device) -> None:
        self._balance = device.dial(self._config.balance_ussd)[:160]
        self._say(self.jobs.fault)

    def _say(self, fault: str) -> None:
        self.jobs.fault = fault
        found = self._condition or Condition(sim="unknown", network="unknown")
        self._status.say(
            fault=fault,
            sim=found.sim,
            network=found.network,
            operator=found.operator,
            signal_percent=found.signal,
            sim_used=found.sim_used,
            sim_size=found.sim_size,
            balance=self._balance,
            unanswered=self._trouble.level,
        )

    def _do(self, device: Device, job: Job) -> None:
        try:
            job.outcome.set_result(self._send(device, job))
        except (ChannelError, Gone) as error:
            job.outcome.set_exception(error)
        finally:
            self._watchdog.idle()

    def _send(self, device: Device, job: Job) -> Receipt:
        """One SMS. Raises ChannelError, Gone."""
        number = job.message.to
        try:
            parts = device.parts_of(normalise(job.message.text))
        except DeviceError as error:
            raise error.of_sending() from None
        awaited = self._awaited.expect(number, len(parts))
        try:
            job.begin()
        except Gone:
            self._awaited.drop(awaited)
            raise
        for position, part in enumerate(parts):
            try:
                reference = self._part(device, part, number, tries=1 + (_AGAIN if position else 0))
            except DeviceError as error:
                found = error.of_sending()
                if position:
                    raise ChannelError(f"{found.reason}: sent in part", unknown=True) from None
                if not found.unknown:
                    self._awaited.drop(awaited)
                raise found from None
            self._awaited.went(awaited, str(reference))
        return Receipt(provider_id=awaited, status="sent", parts=len(parts))

    def _part(self, device: Device, part: dict[str, object], number: str, *, tries: int) -> int:
        while True:
            tries -= 1
            try:
                return device.send(part, number)
            except DeviceError as error:
                if not tries or error.of_sending().unknown:
                    raise
                self._watchdog.idle()
                time.sleep(_AGAIN_S)

    def _look(self, device: Device) -> None:
        """Takes what the SIM holds. A message is deleted there only when the store has it."""
        parts: list[Stored] = []
        for found in list(device.stored()):
            item = read(found)
            if isinstance(item, Stored):
                parts.append(item)
                continue
            if isinstance(item, Report):
                self._take_report(item)
            else:
                _LOG.info("no text, deleted")
            device.delete(int(found["Location"]))
        now = time.monotonic()
        keys = {(part.sender, part.reference, part.of): part for part in parts if part.of > 1}
        self._first_seen = {key: self._first_seen.get(key, now) for key in keys}
        patience = _INCOMPLETE_FULL_S if self._is_nearly_full(len(parts)) else _INCOMPLETE_S
        late = [
            part for part in parts if now - self._first_seen.get((part.sender, part.reference, part.of), now) > patience
        ]
        wholes = join(parts, self._config.number)
        taken = {location for whole in wholes for location in whole.locations}
        rest = [part for part in late if part.location not in taken]
        for whole in [*wholes, *join(rest, self._config.number, incomplete=True)]:
            self._watchdog.idle()  # the store may take longer than a modem
            try:
                self._outlets.receive(whole.inbound)
            except Exception as error:  # one message that cannot be taken must not keep the others waiting
                _LOG.error("message not taken, kept on the SIM", extra={"reason": type(error).__name__})
                continue
            for location in whole.locations:
                device.delete(location)
        self._failures = 0

    def _is_nearly_full(self, used: int) -> bool:
        size = self._condition.sim_size if self._condition else 0
        return size > 0 and used >= size * _NEARLY_FULL

    def _take_report(self, item: Report) -> None:
        report = self._awaited.reported(
            item.number, (item.reference,), item.state, item.status, f"TP-Status {item.status}"
        )
        if report is not None:
            self._outlets.report(report, item.number)
            self._awaited.settled(report.provider_id)
