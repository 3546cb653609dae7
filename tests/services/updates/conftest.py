"""A hub that publishes, on a real TLS socket, and a site that trusts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from update_hub import Look, UpdateHub

from services.runtime import Runtime
from services.screening import engines
from services.updates import notes, places, publish, trial
from services.updates.fetch import look


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_trial: releases are tried in a process of their own, as everywhere else")


@pytest.fixture(autouse=True)
def trial_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same golden cases without the second that a process of its own takes, where that is not what is tested."""
    if request.node.get_closest_marker("real_trial"):
        return

    def tried(_kind: str, folder: Path, name: str, _about: object) -> dict[str, Any]:
        found = trial.look_at_model(folder, name)
        if "error" in found:
            raise trial.TrialFailed(found["error"], permanent=True)
        return found

    monkeypatch.setattr(publish, "try_out", tried)
    monkeypatch.setattr(places, "try_out", tried)


@pytest.fixture
def hub(tmp_path: Path, site: Runtime) -> Iterator[UpdateHub]:
    with UpdateHub(tmp_path / "at-the-hub") as found:
        found.trusted_by(site.settings.data_dir)
        yield found
    engines.forget()


@pytest.fixture
def look_once(site: Runtime, hub: UpdateHub) -> Look:
    """One look from beginning to end over a connection of its own; what the site noted of it."""

    def looked(**options: Any) -> dict[str, Any]:
        with hub.client() as client:
            for _ in look(site, client, **options):
                pass
        return notes.read(site.settings.data_dir)

    return looked
