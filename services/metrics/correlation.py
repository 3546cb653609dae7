"""A request's name in every line that is logged because of it, and in its answer: what a carrier's support asks for."""

from __future__ import annotations

import logging
import secrets
import time

from flask import Flask, Response, g, request

from services.logs import CAUSE

_LOG = logging.getLogger(__name__)
_SLOW_S = 5.0


def name_requests(application: Flask) -> None:
    """Names each request, and says which ones took long."""

    def begin() -> None:
        CAUSE.set(secrets.token_hex(4))
        g.named = time.perf_counter()

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = CAUSE.get()
        took = time.perf_counter() - g.get("named", time.perf_counter())
        rule = request.url_rule.rule if request.url_rule is not None else "none"
        level = logging.WARNING if took > _SLOW_S else logging.DEBUG
        fields = {"method": request.method, "route": rule, "status": response.status_code}
        _LOG.log(level, "request", extra=fields | {"milliseconds": round(took * 1000)})
        return response

    def over(_error: BaseException | None) -> None:
        CAUSE.set("")

    application.teardown_request(over)
    application.before_request(begin)
    application.after_request(end)
