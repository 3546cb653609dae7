"""What is packed comes out the same; what does not is refused within the bytes that were signed."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.updates.packing import BadPacking, pack, unpack


def unpacked(folder: Path, packed: bytes, size: int, base: bytes | None = None) -> bytes:
    (folder / "packed").write_bytes(packed)
    unpack(folder / "packed", folder / "out", size, base)
    return (folder / "out").read_bytes()


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=5000), base=st.none() | st.binary(min_size=1, max_size=5000))
def test_it_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, base: bytes | None
) -> None:
    folder = tmp_path_factory.mktemp("packing")
    packed = pack(content, base)
    assert packed == pack(content, base)
    assert unpacked(folder, packed, len(content), base) == content


def test_a_patch_holds_only_what_is_new(tmp_path: Path) -> None:
    old = random.Random(1).randbytes(600_000)
    new = old[:590_000] + random.Random(2).randbytes(10_000)
    assert len(pack(new)) > 600_000, "weights hardly pack"
    patch = pack(new, old)
    assert len(patch) < 10_500
    assert unpacked(tmp_path, patch, len(new), old) == new


@pytest.mark.parametrize(
    ("packed", "size", "said"),
    [
        (pack(b"a" * 10_000_000), 100, "more than the 100 bytes"),
        (pack(b"abc"), 4, "holds 3 bytes, 4 were signed"),
        (b"no zstd at all", 4, "Unknown frame"),
        (pack(b"abc" * 1000)[:-3], 3000, "bytes"),
        (b"", 3, "holds 0 bytes"),
    ],
)
def test_what_is_not_as_signed_is_refused(tmp_path: Path, packed: bytes, size: int, said: str) -> None:
    with pytest.raises(BadPacking, match=said):
        unpacked(tmp_path, packed, size)
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size <= 300_000


def test_another_base_is_noticed(tmp_path: Path) -> None:
    old, other = random.Random(1).randbytes(50_000), random.Random(3).randbytes(50_000)
    patch = pack(old[:-1] + b"!", old)
    with suppress(BadPacking):
        assert unpacked(tmp_path, patch, len(old), other) != old, "then the hash of the file says it"
