"""Who may read the metrics."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from flask import Request, abort

from services.settings import Settings


def require_reader(request: Request, settings: Settings, *, proxied: bool) -> None:
    """404 unless the request brings the token, comes from an allowed network, or, where no proxy brings everybody's
    requests, from this machine."""
    token = settings.metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return
    address = ip_address(request.remote_addr or "0.0.0.0")
    if any(address in network for network in settings.metrics_networks):
        return
    if address.is_loopback and not proxied:
        return
    abort(404)
