"""The queue server behind an address: one Redis or Valkey, or whichever of several Sentinels call the master now."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

TIMEOUT_S = 5
# A server that lost its power or its cable says no goodbye, and a worker that waits for work says nothing either: it
# would wait for seven minutes.
_KEEPALIVE: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        socket.TCP_KEEPIDLE: 3,
        socket.TCP_KEEPINTVL: 2,
        socket.TCP_KEEPCNT: 3,
        socket.TCP_USER_TIMEOUT: 10_000,  # milliseconds
    },
}
# Whoever asks tries again anyway. redis-py's own four tries at each Sentinel, for each of four at the master, add up to
# a minute when one of them is gone.
_ONCE = Retry(NoBackoff(), 0)
_SENTINEL_WAIT_S = 1
_SENTINELS = ("redis+sentinel", "rediss+sentinel")
_SENTINEL_PORT = 26379


def connect(url: str) -> redis.Redis:
    """A connection to the queue server; every use of it may raise redis.RedisError. Raises ValueError for an address
    that is none.

    `redis://`, `rediss://` and `unix://` as redis-py reads them; besides
    `redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/database?master=NAME[&sentinel_password=…]`, and
    `rediss+sentinel://` with TLS. Each new connection asks the Sentinels where the master is: after a failover the next
    attempt goes to the new one.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _SENTINELS:
        options = {} if scheme == "unix" else _KEEPALIVE
        return redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, **options)
    parts = urlsplit(url)
    asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
    if set(asked) - {"master", "sentinel_password"} or "master" not in asked:
        raise ValueError("an address of Sentinels has ?master=NAME, and maybe &sentinel_password=…")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    common: dict[str, Any] = {"retry": _ONCE, **_KEEPALIVE}
    if parts.scheme == "rediss+sentinel":
        common["ssl"] = True
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        [_host(each) for each in hosts.split(",")],
        sentinel_kwargs=common
        | {
            "socket_connect_timeout": _SENTINEL_WAIT_S,
            "socket_timeout": _SENTINEL_WAIT_S,
            "password": asked.get("sentinel_password", [None])[0],
        },
        socket_connect_timeout=TIMEOUT_S,
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(parts.path.strip("/") or 0),
        **common,
    )
    master: redis.Redis = sentinels.master_for(asked["master"][0])  # type: ignore[no-untyped-call]
    return master


def _host(text: str) -> tuple[str, int]:
    """Where one Sentinel is. Raises ValueError."""
    found = urlsplit(f"//{text}")
    if not found.hostname:
        raise ValueError(f"{text!r} is no Sentinel's host")
    return found.hostname, found.port or _SENTINEL_PORT
