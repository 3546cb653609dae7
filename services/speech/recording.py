"""Recordings from phones and microphones, made fit for a call: speech alone, 8 kHz, as loud as the synthetic voice."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.speech.audio import Samples, for_telephone
from services.speech.timing import RATE

_FRAME_S = 0.01
_MARGIN_S = 0.06  # kept before and behind speech: a soft f or s lies below the limit
_BELOW_PEAK_DB = 32.0
_ABOVE_NOISE_DB = 8.0
_LEAST_PEAK = 0.01  # of full scale: whoever speaks into a phone reaches ten times that
_CLIPPED = 0.01  # share of samples at full scale from which speech rasps
# Letters a second. Synthesis says 12 to 16, a slow reader 6; beyond these it is another text.
_SLOWEST, _FASTEST = 3.0, 28.0
_SLACK_S = 0.8
_TYPES = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "aif", "au", "caf")
_PHONES = ("m4a", "aac", "mp4", "3gp", "3gpp", "amr", "awb", "wma", "webm")
FILES = frozenset(_TYPES + _PHONES)


class Unusable(Exception):
    """A recording cannot be used. The text says why and what to do."""


def prepare(content: bytes, name: str, text: str) -> Samples:
    """The speech in a recording of `text` (in words), trimmed, at the telephone's rate and loudness. Raises Unusable.

    `name` is the file's, for the messages.
    """
    sound, rate = decode(content, name)
    if float(np.mean(np.abs(sound) >= 0.999)) > _CLIPPED:
        raise Unusable(f"{name}: too loud, it rasps: hold the phone further away and record it again")
    speech = trim(sound - float(np.mean(sound)), rate)
    if not len(speech):
        raise Unusable(f"{name}: nothing can be heard in it: check the microphone and record it again")
    seconds, letters = len(speech) / rate, len(re.findall(r"[^\W_]", text))
    if seconds > letters / _SLOWEST + _SLACK_S:
        raise Unusable(f"{name}: {seconds:.1f} s is too long for “{text}”: is it the right number, and nothing else?")
    if seconds < letters / _FASTEST:
        raise Unusable(f"{name}: {seconds:.1f} s is too short for “{text}”: is it the right number, and not cut off?")
    return for_telephone(speech, rate)


def decode(content: bytes, name: str) -> tuple[NDArray[np.float32], int]:
    """Samples between -1 and 1, of one channel, and their rate in hertz. Raises Unusable."""
    import soundfile

    try:
        sound, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError):
        kind = Path(name).suffix.lstrip(".").lower()
        why = f"{kind} files cannot be read here" if kind in _PHONES else "it is damaged or no sound"
        raise Unusable(
            f"{name}: {why}. Save it as WAV, FLAC, OGG or MP3, for instance with "
            f"`ffmpeg -i {name} {Path(name).stem}.wav`, or record it on the page /console/recording"
        ) from None
    if not len(sound) or not np.isfinite(sound).all() or rate < RATE:
        raise Unusable(f"{name}: at {rate} samples a second it is no recording that a telephone could play")
    return sound.mean(axis=1, dtype=np.float32), int(rate)


def trim(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Without the silence, or the room, before and behind the speech. Empty where there is no speech."""
    frame = max(1, int(_FRAME_S * rate))
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    levels = np.sqrt(np.mean(np.square(frames), axis=1)) if len(frames) else np.zeros(0)
    if not len(levels) or float(levels.max()) < _LEAST_PEAK:
        return sound[:0]
    peak, noise = (20 * np.log10(max(float(np.percentile(levels, share)), 1e-9)) for share in (98, 10))
    limit = max(peak - _BELOW_PEAK_DB, min(noise + _ABOVE_NOISE_DB, peak - _ABOVE_NOISE_DB))
    loud = np.flatnonzero(20 * np.log10(np.maximum(levels, 1e-9)) > limit)
    margin = int(_MARGIN_S * rate)
    return sound[max(0, int(loud[0]) * frame - margin) : (int(loud[-1]) + 1) * frame + margin]
