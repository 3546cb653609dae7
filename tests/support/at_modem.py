"""A GSM modem on a pseudo-terminal: as much of 3GPP TS 27.005 and 27.007 as gammu asks for, with a SIM that holds SMS.

gammu's own dummy phone sends into nowhere and hands out one reference; this one keeps what was sent, counts, and can be
told to refuse, to hang, or to take a message and never say so.
"""

from __future__ import annotations

import os
import pty
import re
import select
import threading
import tty
from dataclasses import dataclass, field
from pathlib import Path

_TAKEN = tuple(
    f"AT+{name}=" for name in ("CMGD", "CPIN", "CFUN", "CMGF", "CNMI", "CSMS", "CREG", "CSCS", "COPS", "CGREG")
)


@dataclass
class AtModem:
    """`faults`: for the next SMS in turn, "" to take it, "refuse", "silent" (taken, never answered)."""

    pin: str = ""
    network: int = 1
    faults: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """The PDUs that the network took, in hexadecimal."""
    stored: dict[int, str] = field(default_factory=dict)
    hangs: bool = False
    pins: list[str] = field(default_factory=list)
    resets: int = 0

    def __post_init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self._slave = slave
        self.device = os.ttyname(slave)
        self._reference = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._thread.join(5)
        os.close(self._master)
        os.close(self._slave)

    def store(self, pdu: str) -> None:
        self.stored[max(self.stored, default=0) + 1] = pdu

    def _run(self) -> None:
        buffer, prompt = b"", False
        while not self._closing:
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            buffer += os.read(self._master, 4096)
            if self.hangs:
                buffer = b""
                continue
            while (end := re.search(rb"\x1a" if prompt else rb"\r", buffer)) is not None:
                line, buffer = buffer[: end.start()].decode("latin-1").strip(), buffer[end.end() :]
                if prompt:
                    prompt = False
                    self._take(line)
                elif line.startswith("AT+CMGS="):
                    prompt = True
                    self._say(f"{line}\r\r\n> ")
                elif line:
                    self._say(f"{line}\r")
                    self._answer(line)

    def _take(self, pdu: str) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "refuse":
            self._say("\r\n+CMS ERROR: 331\r\n")  # no network service
            return
        self.sent.append(pdu)
        self._reference = (self._reference + 1) % 256
        if fault != "silent":
            self._say(f"\r\n+CMGS: {self._reference}\r\n\r\nOK\r\n")

    def _answer(self, line: str) -> None:
        if line.startswith("AT+CPIN="):
            self.pins.append(line.split("=")[1].strip('"'))
            if self.pins[-1] != self.pin:
                self._say("\r\n+CME ERROR: 16\r\n")  # incorrect password
                return
            self.pin = ""
        elif line.startswith("AT+CMGD="):
            self.stored.pop(int(re.findall(r"\d+", line)[0]), None)
        elif line.startswith("AT+CFUN=1,1"):
            self.resets += 1
        found = self._found(line)
        if found is None:
            self._say("\r\nERROR\r\n")
        else:
            self._say("".join(f"\r\n{each}\r\n" for each in [*found, "OK"]))

    def _found(self, line: str) -> list[str] | None:
        if (read := re.fullmatch(r"AT\+CMGR=(\d+)", line)) is not None:
            pdu = self.stored.get(int(read[1]))
            return None if pdu is None else [f"+CMGR: 0,,{_length(pdu)}", pdu]
        if re.fullmatch(r"AT\+CMGL=\d", line):
            return [part for at, pdu in self.stored.items() for part in (f"+CMGL: {at},0,,{_length(pdu)}", pdu)]
        used = f"{len(self.stored)},20"
        answers = {
            "\x1b": [],
            "AT": [],
            "ATE1": [],
            "ATE0": [],
            "AT+CMEE=1": [],
            "AT+CMEE=2": [],
            "AT+CSCS=?": ['+CSCS: ("GSM","UCS2")'],
            "AT+CSCS?": ['+CSCS: "GSM"'],
            "AT+CGMI": ["Jicho"],
            "AT+CGMM": ["E173"],
            "AT+CGMR": ["1.0"],
            "AT+CGSN": ["356938035643809"],
            "AT+CPIN?": [f"+CPIN: {'SIM PIN' if self.pin else 'READY'}"],
            "AT+CREG?": [f'+CREG: 2,{self.network},"0001","0002"'],
            "AT+CGREG?": [f'+CGREG: 2,{self.network},"0001","0002"'],
            "AT+COPS?": ['+COPS: 0,2,"63902"'],
            "AT+CGATT?": ["+CGATT: 1"],
            "AT+CSQ": ["+CSQ: 20,99"],
            "AT+CSCA?": ['+CSCA: "+254722500029",145'],
            "AT+CPMS=?": ['+CPMS: ("SM"),("SM"),("SM")'],
            "AT+CPMS?": [f'+CPMS: "SM",{used},"SM",{used},"SM",{used}'],
            "AT+CNMI=?": ["+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"],
            "AT+CMGF=?": ["+CMGF: (0,1)"],
        }
        if line.startswith('AT+CPMS="'):
            return [f"+CPMS: {used},{used},{used}"]
        if line in answers:
            return answers[line]
        return [] if line.startswith((*_TAKEN, "AT^C", "AT^P")) else None

    def _say(self, text: str) -> None:
        os.write(self._master, text.encode("latin-1"))


def _length(pdu: str) -> int:
    """Octets without the service centre's address, as TS 27.005 counts them."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


def report(reference: int, number: str, *, status: int = 0) -> str:
    """An SMS-STATUS-REPORT (TS 23.040, 9.2.2.3)."""
    when = "62114221000021"
    return f"0006{reference:02X}{_address(number)}{when}{when}{status:02X}"


def delivered(sender: str, octets: str, letters: int, *, second: int = 0) -> str:
    """An SMS-DELIVER in GSM-7; `octets` are packed, in hexadecimal."""
    swapped = f"{second % 10}{second // 10}"
    return f"0004{_address(sender)}0000621142210000"[:-2] + f"{swapped}21{letters:02X}{octets}"


def packed(text: str) -> str:
    """GSM-7 letters that are ASCII's too, eight in seven octets (TS 23.038, 6.1.2.1), in hexadecimal."""
    bits = sum(ord(letter) << 7 * place for place, letter in enumerate(text))
    return bits.to_bytes((7 * len(text) + 7) // 8, "little").hex().upper()


def _address(number: str) -> str:
    digits = number.removeprefix("+")
    padded = digits + "F" * (len(digits) % 2)
    return f"{len(digits):02X}91" + "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))


def dummy_phone(folder: Path) -> Path:
    """The folders of gammu's dummy phone."""
    for name in (*(f"sms/{number}" for number in range(1, 6)), "pbk/ME", "pbk/SM", "note", "todo", "calendar", "alarm"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder
