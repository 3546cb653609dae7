"""The whole service, started as a person starts it, in a folder of its own: benchmarks and tests drive it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from services.programmes import FIRST
from services.site.probes import TOLD
from services.store.keyring import keys_of_another_site

APP = Path(__file__).resolve().parents[2] / "app.py"
_START_S = 60.0


class NotInTime(Exception):
    """Something that should have happened did not."""


class Stack:
    """A running stack with the stand-in carrier. Use it as a context manager.

    `environment` adds settings; without `directory` it makes one and deletes it; `wait` until it answers. It listens at
    `address`.
    """

    def __init__(
        self,
        environment: dict[str, str] | None = None,
        *,
        directory: Path | None = None,
        wait: bool = True,
        address: str = "127.0.0.1",
    ) -> None:
        self._own, self._wait = directory is None, wait
        self.directory = directory or Path(tempfile.mkdtemp(prefix="jicho-"))
        self.port, self.carrier_port = free_port(), free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JICHO_")},
            "JICHO_DATA_DIR": str(self.directory),
            "JICHO_KEYRING": f"{self.directory}.keys.json",
            "JICHO_HOST": address,
            "JICHO_PORT": str(self.port),
            "JICHO_SIMULATOR_PORT": str(self.carrier_port),
            "JICHO_LOG_LEVEL": "WARNING",
            "JICHO_PROGRAMMES": FIRST,  # as a clinic's, unless told otherwise
            # One phone does here what hundreds do: it is counted as they are, and not refused for it.
            "JICHO_NUMBER_LIMIT": "1000000",
            **(environment or {}),
        }
        self.gateway_url = f"http://{address}:{self.port}"
        self.carrier_url = f"http://{address}:{self.carrier_port}"
        self.http = httpx.Client(timeout=20)
        self.launcher: subprocess.Popen[bytes] | None = None
        self._watched: list[psutil.Process] = []

    def __enter__(self) -> Stack:
        self.start(wait=self._wait)
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.stop()
        self.http.close()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)
            Path(f"{self.directory}.keys.json").unlink(missing_ok=True)

    def keys(self) -> AbstractContextManager[None]:
        """Has this process open what the stack's store has sealed."""
        return keys_of_another_site(Path(self.environment["JICHO_KEYRING"]))

    def start(self, *, wait: bool = True) -> None:
        """Starts the launcher and, unless told otherwise, waits until gateway and carrier answer."""
        probes = self.directory / TOLD
        if not probes.exists():  # a laptop that runs on its battery measures and tests the same
            probes.write_text(json.dumps({"battery_percent": None, "on_mains": True}))
        log = (self.directory / "stack.log").open("ab")
        self.launcher = subprocess.Popen(
            [sys.executable, str(APP), "run"],
            env=self.environment,
            cwd=self.directory,  # no `.env` of whoever runs this
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        if wait:
            self.wait_for(self.answers, "the stack to start", seconds=_START_S)

    def stop(self) -> None:
        """Stops it as Ctrl-C does."""
        if self.launcher is not None:
            self.launcher.send_signal(signal.SIGINT)
            self.launcher.wait(60)
            self.launcher = None

    def kill(self) -> None:
        """Kills the launcher without warning; its children die with it."""
        assert self.launcher is not None
        children = self.children()
        self.launcher.kill()
        self.launcher.wait()
        psutil.wait_procs(children, timeout=10)
        self.launcher = None

    def child(self, name: str) -> psutil.Process:
        """The child whose command line ends in these words, such as "gateway" or "worker run speech"."""
        words = name.split()
        return next(child for child in self.children() if words == child.cmdline()[2 : 2 + len(words)])

    def settle(self, *, seconds: float = 600.0) -> None:
        """Waits until the workers are warm and nothing is left to do, as on a site that has run for a while. On a new
        site the speech worker first renders what calls say to everybody, which takes minutes."""
        idle = 0

        def is_idle() -> bool:
            nonlocal idle
            busy = sum(child.cpu_percent() for child in self._watched)
            idle = idle + 1 if busy < 15 else 0
            time.sleep(0.25)
            return idle >= 6

        self._watched = self.children()
        self.wait_for(is_idle, "the stack to become idle", seconds=seconds)

    def children(self) -> list[psutil.Process]:
        assert self.launcher is not None
        return list(psutil.Process(self.launcher.pid).children(recursive=True))

    def own_processes(self) -> list[psutil.Process]:
        """The launcher itself."""
        assert self.launcher is not None
        return [psutil.Process(self.launcher.pid)]

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """One request to the stand-in carrier's control interface; without a body it only looks."""
        url = f"{self.carrier_url}/phone/api/{path}"
        answer = self.http.post(url, json=body) if body or "/" in path else self.http.get(url)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def dial(self, msisdn: str, answer: str | None = None) -> str:
        """Dials the service, or answers on; what the screen then shows."""
        body = {"msisdn": msisdn} if answer is None else {"msisdn": msisdn, "input": answer}
        screen: str = self.ask("ussd", **body)["screen"]
        return screen

    def send_picture(self, msisdn: str, content: bytes, caption: str, *, via: str, name: str = "eye.jpg") -> None:
        """A person sends a photograph. Raises httpx.HTTPStatusError unless the gateway took it."""
        answer = self.http.post(
            f"{self.carrier_url}/phone/api/picture",
            data={"msisdn": msisdn, "caption": caption, "via": via},
            files={"file": (name, content)},
        )
        answer.raise_for_status()

    def ledger(self) -> list[dict[str, Any]]:
        """Everything that the carrier carried, oldest first."""
        entries: list[dict[str, Any]] = self.ask("ledger")["entries"]
        return entries

    def command(self, *arguments: str) -> str:
        """Runs one `python app.py …` on this stack's data. Raises subprocess.CalledProcessError."""
        done = subprocess.run(
            [sys.executable, str(APP), *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def answers(self) -> bool:
        """Whether gateway and carrier take requests."""
        try:
            self.http.get(f"{self.gateway_url}/healthz").raise_for_status()
            self.http.get(f"{self.carrier_url}/phone/api/ledger").raise_for_status()
        except httpx.HTTPError:
            return False
        return True

    def wait_for(self, condition: Callable[[], Any], what: str, *, seconds: float = 30.0) -> Any:
        """The first true value of `condition`. Raises NotInTime."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.02)
        log = (self.directory / "stack.log").read_text(errors="replace")[-3000:]
        raise NotInTime(f"waited {seconds:.0f} s for {what}; the log ends:\n{log}")

    def secrets(self) -> dict[str, str]:
        """The tokens that the trial made for itself."""
        kept: dict[str, str] = json.loads((self.directory / "trial-secrets.json").read_text())
        return kept


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
