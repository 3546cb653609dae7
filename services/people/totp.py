"""The second factor: six digits that an app on a phone makes anew every 30 seconds (TOTP, RFC 6238)."""

from __future__ import annotations

import io

import pyotp

from services.store.clock import now_ms

_STEP_MS = 30_000
_EITHER_SIDE = 1
"""Steps by which the phone's clock may be off."""


def new_secret() -> str:
    """A secret for one account: 160 bits in base 32, as authenticator apps take it."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, *, after: int) -> int | None:
    """The step at which a code holds, None if it is wrong. Only steps `after` the last that was used: a code that
    somebody saw being typed is worth nothing."""
    typed = "".join(code.split())
    now = now_ms() // _STEP_MS
    for step in range(now - _EITHER_SIDE, now + _EITHER_SIDE + 1):
        if step > after and pyotp.utils.strings_equal(typed, code_at(secret, step)):
            return step
    return None


def code_at(secret: str, step: int) -> str:
    """The code of one step."""
    return pyotp.HOTP(secret).at(step)


def current_step() -> int:
    """The step that it is now."""
    return now_ms() // _STEP_MS


def uri(secret: str, *, name: str, clinic: str) -> str:
    """What an authenticator app reads in a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Jicho {clinic}")


def qr(uri: str) -> str:
    """The QR code as an SVG without any style of its own."""
    import segno

    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, light="#fff", dark="#000"
    )
    return out.getvalue().decode()
