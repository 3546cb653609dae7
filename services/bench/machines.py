"""Machines in a network of their own: each a network namespace with a name, an address, a cable, and a plug to pull."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from services.bench import link

_NETWORK = "10.178.{}.{}"


class NoMachines(Exception):
    """Network namespaces are not permitted here."""


class Network:
    """A switch into which this machine is plugged at `address`, and others are. Use it as a context manager. Raises
    NoMachines."""

    def __init__(self) -> None:
        self._number = os.getpid() % 10**6
        self._switch = f"jb{self._number}"
        self.address = self._address(1)
        self._machines: list[Machine] = []

    def __enter__(self) -> Network:
        try:
            link.ip("link", "add", self._switch, "type", "bridge")
        except (OSError, subprocess.CalledProcessError) as problem:
            raise NoMachines(f"it needs root and a kernel with network namespaces: {problem}") from None
        link.ip("addr", "add", f"{self.address}/24", "dev", self._switch)
        link.ip("link", "set", self._switch, "up")
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        for machine in self._machines:
            machine.power_cut()
            link.ip("netns", "del", machine.space)
        link.ip("link", "del", self._switch)

    def machine(self, name: str) -> Machine:
        """One more, switched on."""
        number = len(self._machines) + 2
        found = Machine(f"jicho-{self._number}-{name}", name, self._address(number), f"j{self._number}.{number}")
        link.ip("netns", "add", found.space)
        self._machines.append(found)
        inside = f"{found.cable}i"
        link.ip("link", "add", found.cable, "type", "veth", "peer", "name", inside)
        link.ip("link", "set", inside, "netns", found.space)
        link.ip("link", "set", found.cable, "master", self._switch, "up")
        for words in (
            ("addr", "add", f"{found.address}/24", "dev", inside),
            ("link", "set", inside, "up"),
            ("link", "set", "lo", "up"),
        ):
            link.run("ip", "netns", "exec", found.space, "ip", *words)
        return found

    def _address(self, number: int) -> str:
        return _NETWORK.format(self._number % 250, number)


class Machine:
    """One host: what is started on it sees its own network only, under the machine's name."""

    def __init__(self, space: str, name: str, address: str, cable: str) -> None:
        self.space, self.name, self.address, self.cable = space, name, address, cable
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **how: Any) -> None:
        """Starts a process, as `subprocess.Popen` does with `how`."""
        named = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name)
        self._running.append(
            subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.space}", *named, *command], start_new_session=True, **how
            )
        )

    def unplug(self) -> None:
        """Pulls the cable: all goes on, and reaches nobody."""
        link.ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Puts it in again."""
        link.ip("link", "set", self.cable, "up")

    def power_cut(self) -> None:
        """Kills everything on it at once; nobody is told."""
        self.unplug()
        while pids := self._pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for process in self._running:
            process.wait()
        self._running.clear()

    def _pids(self) -> list[int]:
        done = subprocess.run(["ip", "netns", "pids", self.space], check=True, capture_output=True, text=True)
        return [int(word) for word in done.stdout.split()]
