"""Clips put together into one sound to play, without decoding anything: the gateway does this at each step of a call.

A clip is stored without a header, in the form that calls are served in: 16-bit PCM, µ-law, or MP3 frames, all 8 kHz,
one channel, and ends with the pause that follows its sentence.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from services.speech.timing import LEAD_S, RATE
from services.store.files import is_sealed, opened
from services.store.keyring import site_keys

Form = Literal["wav", "mulaw", "mp3"]
TYPES: dict[Form, tuple[str, str]] = {
    # form: file ending, MIME type
    "wav": ("wav", "audio/wav"),
    "mulaw": ("wav", "audio/wav"),
    "mp3": ("mp3", "audio/mpeg"),
}
_PCM, _MULAW = 1, 7  # format tags of RIFF WAVE, RFC 2361
# One frame of MPEG-2.5 layer III at 16 kbit/s and 8 kHz, mono: 576 samples. All-zero side information is silence.
_SILENT_FRAME = bytes.fromhex("ffe328c4") + bytes(140)
_FRAME_S = 576 / RATE


def joined(paths: Sequence[Path], form: Form) -> bytes:
    """One file: the leading silence, then clip after clip. Raises OSError (a clip is not there)."""
    sound = b"".join(map(_read, paths))
    if form == "mp3":
        return _SILENT_FRAME * round(LEAD_S / _FRAME_S) + sound
    lead = int(LEAD_S * RATE)
    if form == "mulaw":
        return _wav(b"\xff" * lead + sound, _MULAW, bits=8)
    return _wav(bytes(2 * lead) + sound, _PCM, bits=16)


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    # What is said in one call alone is sealed.
    return opened(content, path.name, site_keys()) if is_sealed(content) else content


def _wav(samples: bytes, tag: int, *, bits: int) -> bytes:
    width = bits // 8
    form = struct.pack("<HHIIHH", tag, 1, RATE, RATE * width, width, bits)
    # What is not PCM says that it has no extension, and how many samples there are.
    form += b"" if tag == _PCM else struct.pack("<H", 0)
    chunks = _chunk(b"fmt ", form)
    chunks += b"" if tag == _PCM else _chunk(b"fact", struct.pack("<I", len(samples)))
    return _chunk(b"RIFF", b"WAVE" + chunks + _chunk(b"data", samples))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
