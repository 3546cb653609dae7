"""SMS text as SMPP carries it: letters to octets and back, parts with a header.

Alphabet and extension: 3GPP TS 23.038, 6.2.1; a part's header: TS 23.040, 9.2.3.24. SMPP carries a septet an octet.
"""

from __future__ import annotations

from dataclasses import dataclass

import smsutil

_GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_OCTETS = {letter: bytes([place]) for place, letter in enumerate(_GSM7) if place != _ESCAPE} | {
    letter: bytes([_ESCAPE, place]) for place, letter in _EXTENSION.items()
}
DEFAULT, ASCII, LATIN1, UCS2 = 0, 1, 3, 8
_ROOM = {LATIN1: (140, 134), UCS2: (70, 67)}
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08


def encode_gsm7(text: str) -> bytes:
    """Raises KeyError for a letter that has no place in GSM-7."""
    return b"".join(_OCTETS[letter] for letter in text)


def decode_gsm7(octets: bytes) -> str:
    """What has no place becomes a question mark; an escape before nothing known is a space (TS 23.038)."""
    found, escaped = [], False
    for octet in octets:
        if escaped:
            found.append(_EXTENSION.get(octet, " "))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            found.append(_GSM7[octet] if octet < len(_GSM7) else "?")
    return "".join(found)


def encode(text: str, alphabet: str) -> tuple[int, list[bytes]]:
    """Data coding, and the octets of each part without a header. `text` is in GSM-7, as `gsm7.normalise` makes it."""
    if alphabet == "gsm7":
        return DEFAULT, [encode_gsm7(part.content) for part in smsutil.split(text).parts]
    coding, name = (LATIN1, "latin-1") if alphabet == "latin1" else (UCS2, "utf-16-be")
    alone, each = _ROOM[coding]
    pieces = [text] if len(text) <= alone else [text[start : start + each] for start in range(0, len(text), each)]
    return coding, [piece.encode(name, "replace") for piece in pieces]


def header(reference: int, of: int, number: int) -> bytes:
    """Before each part of a long message."""
    return bytes([5, _CONCATENATED_8, 3, reference % 256, of, number])


def decode(octets: bytes, coding: int, alphabet: str) -> str | None:
    """None for what is no text. Never raises."""
    if coding == UCS2:
        return octets.decode("utf-16-be", "replace")
    if coding == LATIN1 or (coding == DEFAULT and alphabet == "latin1"):
        return octets.decode("latin-1")
    if coding == ASCII:
        return octets.decode("ascii", "replace").replace("\ufffd", "?")
    return None if coding in (2, 4, 9, 10, 13, 14) else decode_gsm7(octets)


@dataclass(frozen=True)
class Part:
    """Where a part belongs. One that is alone has `of` 1."""

    reference: int = 0
    number: int = 1
    of: int = 1


def split_header(octets: bytes) -> tuple[Part, bytes]:
    """The header of a part, and what follows it. A header that makes no sense is none. Never raises."""
    end = 1 + octets[0] if octets else 0
    if not 0 < end <= len(octets):
        return Part(), octets
    place, found = 1, Part()
    while place + 2 <= end:
        element, length = octets[place], octets[place + 1]
        value = octets[place + 2 : place + 2 + length]
        if len(value) < length or place + 2 + length > end:
            break
        if (element, length) in ((_CONCATENATED_8, 3), (_CONCATENATED_16, 4)):
            reference, of, number = int.from_bytes(value[:-2]), value[-2], value[-1]
            found = Part(reference, number, of) if 1 <= number <= of else Part()
        place += 2 + length
    return found, octets[end:]
