"""The launcher keeps its children alive, goes without leaving any, and starts once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.bench.stack import Stack
from services.launcher import _services
from services.settings import load
from services.sync.enrolled import identity_file

APP = Path(__file__).parents[2] / "app.py"
NAMES = (
    "gateway",
    "simulator",
    "relay",
    "scheduler",
    "worker run delivery",
    "worker run inference",
    "worker run speech",
)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


def pids(stack: Stack) -> dict[str, int]:
    """The living children, by what they do."""
    found = {}
    for child in stack.children():
        try:
            words, program = " ".join(child.cmdline()[2:5]), child.name()
        except psutil.Error:  # killed, and not yet noticed
            continue
        name = "queue server" if "valkey" in program else next((n for n in NAMES if words.startswith(n)), "")
        if name:
            found[name] = child.pid
    return found


def test_everything_runs_dies_and_comes_back(stack: Stack) -> None:
    before = pids(stack)
    assert set(before) == {*NAMES, "queue server"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def all_new() -> bool:
        now = pids(stack)
        return set(now) == set(before) and not set(now.values()) & set(before.values())

    stack.wait_for(all_new, "every child to be started again")
    stack.wait_for(stack.answers, "the gateway to answer again")


def test_sync_starts_once_the_site_is_enrolled(stack: Stack) -> None:
    def syncing() -> list[psutil.Process]:
        return [child for child in stack.children() if child.cmdline()[2:4] == ["sync", "run"]]

    assert syncing() == []
    file = identity_file(stack.directory)
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")  # of no use, but there
    (child,) = stack.wait_for(syncing, "sync to start")
    assert child.is_running()


def test_a_modem_and_smpp_have_a_process_each_where_they_are_set_up(tmp_path: Path) -> None:
    environ = {"JICHO_DATA_DIR": str(tmp_path)}
    own = {"modem", "smpp", "delivery-1"}
    assert not own & {child.name for child in _services(load(environ, dotenv=tmp_path / "none"))}
    environ |= {"JICHO_MODEM_DEVICE": "/dev/ttyUSB0", "JICHO_SMPP_HOST": "127.0.0.1", "JICHO_SMPP_SENDER": "JICHO"}
    environ["JICHO_SMPP_SYSTEM_ID"] = "jicho"
    assert own <= {child.name for child in _services(load(environ, dotenv=tmp_path / "none"))}


def test_a_second_start_is_refused(stack: Stack) -> None:
    second = subprocess.run(
        [sys.executable, str(APP), "run"],
        env=stack.environment | {"JICHO_PORT": "1", "JICHO_SIMULATOR_PORT": "2"},
        cwd=stack.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "Jicho already runs on" in second.stderr
    assert stack.answers()


def test_a_killed_launcher_leaves_nothing(stack: Stack) -> None:
    children = stack.children()
    stack.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    stack.start()
    assert stack.answers()


def test_ctrl_c_stops_all_of_it_cleanly(stack: Stack) -> None:
    assert stack.launcher is not None
    children, launcher = stack.children(), stack.launcher
    stack.stop()
    assert launcher.returncode == 0
    assert not any(child.is_running() for child in children)


def test_a_taken_port_is_named(stack: Stack, tmp_path: Path) -> None:
    other = subprocess.run(
        [sys.executable, str(APP), "run"],
        env=stack.environment | {"JICHO_DATA_DIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert other.returncode == 1
    assert f"127.0.0.1:{stack.port} is not free" in other.stderr
    assert "set JICHO_PORT" in other.stderr
