"""How each language is spoken: which Piper voice, and how its writing becomes sounds that the voice was trained on.

A new language is one folder here with a `VOICE`, and one catalogue in `flows/locale`.
"""

from __future__ import annotations

from importlib import import_module

from voices.voice import Voice

LANGUAGES = ("en", "sw", "luo")


def voice_for(language: str) -> Voice:
    """The voice of a language. Raises KeyError for one that has none."""
    if language not in LANGUAGES:
        raise KeyError(language)
    found = import_module(f"voices.{language}").VOICE
    assert isinstance(found, Voice)
    return found
