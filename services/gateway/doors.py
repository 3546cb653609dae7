"""How a carrier proves itself when it does not sign: a secret in the path, compared in constant time."""

from __future__ import annotations

import hmac

from flask import abort
from pydantic import SecretStr


def require_token(given: str, expected: SecretStr) -> None:
    """404 unless `given` is the configured token; without configuration the door stays shut."""
    secret = expected.get_secret_value()
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        abort(404)  # not 403: a guesser learns nothing of what is here
