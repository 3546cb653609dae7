"""SMS text that stays in GSM-7. One character outside it turns 160 characters a part into 70 and doubles the price."""

from __future__ import annotations

import unicodedata

import smsutil

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u02bb\u00b4`\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f\t", " "),
        "\u2026": "...",
        "\u2022": "-",
        "\u00b0": " deg",
        "\u014b": "ng'",
        "\u014a": "Ng'",
        "\x1b": "",  # the table's own switch to its extension
    }
)
_UNSEEN = ("Mn", "Me", "Cf", "Cc", "Cs")  # marks on the letter before, joiners, controls


def normalise(text: str) -> str:
    """The same words in GSM-7. What has no place there, such as an emoji, becomes a question mark."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return "".join(letter if smsutil.is_valid_gsm(letter) else _nearest(letter) for letter in plain)


def _nearest(letter: str) -> str:
    if unicodedata.category(letter) in _UNSEEN:
        return ""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if smsutil.is_valid_gsm(part)) or "?"


def parts(text: str) -> int:
    """How many SMS a text is, and so what it costs."""
    return len(smsutil.split(text).parts)
