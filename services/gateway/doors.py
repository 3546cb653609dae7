"""How a carrier proves itself: by where it calls from, if the operator says so, and by a secret token in the path or a
signature. Without its secret a door stays shut. Whoever tries wrong ones is soon not answered any more."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Literal

from flask import abort
from pydantic import SecretStr

from services import runtime
from services.channels.base import BadCallback
from services.gateway.limits import WRONG, address, refuse_often

Carrier = Literal["at", "whatsapp", "mm7", "twilio"]
_PROOFS = (401, 403)


def require_address(carrier: Carrier) -> None:
    """404 for an address that is none of the carrier's; any will do while the operator named none."""
    networks = getattr(runtime.current().settings, f"{carrier}_networks")
    if not networks:
        return
    asks = address()
    if not asks or not any(ip_address(asks) in network for network in networks):
        _refuse()


def require_token(carrier: Carrier, given: str, expected: SecretStr) -> None:
    """404 unless `given` is the configured token, compared in constant time, and comes from where the carrier is."""
    require_address(carrier)
    secret = expected.get_secret_value()
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        _refuse()


@contextmanager
def signed() -> Iterator[None]:
    """Counts what turns out to be signed wrongly in its body."""
    try:
        yield
    except BadCallback as problem:
        if problem.status in _PROOFS:
            refuse_often("wrong", address(), WRONG)
        raise


def _refuse() -> None:
    refuse_often("wrong", address(), WRONG)
    abort(404)  # not 403: a guesser learns nothing of what is here
