"""Which phoneme symbols a Piper voice learned.

All Piper voices share one symbol table, but a symbol that never occurred in a voice's recordings keeps its random
initial embedding, shrunk by weight decay, and sounds like noise. The norms tell them apart, and each voice shows its
own limit: the table has rows that no symbol points to, which were surely never trained.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Standard deviations that no gap between untrained norms reaches by chance: in `joe` theirs is 0.016, no two of them
# lie 0.01 apart, and the first trained one lies 0.10 above the last.
_CLEAR = 3.0
_CLEAR_RATIO = 1.1
_ENOUGH = 8

# Field numbers of onnx.proto: ModelProto.graph, GraphProto.{node, initializer}, NodeProto.{input, output},
# TensorProto.{dims, name, raw_data}.
_GRAPH, _NODE, _INITIALIZER, _INPUT, _OUTPUT, _DIMS, _NAME, _RAW = 7, 1, 5, 1, 2, 1, 8, 9
# What the encoder's look-up of symbols is called in every exported Piper voice; its table's own name varies.
_LOOK_UP = b"/enc_p/emb/Gather_output_0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Span = tuple[int, int, int]


def trained_symbols(model: Path, symbol_ids: Mapping[str, Sequence[int]]) -> frozenset[str]:
    """The symbols of `symbol_ids` (symbol → ids) whose every id was trained.

    Raises ValueError: not a Piper model, or its norms do not tell.
    """
    norms = np.linalg.norm(embedding(model), axis=1)
    used = sorted({each for ids in symbol_ids.values() for each in ids if each < len(norms)})
    limit = least_trained(norms, np.delete(norms, used))
    return frozenset(
        symbol
        for symbol, ids in symbol_ids.items()
        if ids and max(ids) < len(norms) and all(norms[each] >= limit for each in ids)
    )


def least_trained(norms: NDArray[np.float32], free: NDArray[np.float32]) -> float:
    """The least norm of a trained symbol: the one above the first clear gap over the `free` rows, which were never
    trained. Where a table has no such rows, the one above the first step of a tenth. Raises ValueError when there is
    neither.
    """
    ordered = np.sort(norms)
    lower, upper = ordered[:-1], ordered[1:]
    if len(free) >= _ENOUGH:
        # Medians, since a configuration that leaves a symbol out leaves a trained row free.
        middle = float(np.median(free))
        deviation = 1.4826 * float(np.median(np.abs(free - middle)))
        clear = (lower >= middle) & (upper - lower > _CLEAR * deviation)
    else:
        clear = (upper >= _CLEAR_RATIO * lower) & (np.arange(len(lower)) >= len(lower) // 10)
    if not clear.any():
        raise ValueError("the norms of this voice's symbols do not tell which of them it learned")
    return float(upper[int(np.argmax(clear))])


def embedding(model: Path) -> NDArray[np.float32]:
    """The phoneme embedding of a Piper model, shape (symbols, channels).

    Read from the ONNX file's own fields, since ONNX Runtime does not hand out weights and the `onnx` package would be
    needed for this alone.
    """
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _, start, end = next((span for span in _fields(data, 0, len(data)) if span[0] == _GRAPH), (0, 0, 0))
        spans = list(_fields(data, start, end))
        table = next(
            (_first(data, node, _INPUT) for node in _messages(data, spans, _NODE) if _looks_up(data, node)), b""
        )
        for tensor in _messages(data, spans, _INITIALIZER):
            if table and _first(data, tensor, _NAME) == table:
                return _tensor(data, tensor)
    raise ValueError(f"{model.name}: no phoneme embedding, so this is no Piper voice")


def _looks_up(data: mmap.mmap, node: Sequence[Span]) -> bool:
    return _first(data, node, _OUTPUT) == _LOOK_UP


def _messages(data: mmap.mmap, spans: Sequence[Span], wanted: int) -> Iterator[list[Span]]:
    """The fields of each submessage of one kind."""
    for number, start, end in spans:
        if number == wanted:
            yield list(_fields(data, start, end))


def _first(data: mmap.mmap, spans: Sequence[Span], wanted: int) -> bytes:
    return next((data[start:end] for number, start, end in spans if number == wanted), b"")


def _tensor(data: mmap.mmap, fields: Sequence[Span]) -> NDArray[np.float32]:
    """A float tensor's values, from the places of its fields."""
    dims: list[int] = []
    raw = b""
    for number, start, end in fields:
        if number == _RAW:
            raw = data[start:end]
        elif number == _DIMS:
            while start < end:
                value, start = _varint(data, start)
                dims.append(value)
    return np.frombuffer(raw, dtype="<f4").reshape(dims)


def _fields(data: mmap.mmap, position: int, end: int) -> Iterator[Span]:
    """Each field between two offsets of a protobuf message: its number, and where its content starts and ends."""
    while position < end:
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            _, stop = _varint(data, position)
        elif kind == _FIXED64:
            stop = position + 8
        elif kind == _FIXED32:
            stop = position + 4
        elif kind == _BYTES:
            length, position = _varint(data, position)
            stop = position + length
        else:
            raise ValueError("not an ONNX file")
        yield key >> 3, position, stop
        position = stop


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    """A protobuf variable-length integer and the offset behind it."""
    value = shift = 0
    while True:
        if position >= len(data):
            raise ValueError("not an ONNX file")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
