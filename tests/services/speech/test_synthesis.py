"""The voice itself: only symbols it learned, and errors that tell nothing of what was to be said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.speech import synthesis
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
