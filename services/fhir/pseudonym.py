"""Under what names a site and its patients are known outside: the hub's for an enrolled site, else ones of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.durable import write_durably

_BYTES = 6
_OWN = "fhir.json"


@dataclass(frozen=True)
class Pseudonyms:
    """`site` names this site; `patient` makes a phone number into what cannot be dialled, the same each time."""

    site: str
    patient: Callable[[str], str]


def pseudonyms(data_dir: Path) -> Pseudonyms:
    """Those of this site. An enrolled one uses the number and the key that its hub gave it, so that what hub and sites
    tell of one patient is known to be of one. Raises services.sync.identity.NotEnrolled if its identity is damaged,
    OSError.
    """
    from services.sync.enrolled import identity_file
    from services.sync.identity import load

    if identity_file(data_dir).is_file():
        identity = load(data_dir)
        return Pseudonyms(str(identity.site), lambda msisdn: identity.patient_key(msisdn).hex())
    path = data_dir / "site" / _OWN
    if not path.is_file():
        made = {"site": f"own-{secrets.token_hex(6)}", "key": secrets.token_hex(32)}
        write_durably(path, json.dumps(made).encode(), mode=0o600)
    kept = json.loads(path.read_text(encoding="utf-8"))
    key = bytes.fromhex(kept["key"])
    return Pseudonyms(
        str(kept["site"]), lambda msisdn: hmac.digest(key, msisdn.encode(), hashlib.sha256)[:_BYTES].hex()
    )
