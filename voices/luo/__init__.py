"""Dholuo: its own grapheme-to-phoneme rules, spoken by an English voice. No listener has judged it yet."""

from __future__ import annotations

from voices.luo.g2p import VOICE_SYMBOLS, ipa_of_text
from voices.voice import Voice, remap


def phonemes(text: str) -> list[str]:
    """The symbols of each sentence."""
    return [remap(sentence, VOICE_SYMBOLS).replace("T", "θ").replace("D", "ð") for sentence in ipa_of_text(text)]


VOICE = Voice("luo", "2", phonemes)
