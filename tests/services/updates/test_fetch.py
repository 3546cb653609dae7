"""A site fetches what is newer, by the shortest way, when it may, from where it broke off; tries it, and only then uses
it."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from update_hub import Look, UpdateHub, risk_release

from services.runtime import Runtime
from services.screening import engines
from services.screening.engines import MODELS
from services.site.probes import TOLD
from services.site.strain import Limits, Strain
from services.site.watch import Watch
from services.store.clock import HOUR_MS, now_ms
from services.sync.client import HubError
from services.sync.marks import mark, reset_mark
from services.updates import fetch, installed, notes, publish
from services.updates.downloads import TARGETS
from services.updates.packing import pack
from services.updates.publish import withdraw
from services.updates.status import status

BALLAST = 900_000  # of which 256 KB fit three and a half times


def told(site: Runtime) -> tuple[str, str]:
    found = notes.read(site.settings.data_dir)["releases"]["models/risk"]
    return found["state"], found["reason"]


def version(site: Runtime) -> str:
    """The version that answers now."""
    return engines.risk_model(site.settings.models_dir).version


def ways(hub: UpdateHub) -> list[str]:
    return [path for path, _ in hub.targets_asked()]


def test_a_release_comes_in_and_the_next_as_a_patch(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    assert version(site) == "0.1.0"
    hub.publish(risk_release(tmp_path, "0.2.0"))
    look_once()
    assert told(site) == ("installed", "")
    assert ways(hub) == [f"models/risk/0.2.0/manifest.json.{sha(MODELS / 'risk' / 'manifest.json')}.patch"]
    assert version(site) == "0.2.0"
    hub.asked.clear()
    look_once()
    assert told(site) == ("up-to-date", "it is in use")
    assert [path for path, _ in hub.asked] == ["/updates/metadata/2.root.json", "/updates/metadata/timestamp.json"]

    hub.asked.clear()
    hub.publish(risk_release(tmp_path, "0.3.0", ballast=3000))
    look_once()
    assert {path.rpartition(".")[2] for path in ways(hub)} == {"patch"}
    assert version(site) == "0.3.0"
    assert (
        engines.risk_model(site.settings.models_dir).sha256
        == json.loads((tmp_path / "0.3.0" / "risk" / "manifest.json").read_text())["tiers"]["full"]["sha256"]
    )
    assert installed.versions(site.settings.models_dir, "risk") == ["0.2.0", "0.3.0"]
    hub.publish(risk_release(tmp_path, "0.4.0"))
    look_once()
    assert installed.versions(site.settings.models_dir, "risk") == ["0.3.0", "0.4.0"], "one to go back to is enough"


def sha(path: Path) -> str:
    return publish._sha256(path.read_bytes())[:12]


def test_without_the_base_the_whole_file_comes(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=3000))
    hub.publish(risk_release(tmp_path, "0.3.0", ballast=3000))
    look_once()
    shutil.rmtree(site.settings.models_dir / "risk")
    (shipped := tmp_path / "other-shipped").mkdir()
    shutil.copytree(MODELS / "risk", shipped / "risk")
    (shipped / "risk" / "risk.onnx").write_bytes(b"")
    (shipped / "risk" / "manifest.json").write_text(json.dumps({"version": "0.0.1"}))
    hub.asked.clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("services.updates.places.MODELS", shipped)
        look_once()
    assert ways(hub) == ["models/risk/0.3.0/manifest.json.zst", "models/risk/0.3.0/risk.onnx.zst"]
    assert version(site) == "0.3.0"


def test_a_patch_that_gives_something_else_is_replaced_by_the_whole_file(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(content: bytes, base: bytes | None = None) -> bytes:
        return pack(content if base is None else content[:-1] + b"?", base)

    monkeypatch.setattr(publish, "pack", wrong)
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=3000))
    look_once()
    assert told(site) == ("installed", "")
    assert [path.rpartition(".")[2] for path in ways(hub)] == ["patch", "zst", "patch", "zst"]
    assert version(site) == "0.2.0"


@pytest.mark.parametrize("cut", [100_000, 300_000])
def test_no_byte_comes_twice_over_a_link_that_breaks(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, cut: int
) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=BALLAST))
    (big,) = hub.repository.targets_dir.rglob("*.onnx.zst")
    hub.faults.cut = cut
    for _ in range(len(range(cut, big.stat().st_size, cut))):
        with pytest.raises(HubError) as broke:
            look_once()
        assert not broke.value.permanent
    look_once()
    assert told(site) == ("installed", "")
    spans = [span for path, span in hub.targets_asked() if ".onnx." in path]
    assert spans == ["", *(f"bytes={at}-" for at in range(cut, big.stat().st_size, cut))]
    assert version(site) == "0.2.0"


def test_a_proxy_that_knows_no_ranges_costs_bytes_and_no_more(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=BALLAST))
    hub.faults.cut = 100_000
    with pytest.raises(HubError):
        look_once()
    hub.faults.cut, hub.faults.deaf = 0, True
    look_once()
    assert told(site) == ("installed", "")


def test_it_works_in_steps_and_goes_on_where_it_was(site: Runtime, hub: UpdateHub, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=BALLAST))
    seconds = itertools.count()
    with hub.client() as client:
        steps = sum(1 for _ in fetch.look(site, client, slice_s=3, clock=lambda: float(next(seconds))))
    assert steps > 2
    spans = [span for path, span in hub.targets_asked() if ".onnx." in path]
    assert len(spans) > 1
    assert spans[0] == ""
    starts = [int(span.removeprefix("bytes=").rstrip("-")) for span in spans[1:]]
    assert starts == sorted(set(starts))
    assert version(site) == "0.2.0"


class _Attentive(Watch):
    """Looks at every question, where the real one may wait some tenths of a second."""

    def strain(self) -> Strain:
        self._due = 0.0
        return super().strain()


@pytest.mark.parametrize(
    ("probes", "reason"),
    [
        ({"battery_percent": 40, "on_mains": False}, "battery-half"),
        ({"battery_percent": 10, "on_mains": False}, "battery-low"),
        ({"disk_mb": 100}, "disk-low"),
        ({"memory_mb": 50}, "memory-low"),
    ],
)
def test_what_runs_short_stops_it_in_the_middle(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, probes: dict[str, Any], reason: str
) -> None:
    data_dir = site.settings.data_dir
    site.watch = _Attentive(data_dir, Limits())
    before = (data_dir / TOLD).read_text()
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=BALLAST))

    def runs_short(path: str, content: bytes) -> bytes:
        if path.startswith(TARGETS) and ".onnx." in path:
            (data_dir / TOLD).write_text(json.dumps(json.loads(before) | probes))
        return content

    hub.faults.spoil = runs_short
    assert look_once()["problem"] == f"waits: {reason}"
    assert told(site) == ("held", reason)
    (partial,) = (data_dir / "updates" / "partial").iterdir()
    came = partial.stat().st_size
    assert 256 * 1024 <= came < 600_000
    asked = len(hub.asked)
    look_once()
    assert len(hub.asked) == asked, "nothing is asked while it lasts"
    hub.faults.spoil = lambda _path, content: content
    (data_dir / TOLD).write_text(before)
    look_once()
    assert told(site) == ("installed", "")
    assert hub.targets_asked()[-1][1] == f"bytes={came}-"


def test_the_days_budget_holds_it_back(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    asked = []

    def spent(_site: Runtime, purpose: str) -> bool:
        asked.append(purpose)
        return False

    monkeypatch.setattr(fetch, "may_spend", spent)
    assert look_once()["problem"] == "waits: budget"
    assert (asked, hub.asked) == (["models"], [])
    look_once(anyway=True)
    assert told(site) == ("installed", "")


@pytest.mark.real_trial
def test_a_golden_case_that_fails_here_refuses_the_release(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_processor(*_: object) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(publish, "try_out", other_processor)
    hub.publish(risk_release(tmp_path, "0.2.0", change=lambda manifest: manifest["golden"][0].update(probability=0.5)))
    look_once()
    state, reason = told(site)
    assert state == "refused"
    assert reason.startswith("jicho-symptoms: golden case")
    assert version(site) == "0.1.0"
    assert status(site)["in_use"]["models/risk"] == {"version": "0.1.0", "from": "shipped"}
    asked = len(ways(hub))
    look_once()
    assert told(site)[0] == "refused"
    assert len(ways(hub)) == asked, "a bad release is fetched once"
    look_once(by_hand=True)
    assert told(site)[0] == "refused"
    assert len(ways(hub)) == asked, "it lies there already"
    hub.publish(risk_release(tmp_path, "0.2.1"))
    look_once()
    assert version(site) == "0.2.1"


def test_an_older_version_is_not_taken_unless_the_newer_is_withdrawn(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    for each in ("0.2.0", "0.3.0"):
        hub.publish(risk_release(tmp_path, each))
    look_once()
    assert version(site) == "0.3.0"
    withdraw(hub.repository, "models/risk", "0.3.0", hub.keys, MODELS)
    hub.repository.change_targets(lambda signed: signed.unrecognized_fields.update(withdrawn={}), hub.keys)
    look_once()
    assert told(site) == ("not-wanted", "it would be a downgrade from 0.3.0")
    assert version(site) == "0.3.0"
    withdraw(hub.repository, "models/risk", "0.3.0", hub.keys, MODELS)
    look_once()
    assert told(site) == ("installed", "")
    assert version(site) == "0.2.0"
    withdraw(hub.repository, "models/risk", "0.2.0", hub.keys, MODELS)
    look_once()
    assert version(site) == "0.1.0", "what came with Jicho"
    withdraw(hub.repository, "models/risk", "0.1.0", hub.keys, MODELS)
    look_once()
    assert version(site) == "0.1.0", "better than nothing"


def test_what_is_not_for_this_release_of_jicho_is_not_fetched(
    hub: UpdateHub, look_once: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "try_out", lambda *_: {})
    hub.publish(risk_release(tmp_path, "0.2.0", change=lambda manifest: manifest.update(format=2)))
    hub.publish(risk_release(tmp_path / "b", "0.2.0", change=lambda manifest: manifest.update(programme="teeth")))
    releases = look_once()["releases"]
    assert releases["models/risk"]["reason"] == "it needs another version of Jicho: its format is 2"
    assert releases["models/teeth"]["reason"] == "this version of Jicho has no programme teeth"
    assert ways(hub) == []


def test_a_file_that_is_gone_from_the_hub_is_said(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    for path in hub.repository.targets_dir.rglob("*.patch"):
        path.unlink()
    look_once()
    state, reason = told(site)
    assert state == "failed"
    assert "Not Found" in reason


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [spoil, lambda path: path.unlink(), lambda path: path.write_bytes(b""), lambda path: shutil.rmtree(path.parent)],
)
def test_damage_on_disk_falls_back_and_is_mended(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, damage: Callable[[Path], Any]
) -> None:
    for each in ("0.2.0", "0.3.0"):
        hub.publish(risk_release(tmp_path, each, ballast=3000))
        look_once()
    assert version(site) == "0.3.0"
    engines.forget()
    damage(site.settings.models_dir / "risk" / "0.3.0" / "risk" / "risk.onnx")
    assert version(site) == "0.2.0"
    assert status(site)["in_use"]["models/risk"] == {"version": "0.2.0", "from": "hub"}
    engines.forget()
    damage(site.settings.models_dir / "risk" / "0.2.0" / "risk" / "risk.onnx")
    assert version(site) == "0.1.0"
    look_once()
    assert told(site) == ("installed", "")
    assert version(site) == "0.3.0"


@pytest.mark.real_trial
def test_a_worker_takes_it_between_two_jobs_and_goes_back_from_it(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    release = tmp_path / "dr"
    shutil.copytree(MODELS / "dr", release, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    manifest = json.loads((release / "manifest.json").read_text())
    shipped, newer = manifest["version"], "7.0.0"
    manifest["tiers"] = {"light": manifest["tiers"]["light"]}
    (release / "manifest.json").write_text(json.dumps(manifest | {"version": newer}))
    models = site.settings.models_dir

    def use(*strain: Any) -> str:
        engines.use("dr", frozenset(strain), "urgent", models)
        return engines.engine("dr").identity.version

    assert use() == shipped
    before = engines.engine("dr")
    hub.publish(release)
    look_once()
    assert notes.read(site.settings.data_dir)["releases"]["models/dr"]["state"] == "installed"
    assert ways(hub) == [f"models/dr/{newer}/manifest.json.{sha(MODELS / 'dr' / 'manifest.json')}.patch"]
    assert engines.engine("dr") is before, "not in the middle of a job"
    assert use() == newer
    assert engines.engine("dr") is not before
    loaded = engines.engine("dr")
    use()
    assert engines.engine("dr") is loaded, "loaded once"
    spoil(models / "dr" / newer / "dr" / "light.onnx")
    assert use() == newer, "what is loaded is whole"
    engines.forget()
    assert use() == shipped
    assert installed.current(models, "dr").version == "", "for every process"
    assert engines.engine("dr").reason == "best"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "0.2.0"}', '{"version": "../..", "withdrawn": []}'])
def test_a_pointer_that_cannot_be_read_means_shipped(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, content: str
) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    look_once()
    (site.settings.models_dir / "risk" / "current").write_text(content)
    assert version(site) == "0.1.0"
    look_once()
    assert version(site) == "0.2.0"


def test_without_a_root_it_says_what_to_do(site: Runtime, hub: UpdateHub, look_once: Look) -> None:
    (site.settings.data_dir / "updates" / "root.json").unlink()
    assert "models trust" in look_once()["problem"]
    assert hub.asked == []


def test_two_processes_do_not_fetch_at_once(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    with hub.client() as client:
        first = fetch.look(site, client)
        next(first)
        with pytest.raises(fetch.Underway):
            look_once()
        first.close()
    look_once()
    assert told(site) == ("installed", "")


def test_it_looks_once_a_day_and_when_the_hub_says_so(site: Runtime, hub: UpdateHub, tmp_path: Path) -> None:
    def finish() -> int:
        before = len(hub.asked)
        with hub.client() as client:
            while fetch.step(site, client):
                pass
        return len(hub.asked) - before

    assert finish() > 0
    assert finish() == 0
    hub.publish(risk_release(tmp_path, "0.2.0"))
    assert finish() == 0
    with site.db.write() as tx:
        fetch.hinted(tx, {})
    assert finish() > 0
    assert version(site) == "0.2.0"
    assert finish() == 0
    for aged in (now_ms() - 24 * HOUR_MS - 1, now_ms() + HOUR_MS):
        with site.db.write() as tx:
            reset_mark(tx, "updates-checked", aged)
        assert finish() > 0, "a day later, or with a clock that went back"
    with site.db.read() as tx:
        assert mark(tx, "updates-checked") <= now_ms()


def test_a_broken_link_is_told_to_who_tries_again(site: Runtime, hub: UpdateHub, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=BALLAST))
    hub.faults.cut = 400_000

    def go_on() -> None:
        while fetch.step(site, client):
            pass

    with hub.client() as client:
        for _ in range(2):
            with pytest.raises(HubError):
                go_on()
        hub.faults.cut = 0
        go_on()
    assert [span for path, span in hub.targets_asked() if ".onnx." in path] == ["", "bytes=400000-", "bytes=800000-"]
    assert version(site) == "0.2.0"
