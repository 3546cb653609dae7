"""English: the voice's own language."""

from __future__ import annotations

from voices.voice import Voice, espeak


def phonemes(text: str) -> list[str]:
    """espeak-ng's American English, which the voice was trained on."""
    # espeak marks a linking glide (ʲ) that the voice was not trained on; English is clear without it.
    return [sentence.replace("ʲ", "") for sentence in espeak("en-us", text)]


VOICE = Voice("en", "1", phonemes, length_scale=1.1)
