"""Who this site is for the hub: its key, its number, and what it was told when it enrolled. Kept in the data directory,
readable by its owner only."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.durable import write_durably
from services.sync.connection import Connection, trusting, trusting_nobody_yet
from services.sync.enrolled import identity_file
from services.sync.signature import authorization, fingerprint, signed_words
from services.updates.trust import BadRoot, keep_root

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PATIENT_KEY_BYTES = 6
_NEW_KEY = "new-key"
_TIMEOUT_S = 30.0


class NotEnrolled(Exception):
    """This site has no hub."""


class EnrolmentFailed(Exception):
    """The hub did not take the code, could not be reached, or is another than the code says. The text says which."""


@dataclass(frozen=True)
class Identity:
    """An enrolled site: its number at the hub, the hub's address, its certificate as PEM (empty: an authority vouches
    for it), the 32 bytes of its Ed25519 key, and the key that all sites of this hub share."""

    site: int
    name: str
    url: str
    certificate: str
    key: bytes = field(repr=False)
    shared_key: bytes = field(repr=False)

    def authorization(self, method: str, path: str, body: bytes) -> str:
        """The header that proves who asks for `path` (with its query)."""
        return authorization(self.site, self._private.sign(signed_words(method, path, body)))

    def patient_key(self, msisdn: str) -> bytes:
        """What stands for a phone number at the hub, the same at each of its sites: 6 bytes.

        Among a million patients the chance that any two numbers meet in one key is 0.2 %. Whoever holds the shared key
        can try all numbers: it is a pseudonym, not anonymity.
        """
        return hmac.digest(self.shared_key, msisdn.encode(), hashlib.sha256)[:PATIENT_KEY_BYTES]

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.key)


def load(data_dir: Path) -> Identity:
    """The identity of an enrolled site. Raises NotEnrolled, also for a file that nobody can read."""
    try:
        kept = json.loads(identity_file(data_dir).read_text(encoding="utf-8"))
        return Identity(
            site=int(kept["site"]),
            name=str(kept["name"]),
            url=str(kept["url"]),
            certificate=str(kept["certificate"]),
            key=b64decode(kept["key"]),
            shared_key=b64decode(kept["shared_key"]),
        )
    except FileNotFoundError:
        raise NotEnrolled("this site is not enrolled: `python app.py sync enrol CODE`") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotEnrolled(f"the identity in {identity_file(data_dir)} cannot be read: {error}") from None


def enrol(data_dir: Path, code: str) -> Identity:
    """Redeems a one-time code from `python app.py hub enrol`. Raises EnrolmentFailed.

    The key is on disk before the hub hears of it: if its answer is lost, the same code works again with the same key.
    """
    url, word, pin = _parts(code)
    key = _new_key(data_dir)
    certificate, told = _ask(url, word, pin, _public(key))
    found = Identity(
        site=int(told["site"]),
        name=str(told["name"]),
        url=url,
        certificate=certificate,
        key=key,
        shared_key=b64decode(told["patient_key"]),
    )
    root = str(told.get("updates_root", ""))  # empty: the hub has no keys for updates yet
    if root:
        try:
            keep_root(data_dir, root.encode())
        except BadRoot as error:
            raise EnrolmentFailed(str(error)) from None
    kept = {
        "site": found.site,
        "name": found.name,
        "url": found.url,
        "certificate": found.certificate,
        "key": b64encode(found.key).decode(),
        "shared_key": b64encode(found.shared_key).decode(),
    }
    write_durably(identity_file(data_dir), json.dumps(kept, indent=1).encode(), mode=0o600)
    identity_file(data_dir).with_name(_NEW_KEY).unlink()
    return found


def _parts(code: str) -> tuple[str, str, str]:
    where = urlsplit(code.strip())
    word, _, pin = where.fragment.partition(".")
    if where.scheme != "https" or not where.hostname or not word:
        raise EnrolmentFailed("this is no enrolment code: it looks like https://hub.example.org:8443#….…")
    return f"https://{where.netloc}", word, pin


def _new_key(data_dir: Path) -> bytes:
    """A key of its own for each enrolment, on disk until that has succeeded: a site that enrols anew is a new one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    file = identity_file(data_dir).with_name(_NEW_KEY)
    if not file.is_file():
        write_durably(file, Ed25519PrivateKey.generate().private_bytes_raw(), mode=0o600)
    return file.read_bytes()


def _public(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def _ask(url: str, word: str, pin: str, public_key: bytes) -> tuple[str, dict[str, Any]]:
    where = urlsplit(url)
    context = trusting_nobody_yet() if pin else trusting("")
    connection = Connection(where.hostname or "", where.port, context, timeout_s=_TIMEOUT_S)
    body = json.dumps({"code": word, "public_key": b64encode(public_key).decode()}).encode()
    try:
        connection.connect()
        certificate = connection.certificate()
        if pin and fingerprint(certificate) != pin:
            raise EnrolmentFailed("another hub answers there than the code is from: nothing was sent to it")
        connection.request("POST", "/enrol", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        told = json.loads(response.read(65536))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EnrolmentFailed(f"{url} cannot be reached: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise EnrolmentFailed(str(told.get("error", response.reason)))
    return (ssl.DER_cert_to_PEM_cert(certificate) if pin else ""), told
