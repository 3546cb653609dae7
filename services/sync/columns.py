"""Columns of whole numbers in as few bits as they need.

A batch has fifty rows: too few for a general compressor, which would spend as much on what it learns as it saves. So a
column is written with a range coder (Martin 1979) whose chances begin with numbers that are typical of the column and
then follow those that went before: what is always the same costs nearly nothing. A number is written as its sign, its
magnitude, which is the number of its binary digits, the first of these digits, and then the others as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise, repeat

LARGEST = 2**63 - 1
"""The largest number that a column holds, of either sign."""

_TOP, _NARROW = 32, 1 << 24  # the coder's range: its bits at first, and below what it is widened
_MAGNITUDE_BITS = 6
_LEARNT_DIGITS = 2
_RAW_BITS = 16  # digits written at once: the range must stay wider than they are
# How many times sooner than after Krichevsky and Trofimov (1981) a chance follows what it sees: rows are few and alike.
_EAGER = 4
_SPARE_BYTES = 4  # the writer leaves zeros at the end out

Typical = Mapping[int, tuple[int, ...]]
"""For rows that are alike, the numbers that count as seen before the first."""

_NOTHING: Typical = {}
Chances = dict[int, list[int]]
"""For each place in the tree of signs, magnitudes and digits, how often it went on with 0 and with 1."""


class ColumnError(Exception):
    """The bits end too early, or say what no writer says."""


class Writer:
    """Puts columns behind each other."""

    def __init__(self) -> None:
        self._low, self._range, self._shifted = 0, (1 << _TOP) - 1, 0

    def column(self, values: Sequence[int], typical: Typical = _NOTHING, alike: Sequence[int] | None = None) -> None:
        """Whole numbers, as many as the reader will ask for, with the same `typical` ones. Rows with the same number in
        `alike` are learnt from each other. Raises ValueError for a number that is too large."""
        chances = _Groups(typical)
        for value, group in zip(values, alike or repeat(0, len(values)), strict=True):
            self._number(value, chances[group])

    def steps(self, values: Sequence[int], typical: Typical = _NOTHING) -> None:
        """Numbers that lie near each other: the first, and from each to the next, which has `typical` values."""
        self.column(values[:1])
        self.column([after - before for before, after in pairwise(values)], typical)

    def to_bytes(self) -> bytes:
        """All of it, in whole bytes."""
        # Any number inside the range will do: the one with the most zeros at its end, which are left out.
        shift = self._range.bit_length() - 1
        value = (self._low + (1 << shift) - 1) >> shift << shift
        whole = value.to_bytes(self._shifted + _TOP // 8 + 1, "big")[1:]
        return whole[: max(len(whole) - _SPARE_BYTES, len(whole.rstrip(b"\0")))]

    def _number(self, value: int, chances: Chances) -> None:
        learnt, rest, width = _parts(value)
        node = 1
        for bit in learnt:
            self._bit(bit, chances[node])
            node = node << 1 | bit
        while width > 0:
            taken = min(width, _RAW_BITS)
            width -= taken
            self._range >>= taken
            self._low += (rest >> width & (1 << taken) - 1) * self._range
            self._widen()

    def _bit(self, bit: int, seen: list[int]) -> None:
        split = _split(self._range, seen)
        if bit:
            self._low += split
            self._range -= split
        else:
            self._range = split
        seen[bit] += 1
        if self._range < _NARROW:
            self._widen()

    def _widen(self) -> None:
        while self._range < _NARROW:
            self._low, self._range, self._shifted = self._low << 8, self._range << 8, self._shifted + 1


class Reader:
    """Takes out again what a Writer put in. Every method raises ColumnError."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._range, self._value = (1 << _TOP) - 1, 0
        for _ in range(_TOP // 8):
            self._value = self._value << 8 | self._byte()

    def column(self, count: int, typical: Typical = _NOTHING, alike: Sequence[int] | None = None) -> list[int]:
        """A column of `count` numbers. `count` is for the caller to bound: equal numbers need hardly any bytes."""
        chances = _Groups(typical)
        return [self._number(chances[group]) for group in alike or repeat(0, count)]

    def steps(self, count: int, typical: Typical = _NOTHING) -> list[int]:
        """`count` numbers that were written as steps."""
        first = self.column(min(count, 1))
        return list(accumulate(first + self.column(max(count - 1, 0), typical)))

    def _number(self, chances: Chances) -> int:
        node = 1
        for _ in range(1 + _MAGNITUDE_BITS):
            node = node << 1 | self._bit(chances[node])
        negative = node >> _MAGNITUDE_BITS & 1
        magnitude = width = node & (1 << _MAGNITUDE_BITS) - 1
        value = 1
        while width > max(0, magnitude - _LEARNT_DIGITS):
            bit = self._bit(chances[node])
            node, value, width = node << 1 | bit, value << 1 | bit, width - 1
        while width > 0:
            taken = min(width, _RAW_BITS)
            width -= taken
            value = value << taken | self._digits(taken)
        return 1 - value if negative else value - 1

    def _bit(self, seen: list[int]) -> int:
        split = _split(self._range, seen)
        bit = int(self._value >= split)
        if bit:
            self._value -= split
            self._range -= split
        else:
            self._range = split
        seen[bit] += 1
        if self._range < _NARROW:
            self._widen()
        return bit

    def _digits(self, width: int) -> int:
        self._range >>= width
        found = self._value // self._range
        if found >> width:
            raise ColumnError("bits that no writer writes")
        self._value -= found * self._range
        self._widen()
        return found

    def _widen(self) -> None:
        while self._range < _NARROW:
            self._range <<= 8
            self._value = self._value << 8 | self._byte()

    def _byte(self) -> int:
        at = self._at
        self._at += 1
        if at < len(self._data):
            return self._data[at]
        if at >= len(self._data) + _SPARE_BYTES:
            raise ColumnError("the bits end too early")
        return 0


def _parts(value: int) -> tuple[list[int], int, int]:
    """Of a number the bits that are written by chances, and the rest with its width."""
    size = abs(value) + 1
    if size > LARGEST:
        raise ValueError(f"{value} does not fit a column")
    magnitude = size.bit_length() - 1
    learnt = [int(value < 0), *(magnitude >> place & 1 for place in reversed(range(_MAGNITUDE_BITS)))]
    width = max(0, magnitude - _LEARNT_DIGITS)
    learnt += [size >> place & 1 for place in reversed(range(width, magnitude))]
    return learnt, size & (1 << width) - 1, width


class _Groups(dict[int, Chances]):
    """The chances of each group of rows, from its typical numbers on."""

    def __init__(self, typical: Typical) -> None:
        super().__init__()
        self._typical = typical

    def __missing__(self, group: int) -> Chances:
        begun = _begin(self._typical.get(group, ()))
        self[group] = defaultdict(_unseen, {node: [*seen] for node, seen in begun.items()})
        return self[group]


@lru_cache(maxsize=64)
def _begin(typical: tuple[int, ...]) -> Chances:
    chances: Chances = defaultdict(_unseen)
    for value in typical:
        node = 1
        for bit in _parts(value)[0]:
            chances[node][bit] += 1
            node = node << 1 | bit
    return chances


def _unseen() -> list[int]:
    return [0, 0]


def _split(width: int, seen: list[int]) -> int:
    """Where a range is split between 0 and 1: never at an end, so that both stay possible."""
    zeros, ones = seen
    return width * (_EAGER * zeros + 1) // (_EAGER * (zeros + ones) + 2)
