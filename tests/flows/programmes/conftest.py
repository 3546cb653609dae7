"""A site that offers more than one programme, and has an adviser for the second."""

from __future__ import annotations

import pytest
from phones import WORKER


@pytest.fixture
def programmes(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("JICHO_ADVISERS", f"maize={WORKER}")
    return "dr,maize"
