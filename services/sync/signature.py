"""How a site's request proves whose it is, said once for both ends; and how a certificate is named."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

SCHEME = "Jicho"
_SIGNATURE_CHARACTERS = 86  # of 64 bytes in base64 without padding
_FINGERPRINT_BYTES = 16  # finding another certificate with the same 128 bits is out of reach


class BadAuthorization(Exception):
    """The header is missing or has another form. The text says what is expected."""


def signed_words(method: str, target: str, body: bytes) -> bytes:
    """What a site signs: the method, the path with its query, and the body. No clock takes part: a request that is
    caught and sent again does nothing, since everything a site asks for has one effect."""
    return f"jicho-1\n{method}\n{target}\n{hashlib.sha256(body).hexdigest()}".encode()


def authorization(site: int, signature: bytes) -> str:
    """The header's value."""
    return f"{SCHEME} {site}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def parse_authorization(header: str) -> tuple[int, bytes]:
    """Site and signature of a header's value. Raises BadAuthorization."""
    scheme, _, rest = header.partition(" ")
    number, _, signature = rest.partition(".")
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    if scheme != SCHEME or not is_number or len(signature) != _SIGNATURE_CHARACTERS or not signature.isascii():
        raise BadAuthorization(f"a site signs its requests: Authorization: {SCHEME} <site>.<signature>")
    return int(number), urlsafe_b64decode(signature + "==")


def fingerprint(der: bytes) -> str:
    """What an enrolment code says of a certificate: 22 characters."""
    return urlsafe_b64encode(hashlib.sha256(der).digest()[:_FINGERPRINT_BYTES]).rstrip(b"=").decode()
