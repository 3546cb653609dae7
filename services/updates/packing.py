"""Files made smaller for the way: zstd, and zstd with an older file as its dictionary (what `zstd --patch-from` does).

A patch holds what the older file does not: retrained weights share nothing with those before them, an unchanged layer
costs some bytes.
"""

from __future__ import annotations

from pathlib import Path

import zstandard

LARGEST_BASE = 32 * 2**20
"""No patches to larger files: unpacking one takes the memory of the old file and twice that of both, which a clinic's
server has for a model and not for a voice of 60 MB."""
_LEVEL = 19
_SMALLEST_WINDOW_LOG, _LARGEST_WINDOW_LOG = 17, 27  # 128 KiB and 128 MiB
_BLOCK = 256 * 1024


class BadPacking(Exception):
    """What was fetched does not unpack to what was signed."""


def pack(content: bytes, base: bytes | None = None) -> bytes:
    """`content` packed, with `base` as the dictionary if there is one. The same input gives the same bytes."""
    reach = (len(content) + len(base or b"")).bit_length()  # so far back that all of both is in sight
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        window_log=min(max(reach, _SMALLEST_WINDOW_LOG), _LARGEST_WINDOW_LOG),
        enable_ldm=base is not None,
    )
    dictionary = None if base is None else _dictionary(base)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary).compress(content)


def unpack(packed: Path, out: Path, size: int, base: bytes | None = None) -> None:
    """Writes what `packed` holds to `out`. Raises BadPacking: it holds more or less than `size` bytes, or nothing that
    zstd can read with this `base`; `out` may then hold a part. Raises OSError."""
    decompressor = zstandard.ZstdDecompressor(
        dict_data=None if base is None else _dictionary(base), max_window_size=2**_LARGEST_WINDOW_LOG
    )
    written = 0
    try:
        with packed.open("rb") as source, decompressor.stream_reader(source) as reader, out.open("wb") as target:
            while block := reader.read(_BLOCK):
                written += len(block)
                if written > size:
                    raise BadPacking(f"{packed.name}: holds more than the {size} bytes that were signed")
                target.write(block)
    except zstandard.ZstdError as error:
        raise BadPacking(f"{packed.name}: {error}") from error
    if written != size:
        raise BadPacking(f"{packed.name}: holds {written} bytes, {size} were signed")


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
