"""Whole numbers come back as they were, and hostile bytes end in one error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.columns import LARGEST, ColumnError, Reader, Writer

numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(-1000, 1000),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0, 2**16 - 2, 2**16 - 1, 2**16, LARGEST - 1, 1 - LARGEST]),
)
columns = st.lists(
    st.tuples(st.lists(numbers, max_size=60), st.lists(st.integers(-5, 900), max_size=9).map(tuple)), max_size=5
)


@given(columns)
def test_columns_come_back(table: list[tuple[list[int], tuple[int, ...]]]) -> None:
    writer = Writer()
    for values, typical in table:
        writer.column(values, {0: typical})
    reader = Reader(writer.to_bytes())
    assert [reader.column(len(values), {0: typical}) for values, typical in table] == [values for values, _ in table]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60))
def test_rows_that_are_alike_are_learnt_from_each_other(rows: list[tuple[int, int]]) -> None:
    groups, values = [group for group, _ in rows], [value for _, value in rows]
    writer = Writer()
    writer.column(values, {1: (5, 5)}, groups)
    assert Reader(writer.to_bytes()).column(len(rows), {1: (5, 5)}, groups) == values


@given(st.lists(st.integers(-(2**61), 2**61), max_size=60))
def test_steps_come_back(values: list[int]) -> None:
    writer = Writer()
    writer.steps(values)
    assert Reader(writer.to_bytes()).steps(len(values)) == values


@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_are_numbers_or_one_error(data: bytes, count: int) -> None:
    try:
        found = Reader(data).column(count)
    except ColumnError:
        return
    assert len(found) == count
    assert all(abs(value) < LARGEST for value in found)


@given(st.lists(numbers, min_size=20, max_size=60), st.data())
def test_what_was_cut_off_is_no_other_table(values: list[int], data: st.DataObject) -> None:
    writer = Writer()
    writer.column(values)
    whole = writer.to_bytes()
    cut = whole[: data.draw(st.integers(0, max(0, len(whole) - 5)))]
    with contextlib.suppress(ColumnError):
        assert Reader(cut).column(len(values)) != values


@pytest.mark.parametrize("value", [LARGEST, -LARGEST, 2**70])
def test_what_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit a column"):
        Writer().column([value])


def test_what_is_always_the_same_costs_nearly_nothing() -> None:
    writer = Writer()
    writer.column([2] * 500, {0: (2,) * 8})
    assert len(writer.to_bytes()) <= 4
