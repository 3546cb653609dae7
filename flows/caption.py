"""What a caption says: "482913 left", "jicho la kushoto 482913", "482 913 R"; or "maize"."""

from __future__ import annotations

import re

from services import programmes
from services.screening import codes
from services.settings import current

# English, Kiswahili, Dholuo, and the Latin abbreviations of eye clinics (oculus dexter, oculus sinister).
_EYES = {
    "left": ("left", "l", "le", "os", "kushoto", "koracham", "racham", "acham"),
    "right": ("right", "r", "od", "kulia", "korachwich", "rachwich", "achwich"),
}
_WORDS = {word: eye for eye, words in _EYES.items() for word in words}
_GROUPED = re.compile(r"(?<!\d)\d{3}[\s.-]\d{3}(?!\d)|(?<!\d)\d{6}(?!\d)", re.ASCII)


def read_caption(caption: str) -> tuple[str | None, str | None]:
    """`(code, eye)`; None for what is missing, mistyped or contradictory."""
    found = {code for piece in _GROUPED.findall(caption) if (code := codes.clean(piece))}
    eyes = {_WORDS[word] for word in re.findall(r"[a-z]+", caption.casefold()) if word in _WORDS}
    return (found.pop() if len(found) == 1 else None), (eyes.pop() if len(eyes) == 1 else None)


def read_programme(caption: str) -> tuple[str, str] | None:
    """The programme that a word of the caption asks for, and the language of that word; None where none or several
    are."""
    words = re.findall(r"[^\W\d_]+", caption.casefold())
    found = {(called.name, called.words[word]) for word in words if (called := programmes.called(word, current()))}
    return next(iter(found)) if len({name for name, _ in found}) == 1 else None
