"""What a caption says: "482913 left", "jicho la kushoto 482913", "482 913 R"."""

from __future__ import annotations

import re

from services.screening import codes

# English, Kiswahili, Dholuo, and the Latin abbreviations of eye clinics (oculus dexter, oculus sinister).
_EYES = {
    "left": ("left", "l", "os", "kushoto", "koracham", "racham"),
    "right": ("right", "r", "od", "kulia", "korachwich", "rachwich"),
}
_WORDS = {word: eye for eye, words in _EYES.items() for word in words}


def read_caption(caption: str) -> tuple[str | None, str | None]:
    """`(code, eye)`; None for what is missing, mistyped or contradictory."""
    found = [code for piece in re.findall(r"\d[\d\s.-]*\d", caption) if (code := codes.clean(piece))]
    eyes = {_WORDS[word] for word in re.findall(r"[a-z]+", caption.casefold()) if word in _WORDS}
    return (found[0] if len(set(found)) == 1 else None), (eyes.pop() if len(eyes) == 1 else None)
