"""Is the hub reachable, and since when? One process finds out, all know."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from services.bench.stack import free_port
from services.site import link
from services.site.link import Link, reachable, remember, remembered
from services.site.probes import TOLD, look
from services.site.strain import Limits
from services.site.watch import Watch


def test_who_listens_is_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert reachable("127.0.0.1", listener.getsockname()[1])
    assert not reachable("127.0.0.1", free_port())
    assert not reachable("no-such-host.invalid", 443, wait_s=0.5)


def test_since_when_outlives_the_process_that_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remembered(tmp_path) == Link()
    for at, up, since in ((10, True, 10), (20, True, 10), (30, False, 30), (40, False, 30), (50, True, 50)):
        monkeypatch.setattr(link, "now_ms", lambda at=at: at)
        assert remember(tmp_path, up) == remembered(tmp_path) == Link(up, since)
    found = look(tmp_path)
    assert (found.link, found.link_since_ms) == (True, 50)


@pytest.mark.parametrize("spoilt", ["", "[]", '{"up": true}', '{"up": true, "since_ms": "now"}'])
def test_a_spoilt_memory_is_none(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "link.json").write_text(spoilt)
    assert remembered(tmp_path) == Link()


@pytest.mark.parametrize(("said", "found"), [(False, False), (True, True), (None, None), ("yes", True), (1, True)])
def test_what_it_is_told_wins(tmp_path: Path, said: object, found: bool | None) -> None:
    remember(tmp_path, True)
    (tmp_path / TOLD).write_text(json.dumps({"link": said}))
    assert Watch(tmp_path, Limits(), fresh_s=0).site().link is found
