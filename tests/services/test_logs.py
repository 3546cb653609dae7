"""Logs are JSON lines, and nothing personal gets into them."""

from __future__ import annotations

import io
import json
import logging

import pytest
from flask import Flask

from services import logs
from services.metrics import correlation


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("from +254711000001", "from …"),
        ("code 482913 tried", "code … tried"),
        ("POST /at/s3cr3t-token/ussd", "POST /at/…/ussd"),
        ("photo 17 of 2048 x 1536", "photo 17 of 2048 x 1536"),
    ],
)
def test_personal_data_is_taken_out(text: str, redacted: str) -> None:
    assert logs.redact(text) == redacted


def test_lines_say_what_they_are_logged_because_of(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    application = Flask("test")
    correlation.name_requests(application)

    @application.get("/asked/<token>")
    def asked(token: str) -> str:
        logging.getLogger("x").warning("something odd", extra={"photo": 7})
        return token[:0]

    try:
        logs.configure("gateway", "DEBUG")
        answers = [application.test_client().get("/asked/s3cr3t") for _ in range(2)]
        logging.getLogger("x").warning("of itself")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logs.CAUSE.set("")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert "cause" not in lines[-1]
    names = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(names)) == 2
    assert [line["cause"] for line in lines if line["event"] == "something odd"] == names
    told = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"], line["level"]) for line in told] == [("/asked/<token>", 200, "DEBUG")] * 2
    assert "s3cr3t" not in out.getvalue()


def test_a_line_is_an_object_with_its_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.configure("gateway", "INFO")
        try:
            raise ValueError("bad number +254711000001")
        except ValueError:
            logging.getLogger("x").exception("callback failed", extra={"photo": 7, "reason": "from 254711000001"})
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = json.loads(out.getvalue())
    assert (line["process"], line["event"], line["photo"], line["reason"]) == (
        "gateway",
        "callback failed",
        7,
        "from …",
    )
    assert "ValueError" in line["trace"]
    assert "254711000001" not in out.getvalue()
