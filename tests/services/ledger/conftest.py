"""What the ledger's tests look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.runtime import Runtime
from services.store.tables import ledger_entry


@pytest.fixture
def entries(site: Runtime) -> Callable[[], dict[tuple[str, str], dict[str, Any]]]:
    """The ledger's rows by purpose and direction."""

    def read() -> dict[tuple[str, str], dict[str, Any]]:
        with site.db.read() as tx:
            rows = tx.execute(sa.select(ledger_entry)).mappings().all()
        found = {(row["purpose"], row["direction"]): dict(row) for row in rows}
        assert len(found) == len(rows), "each purpose has one carrier in these tests"
        return found

    return read
