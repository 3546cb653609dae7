"""The hub's certificate: the operator's own, or one that a trial hub makes for itself at its first start."""

from __future__ import annotations

import datetime
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from services.durable import write_durably
from services.settings import Settings
from services.sync.signature import fingerprint


@dataclass(frozen=True)
class Certificate:
    """Where certificate and key lie (PEM), and what a site pins: empty for one that an authority vouches for."""

    certificate: Path
    key: Path
    pin: str


def certificate_of(settings: Settings) -> Certificate:
    """The certificate to serve with; made now if the settings name none. Raises OSError, ValueError for a bad file.

    One that vouches for itself is pinned by the sites. One from an authority is renewed every few months and can only
    be checked against that authority.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    if settings.hub_certificate and settings.hub_key:
        paths = settings.hub_certificate, settings.hub_key
    else:
        paths = settings.hub_dir / "certificate.pem", settings.hub_dir / "key.pem"
        if not all(path.is_file() for path in paths):
            _make(*paths, settings.hub_url)
    found = x509.load_pem_x509_certificate(paths[0].read_bytes())
    pin = fingerprint(found.public_bytes(Encoding.DER)) if found.issuer == found.subject else ""
    return Certificate(*paths, pin)


def _make(certificate: Path, key: Path, url: str) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())  # reviewers' browsers know no Ed25519 certificate
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jicho hub")])
    names = {urlsplit(url).hostname or "localhost", "localhost", "127.0.0.1", socket.gethostname()}
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        # For ever, since a site's clock may be anywhere: RFC 5280 section 4.1.2.5 gives the last second for "no end".
        .not_valid_before(datetime.datetime(1970, 1, 1))
        .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59))
        .add_extension(x509.SubjectAlternativeName([_alternative(each) for each in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    write_durably(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    write_durably(certificate, built.public_bytes(Encoding.PEM), mode=0o644)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
