"""Recordings as they come from phones: trimmed, level, the right length, or refused with a reason."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from services.speech.recording import Unusable, decode, prepare, trim

TEXT = "Asante. Kwaheri."  # 13 letters: about a second


def speech(seconds: float, rate: int = 16_000, level: float = 0.3) -> np.ndarray:
    """Something that rises and falls four times a second, as syllables do."""
    time = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 220 * time) * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time))).astype(np.float32)


def room(seconds: float, rate: int = 16_000, level: float = 0.002) -> np.ndarray:
    return (np.random.default_rng(7).normal(0, level, int(seconds * rate))).astype(np.float32)


def file(sound: np.ndarray, rate: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, sound, rate, format=kind, subtype=subtype)
    return content.getvalue()


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(float)))))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("level", [0.05, 0.3, 0.9])
def test_silence_goes_and_loudness_is_that_of_synthesis(rate: int, level: float) -> None:
    sound = np.concatenate([room(1.0, rate), speech(1.2, rate, level), room(0.7, rate)])
    samples = prepare(file(sound, rate), "12.wav", TEXT)
    assert samples.dtype == np.int16
    assert len(samples) / 8000 == pytest.approx(1.2, abs=0.25)
    assert loudness(samples) == pytest.approx(0.09 * 32768, rel=0.1)
    assert abs(int(samples[0])) < 100
    assert abs(int(samples[-1])) < 100


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "ULAW"), ("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)]
)
def test_phone_formats_are_read(kind: str, subtype: str | None) -> None:
    assert len(prepare(file(speech(1.2), kind=kind, subtype=subtype), f"12.{kind.lower()}", TEXT)) > 7000


def test_two_channels_become_one() -> None:
    sound, rate = decode(file(np.stack([speech(1), 0 * speech(1)], axis=1)), "1.wav")
    assert (sound.shape, rate) == ((16_000,), 16_000)


def test_nothing_but_speech_is_trimmed() -> None:
    sound = speech(1.2)
    assert len(trim(sound, 16_000)) == pytest.approx(len(sound), rel=0.1)
    assert len(trim(np.zeros(0, np.float32), 16_000)) == 0


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (file(room(2.0, level=0.0005)), "3.wav", "3.wav: nothing can be heard"),
        (file(np.zeros(16_000, np.float32)), "3.wav", "nothing can be heard"),
        (file(np.zeros(0, np.float32)), "3.wav", "no recording"),
        (file(speech(12)), "3.wav", "too long for “Asante. Kwaheri.”"),
        (file(speech(0.3)), "3.wav", "too short for “Asante. Kwaheri.”"),
        (file(np.clip(speech(1.2, level=5), -1, 1)), "3.wav", "too loud"),
        (file(speech(1.2, 4_000), 4_000), "3.wav", "4000 samples a second"),
        (b"\0\0\0\x20ftypM4A ", "3.m4a", "m4a files cannot be read here.*ffmpeg -i 3.m4a 3.wav"),
        (b"#!AMR\n", "3.amr", "amr files cannot be read here"),
        (b"RIFF", "3.wav", "damaged or no sound"),
        (b"", "3.mp3", "damaged or no sound"),
    ],
)
def test_what_cannot_be_used_says_why(content: bytes, name: str, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        prepare(content, name, TEXT)
