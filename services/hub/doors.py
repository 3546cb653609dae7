"""Who may talk to the hub: an enrolled site, by a signature over what it asks for. No clock takes part.

A request that is caught and sent again does nothing, since everything that a site asks for has one effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import g, request

from services.hub import runtime
from services.hub.tables import site
from services.sync.signature import BadAuthorization, parse_authorization, signed_words


class Refused(Exception):
    """A request that is not served: status of HTTP, and a reason that its sender may read."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Site:
    """Who asks."""

    id: int
    name: str


def site_of_request() -> Site:
    """The site that signed this request, also in `flask.g.site`. Raises Refused: 401, or 403 for a revoked one.

    Reads the whole body, which the application's limit bounds.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        number, signature = parse_authorization(request.headers.get("Authorization", ""))
    except BadAuthorization as problem:
        raise Refused(401, str(problem)) from None
    with runtime.current().db.read() as tx:
        row = tx.execute(sa.select(site).where(site.c.id == number)).first()
    if row is None:
        raise Refused(401, "this site is not enrolled here")
    query = request.query_string.decode("latin-1")
    target = request.environ.get("RAW_URI") or (f"{request.path}?{query}" if query else request.path)
    try:
        Ed25519PublicKey.from_public_bytes(bytes(row.public_key)).verify(
            signature, signed_words(request.method, target, request.get_data(cache=True))
        )
    except InvalidSignature:
        raise Refused(401, "the signature is not this site's") from None
    if row.revoked_at is not None:
        raise Refused(403, "this site was revoked")
    g.site = Site(row.id, row.name)
    found: Site = g.site
    return found
