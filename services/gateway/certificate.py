"""Certificates with which phones in a clinic without a public name believe its server: an authority of its own, which
each phone is given once, and by it a certificate for the server's names.

The authority can vouch for these names alone, whoever gets hold of its key: a phone that believes it believes it of
nothing else.
"""

from __future__ import annotations

import datetime
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.durable import write_durably

_AUTHORITY_DAYS = 3650
_SERVER_DAYS = 820  # Apple's limit for certificates of private authorities is 825


class NotForThese(Exception):
    """The authority that phones were given cannot vouch for these names."""


@dataclass(frozen=True)
class Files:
    """Where they lie: `authority` is what phones are given."""

    authority: Path
    authority_key: Path
    certificate: Path
    key: Path


def files(data_dir: Path) -> Files:
    """The files of a site, whether or not they were made."""
    folder = data_dir / "webapp"
    return Files(folder / "authority.crt", folder / "authority.key", folder / "server.crt", folder / "server.key")


def make(data_dir: Path, names: Sequence[str]) -> Files:
    """Makes a certificate for some names and addresses of this server, and an authority if there is none yet. Raises
    NotForThese, OSError."""
    found = files(data_dir)
    found.authority.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    alternatives = [_alternative(name) for name in names]
    if not found.authority.is_file():
        _make_authority(found, alternatives)
    authority = x509.load_pem_x509_certificate(found.authority.read_bytes())
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    refused = [name for name, each in zip(names, alternatives, strict=True) if _constraint(each) not in permitted]
    if refused:
        raise NotForThese(f"the clinic's authority was not made for {', '.join(refused)}")
    key = load_pem_private_key(found.authority_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    private = ec.generate_private_key(ec.SECP256R1())
    built = (
        _begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), private, _SERVER_DAYS)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(found.key, found.certificate, private, built)
    return found


def own_names() -> list[str]:
    """By what other devices of the same network reach this machine: its name there, and its addresses."""
    import psutil

    addresses = [each.address for found in psutil.net_if_addrs().values() for each in found]
    lan = [address for address in addresses if _is_private(address)]
    return [f"{socket.gethostname().split('.')[0]}.local", *dict.fromkeys(lan)]


def _make_authority(found: Files, alternatives: Sequence[x509.GeneralName]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jicho of this clinic")])
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    built = (
        _begun(name, private, _AUTHORITY_DAYS)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False),
            critical=True,
        )
        .add_extension(x509.NameConstraints([_constraint(each) for each in alternatives], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(found.authority_key, found.authority, private, built)


def _begun(name: x509.Name, private: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))  # clocks of phones are wrong
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _write(key: Path, certificate: Path, private: ec.EllipticCurvePrivateKey, built: x509.Certificate) -> None:
    write_durably(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    write_durably(certificate, built.public_bytes(Encoding.PEM), mode=0o644)


def _alternative(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _constraint(alternative: x509.GeneralName) -> x509.GeneralName:
    """What lets an authority vouch for this name; an address stands there as a network of one."""
    value = alternative.value
    return x509.IPAddress(ip_network(value)) if isinstance(value, IPv4Address | IPv6Address) else alternative


def _is_private(name: str) -> bool:
    address = _address(name)
    return isinstance(address, IPv4Address) and address.is_private and not address.is_loopback


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
