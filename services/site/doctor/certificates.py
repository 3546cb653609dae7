"""Certificates and signatures that run out."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.store.clock import now_ms
from services.updates.trust import trusted_root

_SOON_DAYS = 21
_TIMEOUT_S = 10.0


def public(site: Runtime) -> Iterator[Finding]:
    """The certificate that carriers meet at JICHO_PUBLIC_URL."""
    where = urlsplit(site.settings.public_url)
    if where.scheme != "https" or not where.hostname:
        yield note("no public https address is set")
        return
    try:
        with (
            socket.create_connection((where.hostname, where.port or 443), _TIMEOUT_S) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=where.hostname) as secured,
        ):
            ends = str((secured.getpeercert() or {})["notAfter"])
    except ssl.SSLCertVerificationError as error:
        yield broken(
            f"carriers refuse {where.hostname}: {error.verify_message}", "renew its certificate; is the clock right?"
        )
        return
    except (OSError, KeyError) as error:
        yield warning(
            f"{where.hostname} does not answer from here ({type(error).__name__})", "is the TLS proxy running?"
        )
        return
    yield _lasts(f"the certificate of {where.hostname}", ssl.cert_time_to_seconds(ends))


def of_hub(site: Runtime) -> Iterator[Finding]:
    """The certificate with which a hub on this machine serves."""
    from cryptography import x509

    settings = site.settings
    path = settings.hub_certificate or settings.hub_dir / "certificate.pem"
    if not path.is_file():
        yield note("no hub runs on this machine")
        return
    try:
        ends = x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        yield broken(f"the hub's certificate {path} cannot be read: {error}", "put back the copy that was kept")
        return
    yield _lasts("the hub's certificate", ends.timestamp())


def of_updates(site: Runtime) -> Iterator[Finding]:
    """How long the signatures of models and voices hold that this site trusts."""
    root = trusted_root(site.settings.data_dir)
    if root is None:
        yield note("no updates are signed for this site")
        return
    ends = datetime.fromisoformat(json.loads(root)["signed"]["expires"])
    yield _lasts("the root of updates", ends.timestamp(), mend="at the hub: `python app.py models keys --renew expiry`")


def _lasts(what: str, ends_s: float, *, mend: str = "renew it") -> Finding:
    days = (ends_s - now_ms() / 1000) / 86_400
    until = datetime.fromtimestamp(ends_s, UTC).strftime("%Y-%m-%d") if ends_s < 253_402_300_000 else "9999"
    if days < 0:
        return broken(f"{what} ran out on {until}", mend)
    if days < _SOON_DAYS:
        return warning(f"{what} runs out on {until}, in {days:.0f} days", mend)
    return fine(f"{what} holds until {until}")
