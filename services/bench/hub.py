"""The hub, started as an operator starts it, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import psutil

from services.bench.stack import NotInTime, free_port
from services.hub.enrolment import issue
from services.store.database import Database
from services.store.keyring import keys_of_another_hub
from services.sync.signature import fingerprint

_APP = Path(__file__).resolve().parents[2] / "app.py"
_START_S = 60.0


class HubStack:
    """A running hub. Use it as a context manager. `environment` adds settings; without `directory` it makes one and
    deletes it."""

    def __init__(self, environment: dict[str, str] | None = None, *, directory: Path | None = None) -> None:
        self._own = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="jicho-hub-"))
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JICHO_")},
            "JICHO_DATA_DIR": str(self.directory / "data"),
            "JICHO_HUB_DIR": str(self.directory / "hub"),
            "JICHO_HUB_KEYRING": str(self.directory / "hub.keys.json"),
            "JICHO_HUB_PORT": str(self.port),
            "JICHO_LOG_LEVEL": "WARNING",
            **(environment or {}),
        }
        self.store_url = self.environment.get(
            "JICHO_HUB_DATABASE_URL", f"sqlite:///{self.directory / 'hub' / 'hub.db'}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> HubStack:
        self.start()
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.stop()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)

    def keys(self) -> AbstractContextManager[None]:
        """Has this process open what the hub's store has sealed."""
        return keys_of_another_hub(Path(self.environment["JICHO_HUB_KEYRING"]))

    def start(self) -> None:
        """Starts it and waits until it takes connections. Raises NotInTime."""
        with (self.directory / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_APP), "hub", "run"],
                env=self.environment,
                cwd=self.directory,  # no `.env` of whoever runs this
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise NotInTime(f"the hub did not start:\n{(self.directory / 'hub.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """Stops it, orderly."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """Kills it and its processes without warning."""
        if self._process is not None:
            running = self.processes()
            for process in reversed(running):  # first the one that would start the others again
                process.kill()
            self._process.wait(60)
            psutil.wait_procs(running, timeout=60)  # until then its port still takes connections
            self._process = None

    def processes(self) -> list[psutil.Process]:
        """The one that was started, and those it started."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [*parent.children(recursive=True), parent]

    def command(self, *arguments: str) -> str:
        """Runs one `python app.py hub …`. Raises subprocess.CalledProcessError."""
        done = subprocess.run(
            [sys.executable, str(_APP), "hub", *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def code(self, name: str) -> str:
        """A code with which a site enrols, as `hub enrol` makes it, without a process for it."""
        certificate = (self.directory / "hub" / "certificate.pem").read_text()
        db = Database(self.store_url)
        with self.keys(), db.write() as tx:
            found = issue(tx, name, self.url, fingerprint(ssl.PEM_cert_to_DER_cert(certificate)))
        db.close()
        return found
