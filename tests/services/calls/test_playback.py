"""Clips put together as carriers fetch them: whole, in order, behind one silence."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.calls.playback import Form, joined
from services.speech.audio import Audio

TONE = (np.sin(np.arange(4000) / 8000 * 2 * np.pi * 400) * 9000).astype(np.int16)


def clips(folder: Path, form: Form, *sounds: np.ndarray) -> list[Path]:
    paths = [folder / f"{number}.{form}" for number in range(len(sounds))]
    for path, sound in zip(paths, sounds, strict=True):
        path.write_bytes(Audio(sound).headerless(form))
    return paths


@pytest.mark.parametrize("form", ["wav", "mulaw", "mp3"])
def test_clips_follow_each_other_behind_one_silence(tmp_path: Path, form: Form) -> None:
    silence = np.zeros(4000, np.int16)
    sound, rate = soundfile.read(io.BytesIO(joined(clips(tmp_path, form, TONE, silence, TONE), form)))
    assert rate == 8000
    # An MP3 frame is 0.072 s, and its encoder adds a frame or two to each clip.
    assert len(sound) / rate == pytest.approx(0.4 + 1.5, abs=0.5 if form == "mp3" else 0.001)
    loud = np.abs(sound) > 0.05
    assert 0.39 <= np.argmax(loud) / rate <= 0.6
    edges = np.flatnonzero(np.diff(np.flatnonzero(loud)) > 2000)
    assert len(edges) == 1, "two tones with one silence between them"


@pytest.mark.parametrize(("form", "subtype", "size"), [("wav", "PCM_16", 2), ("mulaw", "ULAW", 1)])
def test_a_wav_is_what_its_header_says(tmp_path: Path, form: Form, subtype: str, size: int) -> None:
    content = joined(clips(tmp_path, form, TONE[:3001]), form)
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.format, file.subtype, file.channels, len(file)) == ("WAV", subtype, 1, 3200 + 3001)
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert len(content) < 3200 * size + 3001 * size + 64


def test_pcm_comes_back_sample_by_sample(tmp_path: Path) -> None:
    with wave.open(io.BytesIO(joined(clips(tmp_path, "wav", TONE, TONE), "wav"))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert np.array_equal(samples, np.concatenate([np.zeros(3200, np.int16), TONE, TONE]))


def test_a_clip_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        joined([tmp_path / "gone"], "wav")
