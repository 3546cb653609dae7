"""How long this process took to answer, by route: never by address, which can hold a token."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def time_requests(application: Flask, registry: CollectorRegistry) -> None:
    """Observes every request that reaches a route."""
    seconds = Histogram(
        "jicho_http_request_seconds",
        "time from a request to its answer, in this process",
        ["method", "route", "status"],
        buckets=_BUCKETS,
        registry=registry,
    )
    begin: Callable[[], None] = lambda: setattr(g, "began", time.perf_counter())  # noqa: E731

    def end(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        taken = time.perf_counter() - g.get("began", time.perf_counter())
        seconds.labels(method, rule, f"{response.status_code // 100}xx").observe(taken)
        return response

    application.before_request(begin)
    application.after_request(end)
