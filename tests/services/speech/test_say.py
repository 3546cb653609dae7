"""Real synthesis: what comes out is speech for a telephone."""

from __future__ import annotations

import io
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from services.speech.audio import LEAD_S
from services.speech.say import Audio, Piece, SpeechError, languages, speak
from voices import LANGUAGES

MESSAGES = {
    "sw": "Habari. Hii ni Jicho, baada ya miezi 12.",
    "luo": "Misawa. Mae en Jicho, bang' dweche 12.",
    "en": "Hello. This is Jicho, after 12 months.",
}


@pytest.fixture(scope="module")
def spoken() -> dict[str, Audio]:
    return {language: speak(language, [Piece(text)], cache_dir=None) for language, text in MESSAGES.items()}


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64) / 32768))))


def test_every_language_has_its_voice() -> None:
    assert set(languages()) == set(LANGUAGES) == set(MESSAGES)


@pytest.mark.parametrize("language", MESSAGES)
def test_it_is_speech_of_a_plausible_length(spoken: dict[str, Audio], language: str) -> None:
    audio = spoken[language]
    assert audio.samples.dtype == np.int16
    # 38 to 40 letters at 6 to 20 letters a second, with the silences.
    assert 2.0 < audio.seconds < 8.0
    assert rms(audio.samples) > 0.03
    loud = np.abs(audio.samples.astype(np.int32))
    assert loud.max() < 32000
    # Speech rises and falls; noise and tones do not.
    frames = audio.samples[: len(audio.samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    levels = np.sqrt(np.mean(np.square(frames), axis=1))
    assert np.percentile(levels, 90) > 10 * (np.percentile(levels, 10) + 1)


@pytest.mark.parametrize("language", MESSAGES)
def test_a_silence_leads_so_that_no_word_is_cut_off(spoken: dict[str, Audio], language: str) -> None:
    samples = spoken[language].samples
    lead = int(LEAD_S * 8000)
    assert lead == 3200
    assert not samples[:lead].any()
    assert samples[lead : lead + 4000].any()


def test_sentences_meet_without_a_click(spoken: dict[str, Audio]) -> None:
    loud = np.flatnonzero(spoken["sw"].samples)
    gaps = np.flatnonzero(np.diff(loud) > 800)  # silences of more than 0.1 s
    assert len(gaps) >= 1
    beside = np.concatenate([loud[[0, -1]], loud[gaps], loud[gaps + 1]])
    assert np.abs(spoken["sw"].samples[beside].astype(np.int32)).max() < 300


def test_loudness_is_the_same_in_every_language(spoken: dict[str, Audio]) -> None:
    levels = [rms(audio.samples[audio.samples != 0]) for audio in spoken.values()]
    assert max(levels) / min(levels) < 1.5


@pytest.mark.parametrize(("form", "tag"), [("wav", 1), ("mulaw", 7)])
def test_a_wav_header_says_8_khz_mono(spoken: dict[str, Audio], form: str, tag: int) -> None:
    content = getattr(spoken["sw"], form)()
    assert content[:4] == b"RIFF"
    assert content[8:12] == b"WAVE"
    assert int.from_bytes(content[20:22], "little") == tag
    assert int.from_bytes(content[22:24], "little") == 1
    assert int.from_bytes(content[24:28], "little") == 8000


def test_a_wav_holds_the_samples(spoken: dict[str, Audio]) -> None:
    audio = spoken["luo"]
    with wave.open(io.BytesIO(audio.wav())) as file:
        assert file.getnframes() == len(audio.samples)
        assert file.readframes(file.getnframes()) == audio.samples.tobytes()


def test_compressed_forms_hold_the_whole_message_in_fewer_bytes(spoken: dict[str, Audio]) -> None:
    import soundfile

    audio = spoken["sw"]
    for content in (audio.mp3(), audio.opus()):
        samples, rate = soundfile.read(io.BytesIO(content))
        assert rate == 8000
        assert len(samples) / rate == pytest.approx(audio.seconds, abs=0.25)
        assert float(np.sqrt(np.mean(np.square(samples)))) > 0.03
        assert len(content) < len(audio.wav()) / 4


def test_a_sentence_from_the_cache_is_the_same_sound(tmp_path: Path) -> None:
    piece = Piece("Habari. Karibu tena.")
    first = speak("sw", [piece], cache_dir=tmp_path)
    assert len(list(tmp_path.rglob("*.pcm"))) == 2
    assert speak("sw", [piece], cache_dir=tmp_path).wav() == first.wav()


def test_a_private_piece_leaves_nothing_on_disk(tmp_path: Path) -> None:
    speak("sw", [Piece("Otieno", private=True)], cache_dir=tmp_path)
    assert not list(tmp_path.rglob("*"))
    speak("sw", [Piece("Habari."), Piece("Otieno", private=True)], cache_dir=tmp_path)
    assert len(list(tmp_path.rglob("*.pcm"))) == 1


def test_a_private_piece_reads_nothing_from_the_cache_either(tmp_path: Path) -> None:
    speak("sw", [Piece("Habari.")], cache_dir=tmp_path)
    (kept,) = tmp_path.rglob("*.pcm")
    kept.write_bytes(b"\0\0" * 80)
    assert speak("sw", [Piece("Habari.")], cache_dir=tmp_path).seconds < 0.7
    assert speak("sw", [Piece("Habari.", private=True)], cache_dir=tmp_path).seconds > 0.9


def test_a_full_disk_does_not_silence_the_call(tmp_path: Path) -> None:
    not_a_folder = tmp_path / "cache"
    not_a_folder.write_text("")
    assert speak("en", [Piece("Hello.")], cache_dir=not_a_folder / "deeper").seconds > 0.6


@pytest.mark.parametrize(
    ("language", "pieces", "reason"),
    [("fr", [Piece("Bonjour")], "no voice"), ("sw", [], "nothing to say"), ("luo", [Piece(" ... ")], "nothing to say")],
)
def test_what_cannot_be_said_is_an_error(language: str, pieces: list[Piece], reason: str) -> None:
    with pytest.raises(SpeechError, match=reason):
        speak(language, pieces, cache_dir=None)


def test_the_voice_is_loaded_only_when_something_is_said() -> None:
    heavy = "import sys, services.speech.say; print({'onnxruntime', 'piper', 'soxr', 'soundfile'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
