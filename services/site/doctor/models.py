"""Do the models and voices still do what they did when they were released?"""

from __future__ import annotations

from collections.abc import Iterator

from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, warning
from services.updates import installed
from services.updates.installed import MODELS
from services.updates.trial import TrialFailed, try_out
from voices import LANGUAGES

_AGAIN = "install Jicho again over this one; `python app.py screen` on a drawn eye shows whether it helped"


def models(site: Runtime) -> Iterator[Finding]:
    """Every tier of each programme: its hash, and what it makes of its golden cases."""
    for programme in site.settings.programmes:
        folder = installed.folders(site.settings.models_dir, programme, MODELS)[0]
        try:
            try_out("models", folder, programme, {})
        except TrialFailed as error:
            if folder == MODELS:
                yield broken(f"the models of {programme} cannot be used: {error}", _AGAIN)
            else:
                yield warning(
                    f"the models of {programme} from the hub cannot be used: {error}", "older ones serve instead"
                )
        else:
            yield fine(f"the models of {programme} are whole and read their golden cases as they did when released")


def voices(site: Runtime) -> Iterator[Finding]:
    """A word in each language."""
    from services.speech.installed import voice_of
    from services.speech.say import Piece, SpeechError, speak

    for language in LANGUAGES:
        try:
            voice_of(language, site.settings.voices_dir)
            seconds = speak(
                language, [Piece(_WORDS[language])], cache_dir=None, voices_dir=site.settings.voices_dir
            ).seconds
        except (SpeechError, ValueError, OSError) as error:
            yield broken(
                f"nothing can be said in {language}: {error}", f"`python app.py voices use own --language {language}`"
            )
        else:
            yield fine(f"{language} speaks ({seconds:.1f} s)")


_WORDS = {"en": "Ready.", "sw": "Tayari.", "luo": "Oseikore."}
