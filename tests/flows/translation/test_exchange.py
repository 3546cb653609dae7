"""A catalogue goes out to translators and comes back: nothing is lost, nothing bad gets in, nobody's work is undone."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from flows.catalogue import LOCALE
from flows.translation import po, spreadsheet
from flows.translation.check import catalogue, problems
from flows.translation.exchange import BadFile, Imported, Row, rows, take
from flows.translation.review import CannotReview, mark_reviewed, report, review_states

TODAY = date(2026, 11, 24)
FORMATS = [(spreadsheet, "xlsx"), (po, "po")]


@pytest.fixture
def locale(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LOCALE, tmp_path / "locale"))


def content(locale: Path, language: str = "luo") -> bytes:
    return catalogue(language, locale).path.read_bytes()


def change(given_rows: list[Row], message_id: str, **changes: object) -> list[Row]:
    return [replace(row, **changes) if row.id == message_id else row for row in given_rows]  # type: ignore[arg-type]


def bring(locale: Path, came: list[Row], by: str = "") -> Imported:
    return take("luo", came, by=by, on=TODAY, locale=locale)


@pytest.mark.parametrize(("kind", "suffix"), FORMATS)
def test_what_comes_back_as_it_went_changes_no_byte(
    locale: Path, tmp_path: Path, kind: ModuleType, suffix: str
) -> None:
    before = content(locale)
    kind.write(tmp_path / f"luo.{suffix}", "luo", rows("luo", locale))
    done = bring(locale, kind.read(tmp_path / f"luo.{suffix}", "luo"), by="Akinyi")
    assert done == Imported((), (), ())
    assert content(locale) == before


# Any text that a catalogue may hold: no control characters but the end of a line.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.just("\n"), min_size=1).filter(str.strip)
STATE = st.sampled_from(["draft", "stale", "reviewed by Akinyi Odhiambo, 2026-11-24", "same"])


@st.composite
def message(draw: st.DrawFn, number: int) -> Row:
    plural = draw(st.booleans())
    count = 2 if plural else 1
    forms = tuple(draw(TEXT) for _ in range(count))
    english = tuple(draw(TEXT) for _ in range(count))
    row = Row(f"id-{number}", english, forms, draw(STATE), notes="keep {code}", plural=plural)
    return replace(row, mark=row.marked())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize(("kind", "suffix"), FORMATS)
def test_the_round_trip_is_lossless(kind: ModuleType, suffix: str, data: st.DataObject) -> None:
    went = [data.draw(message(number)) for number in range(data.draw(st.integers(1, 4)))]
    went.append(Row("formula", ("=1+1",), ("=cmd|' /C calc'!A0",), "draft"))
    went.append(Row("numbered", ("_x0041_",), ("98 _x000D_ _x005F_",), "draft"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"luo.{suffix}"
        kind.write(path, "luo", went)
        came = kind.read(path, "luo")
    assert [(row.id, row.shown, row.forms, row.state, row.mark) for row in came] == [
        (row.id, row.shown, row.forms, row.state, row.mark) for row in went
    ]


@pytest.mark.parametrize(("kind", "suffix"), FORMATS)
@pytest.mark.parametrize("message_id", ["goodbye", "worker-retake-reminder"])
def test_a_new_text_is_a_draft_until_somebody_signs(
    locale: Path, tmp_path: Path, kind: ModuleType, suffix: str, message_id: str
) -> None:
    now = next(row for row in rows("luo", locale) if row.id == message_id)
    forms = tuple(words.replace(".", "!") for words in now.forms)
    went = change(rows("luo", locale), message_id, forms=forms)
    kind.write(tmp_path / f"luo.{suffix}", "luo", went)
    done = bring(locale, kind.read(tmp_path / f"luo.{suffix}", "luo"))
    assert done == Imported((message_id,), (), ())
    ours = catalogue("luo", locale).messages[message_id]
    assert (ours.forms, ours.review) == (forms, "draft")
    assert problems(locale) == []
    went = change(rows("luo", locale), message_id, state="reviewed")
    assert bring(locale, went) == Imported((), (), (message_id,))
    assert bring(locale, went, by="Akinyi  Odhiambo").taken == (message_id,)
    assert catalogue("luo", locale).messages[message_id].review == "reviewed by Akinyi Odhiambo, 2026-11-24"
    assert problems(locale) == []


def test_only_the_changed_block_of_the_file_changes(locale: Path) -> None:
    before = content(locale).decode().split("\n\n")
    bring(locale, change(rows("luo", locale), "goodbye", forms=("Oriti.",)))
    after = content(locale).decode().split("\n\n")
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0][1].endswith('msgstr "Oriti."')


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"forms": ("Erokamano…",)}, "not in GSM-7"),
        ({"forms": ("Erokamano " * 20,)}, "too long: 200 of 160"),
        ({"forms": ("Erokamano {name}.",)}, "other parameters than the English"),
        ({"forms": ("",)}, "empty"),
        ({"forms": ("Oriti.", "Oriti.")}, "2 plural forms instead of 1"),
        ({"forms": ("Oriti.",), "english": ("Farewell.",)}, "the English is now: Thank you. Goodbye."),
        ({"forms": ("Oriti.",), "id": "good-bye"}, "no such message"),
        ({"forms": ("Oriti.",), "mark": "0" * 16}, "changed here too since the export"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_is_taken(locale: Path, changes: dict[str, object], reason: str) -> None:
    came = change(rows("luo", locale), "goodbye", where="row 7", **changes)
    came = change(came, "about", forms=("{clinic}.",))
    done = bring(locale, came)
    assert done.taken == ("about",)
    (refused,) = done.refused
    assert (refused.where, refused.reason[: len(reason)]) == ("row 7", reason)
    assert catalogue("luo", locale).messages["goodbye"] == catalogue("luo").messages["goodbye"]


def test_nobodys_work_is_overwritten(locale: Path) -> None:
    first = rows("luo", locale)
    bring(locale, change(first, "goodbye", forms=("Oriti.",)))
    done = bring(locale, change(first, "goodbye", forms=("Kwaheri.",)))
    assert "to: Oriti. (draft)" in done.refused[0].reason
    # The second translator did not touch this one: the first one's text stays.
    assert bring(locale, first) == Imported((), (), ())
    assert catalogue("luo", locale).messages["goodbye"].forms == ("Oriti.",)


def test_a_file_has_each_message_once(locale: Path) -> None:
    came = change(rows("luo", locale), "goodbye", forms=("Oriti.",))
    done = bring(locale, [*came, *[row for row in came if row.id == "goodbye"]])
    assert (done.taken, done.refused[0].reason) == (("goodbye",), "it is in the file twice")


def test_a_changed_english_makes_a_translation_stale_until_it_is_confirmed(locale: Path) -> None:
    english = catalogue("en", locale)
    english.put(replace(english.messages["goodbye"], forms=("Thanks. Goodbye.",)))
    english.write()
    assert report(locale)["luo"]["stale"] == 1
    with pytest.raises(CannotReview, match="translate it anew"):
        mark_reviewed("luo", ["goodbye"], by="Akinyi", on=TODAY, locale=locale)
    stale = rows("luo", locale)
    assert bring(locale, stale).taken == ()
    assert bring(locale, change(stale, "goodbye", state="reviewed"), by="Akinyi").taken == ("goodbye",)
    assert report(locale)["luo"]["reviewed"] == 1


def test_a_missing_message_is_added(locale: Path) -> None:
    path = catalogue("luo", locale).path
    blocks = [block for block in path.read_text().split("\n\n") if 'msgid "goodbye"' not in block]
    path.write_text("\n\n".join(blocks))
    assert report(locale)["luo"]["missing"] == 1
    went = rows("luo", locale)
    assert bring(locale, went) == Imported((), (), ())
    assert bring(locale, change(went, "goodbye", forms=("Oriti.",))).taken == ("goodbye",)
    assert problems(locale) == []


def test_a_review_is_signed_and_dated(locale: Path) -> None:
    assert {each.state for each in review_states(locale=locale)} == {"draft", "same"}
    mark_reviewed("sw", ["goodbye", "about"], by="Wanjiku", on=TODAY, locale=locale)
    signed = [each for each in review_states(["sw"], locale) if each.state == "reviewed"]
    assert {(each.id, each.review) for each in signed} == {
        ("goodbye", "reviewed by Wanjiku, 2026-11-24"),
        ("about", "reviewed by Wanjiku, 2026-11-24"),
    }
    before = content(locale, "sw")
    for ids, by in ((["answer-no", "nonsense"], "Wanjiku"), (["answer-no"], " ")):
        with pytest.raises(CannotReview):
            mark_reviewed("sw", ids, by=by, on=TODAY, locale=locale)
    assert content(locale, "sw") == before


def test_what_a_po_editor_flags_as_fuzzy_is_a_draft(locale: Path) -> None:
    mark_reviewed("luo", ["goodbye"], by="Akinyi", on=TODAY, locale=locale)
    path = catalogue("luo", locale).path
    path.write_text(path.read_text().replace('msgid "goodbye"', '#, fuzzy\nmsgid "goodbye"'))
    assert report(locale)["luo"]["reviewed"] == 0


def test_clearing_the_flag_in_a_po_editor_says_reviewed(locale: Path, tmp_path: Path) -> None:
    path = tmp_path / "luo.po"
    po.write(path, "luo", rows("luo", locale))
    block = next(each for each in path.read_text().split("\n\n") if 'msgctxt "goodbye"' in each)
    assert "#, fuzzy" in block
    path.write_text(path.read_text().replace(block, block.replace("#, fuzzy\n", "")))
    assert bring(locale, po.read(path, "luo"), by="Akinyi").taken == ("goodbye",)
    assert report(locale)["luo"]["reviewed"] == 1


def test_a_spreadsheet_may_be_sorted_and_may_hold_numbers(locale: Path, tmp_path: Path) -> None:
    path = tmp_path / "luo.xlsx"
    spreadsheet.write(path, "luo", rows("luo", locale))
    book = load_workbook(path)
    sheet = book.worksheets[0]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    for number, line in enumerate(sorted(lines, key=lambda line: str(line[3])), 2):
        for column, value in enumerate(line, 1):
            sheet.cell(number, column).value = 98 if column == 4 and line[0] == "goodbye" else value
    book.save(path)
    done = bring(locale, spreadsheet.read(path, "luo"))
    assert (done.taken, done.refused) == (("goodbye",), ())
    assert catalogue("luo", locale).messages["goodbye"].forms == ("98",)


@pytest.mark.parametrize(("kind", "suffix"), FORMATS)
def test_another_languages_file_or_no_such_file_is_refused(
    locale: Path, tmp_path: Path, kind: ModuleType, suffix: str
) -> None:
    path = tmp_path / f"sw.{suffix}"
    kind.write(path, "sw", rows("sw", locale))
    with pytest.raises(BadFile, match="another language, sw"):
        kind.read(path, "luo")
    path.write_bytes(b"\x89PNG\r\n\x1a\n nothing of the kind \xff")
    with pytest.raises(BadFile, match="not a"):
        kind.read(path, "luo")
