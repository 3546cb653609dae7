"""Voice notes: what a call would say, as a file for a messenger."""

from __future__ import annotations

from collections.abc import Sequence

from flows.render_voice import Utterance
from services.calls.saying import say
from services.runtime import Runtime


def voice_note(site: Runtime, language: str, utterances: Sequence[Utterance]) -> bytes:
    """The utterances as one Ogg Opus file, as `Outbound.audio` takes it. For a worker's job: it loads the voice.

    What is private in it is kept nowhere. Raises SpeechError.
    """
    # A messenger plays from the first sample: only calls need a silence in front.
    return say(site.settings, language, utterances, lead_s=0).opus()
