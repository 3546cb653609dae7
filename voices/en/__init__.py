"""English: the voice's own language."""

from __future__ import annotations

import re

from voices.voice import Voice, espeak, respell


def phonemes(text: str) -> list[str]:
    """espeak-ng's American English, which the voice was trained on."""
    # Kenyan names: espeak would spell the n of ng' and begin anew behind the apostrophe.
    plain = re.sub(r"(?i)(?<=n)g'(?=[aeiouw])", "g", respell(text, {}))
    # espeak marks a linking glide (ʲ) that the voice was not trained on; English is clear without it.
    return [sentence.replace("ʲ", "") for sentence in espeak("en-us", plain)]


VOICE = Voice("en", "1", phonemes, length_scale=1.1)
