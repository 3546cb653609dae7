"""What an SMPP session has to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SmppConfig:
    """See the settings of the same names. `ca`: certificates to trust instead of the machine's."""

    host: str
    port: int
    data_dir: Path
    system_id: str
    password: str
    sender: str
    system_type: str = ""
    tls: bool = False
    ca: str | None = None
    window: int = 10
    enquire_s: float = 30.0
    alphabet: str = "gsm7"
    long: str = "udh"
    region: str = "KE"
