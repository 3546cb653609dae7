"""How much may come in: the largest body of each route, and how many requests a minute from one number or address.

A flood from one number shall not starve the others. What is refused is answered with 429: a carrier brings it again
later, so that nothing is lost. A carrier's own address brings everybody's messages and is not limited as a person's is.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, TooManyRequests

from services import runtime
from services.gateway.counting import WINDOW_S, Counter
from services.gateway.routes import ROUTES, Route

SIGN_INS = 20
"""Tries to sign in from one address: a shared computer's morning is less."""
WRONG = 30
"""Wrong tokens and signatures from one address. Who has a right one is not counted."""
_NONE = Route("anybody")


class TooOften(TooManyRequests):
    """Too many requests from one number or address."""

    def __init__(self) -> None:
        super().__init__("Too many requests. Try again in a minute.", retry_after=int(WINDOW_S))


class TooLarge(RequestEntityTooLarge):
    """More than a route takes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"Too large: at most {most:,} bytes are taken here.")


def limit(application: Flask) -> None:
    """Has each route refuse what is too large for it before any of it is read, and addresses that ask too often."""
    application.before_request(_check)


def refuse_often(rule: str, who: str, most: int) -> None:
    """Counts one more. Raises TooOften."""
    if not _counter(runtime.current()).allows(rule, who, most):
        raise TooOften


def refuse_flood_of(number: str, channel: str) -> None:
    """Counts one more from a number on a channel. Raises TooOften."""
    refuse_often(channel, number, runtime.current().settings.number_limit)


def address() -> str:
    """Who asks. An IPv6 host has a whole /64 to ask from: it counts as one."""
    try:
        found = ip_address(request.remote_addr or "")
    except ValueError:
        return ""  # a Unix socket
    if found.version == 6:
        return str(found.ipv4_mapped or ip_address(int(found) >> 64 << 64))
    return str(found)


def _check() -> None:
    if request.endpoint is None:
        return
    route = ROUTES.get(request.endpoint, _NONE)
    request.max_content_length = route.body
    if (request.content_length or 0) > route.body:
        raise TooLarge(route.body)
    if route.who != "carrier" and not _is_here():
        refuse_often("page", address(), runtime.current().settings.address_limit)


def _is_here() -> bool:
    """Whether it comes from this very machine, whose programs ask as often as they like."""
    found = address()
    return not found or ip_address(found).is_loopback


@lru_cache(maxsize=1)
def _counter(_site: Any) -> Counter:
    return Counter()
