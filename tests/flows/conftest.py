"""A clinic whose codes come in a known order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from phones import PATIENT, WORKER

from services.runtime import Runtime
from services.screening import codes
from services.screening.people import add_worker, set_language


@pytest.fixture
def clinic(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Runtime]:
    """A site with a worker and a patient who speak the language given; its transcripts are the same each time."""
    upcoming = iter(f"{payload}{codes._remainder(str(payload))}" for payload in range(48291, 48400))
    monkeypatch.setattr(codes, "new_code", lambda: next(upcoming))

    def prepare(language: str) -> Runtime:
        with site.db.write() as tx:
            add_worker(tx, msisdn=WORKER, name="Achieng", language=language)
            set_language(tx, msisdn=PATIENT, language=language)
        return site

    return prepare
