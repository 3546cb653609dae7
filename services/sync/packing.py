"""Results as columns: what is alike in all of them costs next to nothing, the rest as many bits as it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from services.sync import schema
from services.sync.columns import ColumnError, Reader, Writer

PATIENT_KEY_BYTES = 6
MOST_READINGS = 20
"""Of one screening: two eyes, and some retakes of each."""

_NAMES = ("programme", "sex", "priority", "outcome")
_LIMITS = {  # what a store can hold, and what memory can
    "has_phone": (0, 1),
    "readings": (0, MOST_READINGS),
    "decided": (0, 2**40),
    "took": (-(2**40), 2**40),
    "age": (-10_000, 10_000),
    "worker": (0, 2**62),
}
_MILLION = 1_000_000
_MS = 1000
_YEAR_S = 31_556_952

Row = tuple[int, int, dict[str, Any], bytes | None]
"""Sequence number, number of the screening, content as `services.sync.events` records it, patient's key."""


class ResultError(Exception):
    """A result that cannot be written, or columns that hold none. The text says why."""


class Model(msgspec.Struct, array_like=True, frozen=True):
    """What judged a photograph. A whole number stands for a threshold in millionths, which is short and, where it is
    used, exact."""

    tier: str
    name: str
    version: str
    sha256: bytes
    threshold: int | float
    doubt: int | float | None
    oedema_threshold: int | float | None


def pack(rows: Sequence[Row]) -> tuple[list[Model], list[str], bytes, bytes]:
    """Models, words, columns and patients' keys of results. Raises ResultError."""
    try:
        return _pack(rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"a result that cannot be sent: {type(error).__name__}: {error}") from None


def unpack(count: int, models: Sequence[Model], words: Sequence[str], columns: bytes, patients: bytes) -> list[Row]:
    """The results again. `count` is for the caller to bound. Raises ResultError."""
    try:
        return _unpack(count, models, [*schema.WORDS, *words], columns, patients)
    except (ColumnError, IndexError, ValueError, OverflowError) as error:
        raise ResultError(f"columns that hold no results: {error}") from None


def _pack(rows: Sequence[Row]) -> tuple[list[Model], list[str], bytes, bytes]:
    words, models = list(schema.WORDS), list[Model]()
    table = _to_table(rows, words, models)
    writer = Writer()
    for name in schema.STEPS:
        writer.steps(table[name], schema.TYPICAL[name])
    for name in schema.RESULT + schema.READING + schema.LAST:
        writer.column(table[name], schema.TYPICAL[name], schema.alike(name, table))
    patients = [key for _, _, _, key in rows if key is not None]
    if any(len(key) != PATIENT_KEY_BYTES for key in patients):
        raise ValueError("a patient's key of another length")
    return models, words[len(schema.WORDS) :], writer.to_bytes(), b"".join(patients)


