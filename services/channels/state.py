"""How the SMS carriers of a site are, for people and for `/readyz`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.channels.circuits import Circuit, Circuits
from services.channels.outlets import status_of
from services.settings import Settings
from services.store.clock import now_ms

_SESSIONS = ("modem", "smpp")
_SILENT_MS = 900_000


@dataclass(frozen=True)
class Carrier:
    """`fault` is empty while the carrier takes messages; `session` is what the process that holds one said last."""

    name: str
    circuit: Circuit
    session: dict[str, Any]
    fault: str

    def as_json(self) -> dict[str, Any]:
        return {
            "carrier": self.name,
            "state": self.circuit.state,
            "failures": self.circuit.failures,
            "fault": self.fault,
            "session": self.session,
        }

    def as_text(self) -> str:
        known = ", ".join(f"{name} {value}" for name, value in self.session.items() if value and name in _SAID)
        return f"{self.name:16}{self.fault or 'works'}{f' ({known})' if known else ''}"


_SAID = ("network", "operator", "signal_percent", "balance", "bound")


def carriers_of(settings: Settings) -> list[Carrier]:
    """Every SMS carrier that is set up, the cheapest first."""
    circuits = Circuits(settings.own_dir).all()
    return [_carrier(settings, name, circuits.get(name, Circuit())) for name in settings.sms_carriers]


def _carrier(settings: Settings, name: str, circuit: Circuit) -> Carrier:
    session = status_of(settings.own_dir, name) if name in _SESSIONS else {}
    fault = str(session.get("fault", ""))
    if name in _SESSIONS and not session:
        fault = "its process has not started yet"
    elif name in _SESSIONS and abs(now_ms() - int(session.get("at_ms", 0))) > _SILENT_MS:
        fault = "its process is not running"
    if not fault and circuit.state == "open":
        fault = f"out of order ({circuit.reason})"
    return Carrier(name, circuit, session, fault)
