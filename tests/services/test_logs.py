"""Logs are JSON lines, and nothing personal gets into them."""

from __future__ import annotations

import io
import json
import logging

import pytest

from services import logs


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
