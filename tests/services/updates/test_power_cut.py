"""Killed at any step between the first byte and the swap: the old version or the new one answers, never a broken one,
and the next look comes to its end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from update_hub import UpdateHub, risk_release

from services.runtime import Runtime
from services.screening import engines
from services.updates import fetch, installed, notes

# Each is the moment before something becomes visible on the disk.
_MOMENTS = ("fsync", "rename", "replace")


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Does the work in a process that is killed before the n-th such moment; whether it came to that."""
    process = os.fork()
    if process == 0:
        left = [number]

        def dying(real: Callable[..., Any]) -> Callable[..., Any]:
            def at_last(*arguments: Any, **named: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return at_last

        try:
            for name in _MOMENTS:
                setattr(os, name, dying(getattr(os, name)))
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert status in (0, signal.SIGKILL), "the work failed"
    return status == signal.SIGKILL


def at(site: Runtime, data_dir: Path) -> Runtime:
    """The same site with another data directory, and a store of its own."""
    return Runtime(site.settings.model_copy(update={"data_dir": data_dir}))


def look(site: Runtime, hub: UpdateHub) -> None:
    with hub.client() as client:
        for _ in fetch.look(site, client):
            pass


def answers(site: Runtime) -> str:
    """The version that answers, found as by a worker that starts now: what it loads matches its manifest and passes
    its golden cases, and none was passed over."""
    models, shipped = site.settings.models_dir, engines.MODELS
    best = installed.folders(models, "risk", shipped)[0]
    found = engines.RiskModel(best).version
    assert engines.risk_model(models).version == found
    return found


@pytest.mark.parametrize(("before", "every"), [("0.1.0", 1), ("0.2.0", 3)])
def test_old_or_new_and_never_broken(site: Runtime, hub: UpdateHub, tmp_path: Path, before: str, every: int) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=3000))
    if before == "0.2.0":
        look(site, hub)
        hub.publish(risk_release(tmp_path, "0.3.0", ballast=4000))
    after = "0.2.0" if before == "0.1.0" else "0.3.0"
    assert answers(site) == before
    seen: list[str] = []
    for number in range(1, 500, every):
        data_dir = tmp_path / "cut" / str(number)
        shutil.copytree(site.settings.data_dir, data_dir)

        def work(place: Path = data_dir) -> None:
            cut = at(site, place)
            look(cut, hub)

        killed = killed_at(number, work)
        again = at(site, data_dir)
        seen.append(answers(again))
        assert seen[-1] in (before, after)
        if killed:
            look(again, hub)
            assert answers(again) == after, notes.read(data_dir)
        again.db.close()
        shutil.rmtree(data_dir)
        if not killed:
            break
    assert not killed
    assert len(seen) * every > 25
    assert seen == sorted(seen), "once swapped it stays"
    assert seen[0] == before
    assert seen[-1] == after
