"""A photograph came: whose eye is it? Asks only what its caption did not say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.conversation import Caller, Do, Flow, Journal, Tell
from flows.questions import Choice, Code
from services import programmes
from services.screening.asking import ask_about
from services.screening.cases import attach_photo
from services.settings import current

_TRIES = 3
Captioned = Sequence[Any]
"""`[photo id, code or None, eye or None]`"""


def photograph(caller: Caller, photos: Sequence[Captioned]) -> Flow:
    """Attaches each photograph to a screening and an eye. A code that was typed serves those behind it too. Who is no
    health worker is asked first what they show, where they may be of no case."""
    others = [each.name for each in programmes.questions(current())]
    if others and not caller.worker and not any(code for _, code, _ in photos):
        of_cases = [each.name for each in programmes.cases(current())]
        shown = yield Choice("ask-photo-of", keys=(*of_cases, *others), labels="menu-photo")
        if shown in others:
            return (yield from photograph_asked(caller, [photo_id for photo_id, _, _ in photos], shown))
    typed: str | None = None
    told = Tell("photo-none")
    for number, (photo_id, code, eye) in enumerate(photos, 1):
        which = Tell("photo-which", {"number": number, "count": len(photos)})
        code = code or typed
        for _ in range(_TRIES):
            if len(photos) > 1 and not (code and eye):
                yield which
            if code is None:
                code = typed = yield Code("ask-photo-code")
            if eye is None:
                eye = yield Choice("ask-eye", keys=("left", "right"), labels="eye", params={"code": code})
            found = yield Do(attach_photo, photo_id=photo_id, code=code, eye=eye, sender=caller.msisdn)
            if found["state"] != "unknown":
                break
            code = typed = None
            yield Tell("code-unknown")
        else:
            return Tell("photo-code-help")
        told = Tell(f"photo-{found['state']}", {"code": code, "eye": f"eye-{eye}"}, private=True)
        if found["state"] == "locked":
            return told
        if number < len(photos):
            yield told
    return told


def photograph_asked(caller: Caller, photos: Sequence[int], programme: str) -> Flow:
    """Asks what each photograph shows; whoever sent them is told on the channel that they came by."""
    language = caller.language or current().language
    state = "none"
    for photo_id in photos:
        asked = yield Do(ask_about, photo_id=photo_id, programme=programme, sender=caller.msisdn, language=language)
        state = asked["state"]
    return Tell("question-queued" if state == "queued" else f"photo-{state}")


def unplaced(photos: Sequence[Captioned], journal: Journal) -> list[Captioned]:
    """The photographs that this conversation has not attached yet."""
    placed = [entry for entry in journal if entry[1] == attach_photo.__name__ and entry[2]["state"] != "unknown"]
    return list(photos[len(placed) :])
