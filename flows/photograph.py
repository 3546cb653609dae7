"""A photograph came: whose eye is it? Asks only what its caption did not say."""

from __future__ import annotations

from collections.abc import Sequence

from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Choice, Code
from services.screening.cases import attach_photo

_TRIES = 3


def photograph(caller: Caller, photos: Sequence[int], code: str | None = None, eye: str | None = None) -> Flow:
    """Attaches each photograph of `photos` to a screening and an eye. Later ones belong to the same screening."""
    told = Tell("photo-none")
    for number, photo_id in enumerate(photos):
        this_eye = eye if number == 0 else None
        for _ in range(_TRIES):
            if code is None:
                code = yield Code("ask-photo-code")
            if this_eye is None:
                this_eye = yield Choice("ask-eye", keys=("left", "right"), labels="eye", params={"code": code})
            found = yield Do(attach_photo, photo_id=photo_id, code=code, eye=this_eye, sender=caller.msisdn)
            if found["state"] != "unknown":
                break
            code = None
            yield Tell("code-unknown")
        else:
            return Tell("code-help")
        told = Tell(f"photo-{found['state']}", {"code": code, "eye": f"eye-{this_eye}"}, private=True)
        if number + 1 < len(photos):
            yield told
    return told
