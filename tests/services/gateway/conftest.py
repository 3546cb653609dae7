"""What the tests of the console's pages share."""

from __future__ import annotations

import pytest

from services.runtime import Runtime
from services.store.migrate import migrate
from services.store.tables import METADATA


@pytest.fixture
def migrated(site: Runtime) -> Runtime:
    """With the tables as migrations make them, since a take is imported by a command of its own."""
    with site.db.write() as tx:
        METADATA.drop_all(tx)
    migrate(site.db)
    return site
