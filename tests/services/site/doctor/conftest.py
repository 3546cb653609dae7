"""A site to break, and what the doctor says of it."""

from __future__ import annotations

from typing import Any

import pytest
from doctor_asked import Ask

from services.runtime import Runtime
from services.site.doctor.examination import examine


@pytest.fixture
def ask(site: Runtime) -> Ask:
    """What one check finds, level and words, with these settings changed."""

    def asked(name: str, **settings: Any) -> list[tuple[str, str]]:
        site.settings = site.settings.model_copy(update=settings)
        return [(found.level, found.says) for found in examine(site, [name])]

    return asked
