"""Sound for a telephone: 8 kHz, one channel, equal loudness, and the formats that carriers take."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.speech.timing import LEAD_S, RATE

Samples = NDArray[np.int16]
_LOUDNESS = 0.09  # root mean square of full scale, about -21 dBFS
_KNEE, _CEILING = 0.7, 0.95
_FADE_S = 0.005


@dataclass(frozen=True)
class Audio:
    """`samples` are 16-bit, mono, at `rate` hertz."""

    samples: Samples
    rate: int = RATE

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def wav(self) -> bytes:
        """16-bit PCM WAV."""
        return self._encoded("WAV", "PCM_16")

    def mulaw(self) -> bytes:
        """µ-law WAV, half the size: what telephone networks carry."""
        return self._encoded("WAV", "ULAW")

    def headerless(self, form: Literal["wav", "mulaw", "mp3"]) -> bytes:
        """PCM, µ-law or MP3 frames alone, to be put together with others."""
        if form == "mp3":
            return self.mp3()
        return self._encoded("RAW", "ULAW" if form == "mulaw" else "PCM_16")

    def opus(self) -> bytes:
        """Ogg Opus, as WhatsApp voice notes are."""
        return self._encoded("OGG", "OPUS")

    def mp3(self) -> bytes:
        """MP3 at 16 kbit/s."""
        import lameenc

        encoder = lameenc.Encoder()
        encoder.set_bit_rate(16)
        encoder.set_in_sample_rate(self.rate)
        encoder.set_channels(1)
        encoder.set_quality(5)
        encoder.silence()
        return bytes(encoder.encode(self.samples.tobytes()) + encoder.flush())

    def _encoded(self, container: Literal["WAV", "OGG", "RAW"], subtype: str) -> bytes:
        import soundfile

        file = io.BytesIO()
        soundfile.write(file, self.samples, self.rate, format=container, subtype=subtype)
        return file.getvalue()


def for_telephone(sound: NDArray[np.float32], rate: int) -> Samples:
    """Resamples to 8 kHz and brings speech to one loudness. `sound` is between -1 and 1."""
    import soxr

    narrow = soxr.resample(sound.astype(np.float32), rate, RATE)
    loud = float(np.sqrt(np.mean(np.square(narrow)))) if len(narrow) else 0.0
    if loud > 0:
        narrow = narrow * (_LOUDNESS / loud)
        # The few loudest moments are bent, not the whole message made quiet for their sake.
        narrow = _bent(narrow)
    fade = min(int(_FADE_S * RATE), len(narrow) // 2)
    if fade:
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        narrow[:fade] *= ramp
        narrow[-fade:] *= ramp[::-1]
    samples: Samples = (np.clip(narrow, -1, 1) * 32767).astype(np.int16)
    return samples


def _bent(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Levels above the knee approach the ceiling smoothly, so that nothing clips."""
    room = _CEILING - _KNEE
    over = np.maximum(np.abs(sound) - _KNEE, 0)
    bent = np.minimum(np.abs(sound), _KNEE) + room * np.tanh(over / room)
    return np.asarray(np.sign(sound) * bent, np.float32)


def join(sounds: Sequence[tuple[Samples, float]], *, lead_s: float = LEAD_S) -> Audio:
    """One message: a leading silence, then each sound followed by its own silence, in seconds."""
    parts = [_silence(lead_s)]
    for samples, pause in sounds:
        parts += [samples, _silence(pause)]
    return Audio(np.concatenate(parts))


def _silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)