def _to_table(rows: Sequence[Row], words: list[str], models: list[Model]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = {name: [] for name in schema.STEPS + schema.RESULT + schema.READING + schema.LAST}
    for seq, ref, content, key in rows:
        decided, readings = content["decided_at"] // _MS, content["readings"]
        if len(readings) > MOST_READINGS:
            raise ValueError(f"more than {MOST_READINGS} readings")
        numbers = {name: _place(words, content[name]) for name in _NAMES} | {
            "seq": seq,
            "ref": ref,
            "decided": decided,
            "has_phone": int(key is not None),
            "age": _year(decided) - content["birth_year"],
            "worker": content["worker"],
            "took": round((decided - content["opened_at"] / _MS) / schema.OPENED_STEP_S),
            "readings": len(readings),
        }
        for name, number in numbers.items():
            table[name].append(number)
        for position, each in enumerate(readings):
            for name, number in _to_numbers(each, position, models).items():
                table[name].append(number)
    return table


def _to_numbers(reading: dict[str, Any], position: int, models: list[Model]) -> dict[str, int]:
    return {
        "other_eye": schema.EYES.index(reading["eye"]) ^ position % 2,
        "finding": schema.FINDINGS.index((reading["outcome"], reading["gradable"])),
        "quality": schema.QUALITY_STEPS - round(reading["quality"] * schema.QUALITY_STEPS),
        "probability": _to_steps(reading["probability"]),
        "oedema": _to_steps(reading["oedema"]),
        "model": _place(models, _to_model(reading["model"])),
    }


def _unpack(count: int, models: Sequence[Model], words: Sequence[str], columns: bytes, patients: bytes) -> list[Row]:
    table = _read_table(Reader(columns), count)
    known = [_from_model(model) for model in models]
    keys = [patients[at : at + PATIENT_KEY_BYTES] for at in range(0, len(patients), PATIENT_KEY_BYTES)]
    if len(patients) != PATIENT_KEY_BYTES * sum(table["has_phone"]):
        raise ValueError("not one key for each patient with a phone")
    rows: list[Row] = []
    reading, key = 0, iter(keys)
    for row in range(count):
        decided = table["decided"][row]
        of_row = range(reading, reading := reading + table["readings"][row])
        content = {name: words[table[name][row]] for name in _NAMES} | {
            "birth_year": _year(decided) - table["age"][row],
            "worker": table["worker"][row],
            "opened_at": _MS * (decided - schema.OPENED_STEP_S * table["took"][row]),
            "decided_at": _MS * decided,
            "readings": [_from_numbers(table, at, position, known) for position, at in enumerate(of_row)],
        }
        rows.append((table["seq"][row], table["ref"][row], content, next(key) if table["has_phone"][row] else None))
    return rows


def _read_table(reader: Reader, count: int) -> dict[str, list[int]]:
    table = {name: reader.steps(count, schema.TYPICAL[name]) for name in schema.STEPS}
    for name in schema.RESULT:
        table[name] = reader.column(count, schema.TYPICAL[name])
    for name, (least, most) in _LIMITS.items():
        if any(not least <= number <= most for number in table[name]):
            raise ValueError(f"{name} that cannot be")
    for name in schema.READING:
        table[name] = reader.column(sum(table["readings"]), schema.TYPICAL[name], schema.alike(name, table))
    for name in schema.LAST:
        table[name] = reader.column(count, schema.TYPICAL[name], schema.alike(name, table))
    if any(number < 0 for name in (*_NAMES, *schema.READING) for number in table[name]):
        raise ValueError("a place before the first")  # Python would count it from the end
    return table


def _from_numbers(table: dict[str, list[int]], at: int, position: int, models: list[dict[str, Any]]) -> dict[str, Any]:
    outcome, gradable = schema.FINDINGS[table["finding"][at]]
    return {
        "eye": schema.EYES[table["other_eye"][at] ^ position % 2],
        "outcome": outcome,
        "gradable": gradable,
        "quality": _share(schema.QUALITY_STEPS - table["quality"][at], schema.QUALITY_STEPS),
        "probability": _from_steps(table["probability"][at]),
        "oedema": _from_steps(table["oedema"][at]),
        "model": models[table["model"][at]],
    }


def _place(known: list[Any], item: Any) -> int:
    """Where an item stands in what is known, which it is added to."""
    if item not in known:
        known.append(item)
    return known.index(item)


def _to_steps(probability: float | None) -> int:
    return 0 if probability is None else 1 + round(probability * schema.PROBABILITY_STEPS)


def _from_steps(number: int) -> float | None:
    return None if number == 0 else _share(number - 1, schema.PROBABILITY_STEPS)


def _share(number: int, steps: int) -> float:
    if not 0 <= number <= steps:
        raise ValueError("a share that is not from 0 to 1")
    return number / steps


def _to_model(model: dict[str, Any]) -> Model:
    thresholds = (model[name] for name in ("threshold", "doubt", "oedema_threshold"))
    return Model(
        model["tier"], model["name"], model["version"], bytes.fromhex(model["sha256"]), *map(_short, thresholds)
    )


def _from_model(model: Model) -> dict[str, Any]:
    return {
        "tier": model.tier,
        "name": model.name,
        "version": model.version,
        "sha256": model.sha256.hex(),
        "threshold": _long(model.threshold),
        "doubt": _long(model.doubt),
        "oedema_threshold": _long(model.oedema_threshold),
    }


def _short(threshold: float | None) -> Any:
    if threshold is None:
        return None
    millionths = round(threshold * _MILLION)
    return millionths if millionths / _MILLION == threshold else threshold


def _long(threshold: float | None) -> float | None:
    return threshold / _MILLION if isinstance(threshold, int) else threshold


def _year(seconds: int) -> int:
    """About the year of a time: an age is written, which has fewer digits than a year of birth."""
    return 1970 + seconds // _YEAR_S
