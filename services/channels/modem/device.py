"""What is asked of the modem, in gammu's words. Every call may block for as long as the modem does not answer."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from services.channels.base import ChannelError

_LOG = logging.getLogger(__name__)
_USSD_READS = 40
_LOG_READ = 200_000
# The modem, or the network through it, refused before it took anything. Whatever is not here may have been sent.
_REFUSED = frozenset(
    {
        "ERR_BUSY", "ERR_CANTOPENFILE", "ERR_DEVICEBUSY", "ERR_DEVICELOCKED", "ERR_DEVICENODRIVER",
        "ERR_DEVICENOPERMISSION", "ERR_DEVICENOTEXIST", "ERR_DEVICEOPENERROR", "ERR_DISABLED", "ERR_EMPTYSMSC",
        "ERR_GETTING_SMSC", "ERR_INSIDEPHONEMENU", "ERR_MEMORY_NOT_AVAILABLE", "ERR_NETWORK_ERROR", "ERR_NOSERVICE",
        "ERR_NOSIM", "ERR_NOTCONNECTED", "ERR_PERMISSION", "ERR_PHONEOFF", "ERR_SECURITYERROR",
    }
)  # fmt: skip
_SILENT = frozenset({"ERR_TIMEOUT", "ERR_DEVICEREADERROR", "ERR_DEVICEWRITEERROR"})
# +CMS ERROR, 3GPP TS 27.005, 3.2.5 and TS 24.011, annex E: no such number, unidentified subscriber, invalid PDU.
_WRONG = frozenset({1, 28, 304, 305})
_NETWORK_TIMEOUT, _FIRST_OF_MAKERS = 332, 500  # it may have been sent
_CMS = re.compile(rb"CMS Error (\d{1,4})")
_BARRED, _SLOWLY_S = frozenset({8, 10, 21, 29, 50, 69}), 300.0  # mostly no airtime, which people must buy


class DeviceError(Exception):
    """The modem refused, or cannot be spoken with. `name` is gammu's, such as ERR_TIMEOUT; `cms` the code of a
    +CMS ERROR, which says more."""

    def __init__(self, name: str, cms: int | None = None) -> None:
        super().__init__(name)
        self.name, self.cms = name, cms

    def of_sending(self) -> ChannelError:
        """What it means for a part of an SMS."""
        if self.cms is None:
            return ChannelError(f"modem: {self.name}", unknown=self.name not in _REFUSED)
        unknown = self.cms == _NETWORK_TIMEOUT or self.cms >= _FIRST_OF_MAKERS
        wait = _SLOWLY_S if self.cms in _BARRED else None
        return ChannelError(f"modem: CMS {self.cms}", permanent=self.cms in _WRONG, unknown=unknown, retry_after_s=wait)


@dataclass(frozen=True)
class Condition:
    """How the modem is. `signal` in percent; `sim`: ready, PIN, PUK…; `network`: home, roaming, searching, none,
    refused, or unknown, since not every modem says."""

    sim: str
    network: str
    operator: str = ""
    signal: int | None = None
    sim_used: int = 0
    sim_size: int = 0

    @property
    def fault(self) -> str:
        """Why nothing can be sent; empty if it can."""
        if self.sim != "ready":
            return f"the SIM wants {self.sim}"
        return f"no network ({self.network})" if self.network in ("searching", "none", "refused") else ""


_NETWORKS = {
    "HomeNetwork": "home",
    "RoamingNetwork": "roaming",
    "RequestingNetwork": "searching",
    "NoNetwork": "none",
    "RegistrationDenied": "refused",
}


class Device:
    """One modem, opened. `said` is called before each question, for whoever watches whether it is answered."""

    def __init__(self, device: str, connection: str, said: Callable[[], None]) -> None:
        import gammu

        self._gammu, self._said = gammu, said
        # gammu tells the network's reason only in its log. It also holds what people write: it stays in memory, and is
        # emptied before each question.
        self._log = os.fdopen(os.memfd_create("gammu"), "w+b", buffering=0)
        self._machine = gammu.StateMachine()
        dummy = connection == "dummy"
        self._machine.SetConfig(
            0,
            {
                "Device": device,
                "Connection": "none" if dummy else connection,
                "Model": "dummy" if dummy else "at",
                "UseGlobalDebugFile": True,
            },
        )
        gammu.SetDebugLevel("errors")
        gammu.SetDebugFile(self._log)
        self._answers: list[str] = []
        self._ask(self._machine.Init)
        self._machine.SetIncomingCallback(self._incoming)

    def close(self) -> None:
        self._ask(self._machine.Terminate)

    def condition(self) -> Condition:
        """SIM, network, signal, room for incoming SMS. Raises DeviceError."""
        wants = self._ask(self._machine.GetSecurityStatus)
        if wants:
            return Condition(sim=str(wants), network="unknown")
        network = self._optional(self._machine.GetNetworkInfo, {})
        signal = self._optional(self._machine.GetSignalQuality, {}).get("SignalPercent", -1)
        room = self._optional(self._machine.GetSMSStatus, {})
        return Condition(
            sim="ready",
            network=_NETWORKS.get(network.get("State", ""), "unknown"),
            operator=str(network.get("NetworkName") or network.get("NetworkCode", "")),
            signal=signal if signal >= 0 else None,
            sim_used=int(room.get("SIMUsed", 0)),
            sim_size=int(room.get("SIMSize", 0)),
        )

    def enter_pin(self, pin: str) -> bool:
        """Whether the SIM took it. Raises DeviceError where that is not known."""
        try:
            self._ask(self._machine.EnterSecurityCode, "PIN", pin)
        except DeviceError as error:
            if error.name in ("ERR_SECURITYERROR", "ERR_INVALIDDATA", "ERR_UNKNOWN"):
                return False
            raise
        return True

    def parts_of(self, text: str) -> list[dict[str, Any]]:
        """An SMS as gammu cuts it: GSM-7, 160 places or parts of 153."""
        entry = {"ID": "ConcatenatedTextLong", "Buffer": text}
        found: list[dict[str, Any]] = self._gammu.EncodeSMS({"Class": -1, "Unicode": False, "Entries": [entry]})
        return found

    def send(self, part: dict[str, Any], number: str) -> int:
        """Hands one part to the network and asks for its report. Its reference. Raises DeviceError."""
        part |= {"SMSC": {"Location": 1}, "Number": number, "Type": "Status_Report"}
        return int(self._ask(self._machine.SendSMS, part))

    def stored(self) -> Iterator[dict[str, Any]]:
        """Every SMS and report that the SIM holds. Raises DeviceError."""
        place: dict[str, Any] = {"Start": True}
        while True:
            try:
                found = self._ask(self._machine.GetNextSMS, Folder=0, **place)
            except DeviceError as error:
                if error.name == "ERR_EMPTY":
                    return
                raise
            yield from found
            place = {"Location": found[-1]["Location"]}

    def delete(self, location: int) -> None:
        """Takes one SMS off the SIM; one that is gone already is no error. Raises DeviceError."""
        try:
            self._ask(self._machine.DeleteSMS, Folder=0, Location=location)
        except DeviceError as error:
            if error.name not in ("ERR_EMPTY", "ERR_INVALIDLOCATION"):
                raise

    def dial(self, code: str) -> str:
        """What the network answers to a USSD code; empty if it does not in time. Raises DeviceError."""
        self._answers.clear()
        self._optional(self._machine.SetIncomingUSSD, None, True)
        self._ask(self._machine.DialService, code)
        for _ in range(_USSD_READS):
            if self._answers:
                return self._answers[-1]
            self._ask(self._machine.ReadDevice, True)
        return ""

    def reset(self) -> None:
        """Has it start anew. Raises DeviceError."""
        self._ask(self._machine.Reset, False)

    def _incoming(self, _machine: object, kind: str, data: dict[str, Any]) -> None:
        if kind == "USSD":
            self._answers.append(str(data.get("Text", "")))

    def _ask(self, question: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self._said()
        os.ftruncate(self._log.fileno(), 0)
        os.lseek(self._log.fileno(), 0, os.SEEK_SET)
        try:
            return question(*arguments, **named)
        except self._gammu.GSMError as error:
            said = _CMS.findall(os.pread(self._log.fileno(), _LOG_READ, 0))
            raise DeviceError(type(error).__name__, int(said[-1]) if said else None) from None

    def _optional(self, question: Callable[..., Any], otherwise: Any, *arguments: Any) -> Any:
        try:
            return self._ask(question, *arguments)
        except DeviceError as error:
            if error.name in _SILENT:
                raise
            _LOG.debug("not answered by this modem", extra={"reason": error.name})
            return otherwise
