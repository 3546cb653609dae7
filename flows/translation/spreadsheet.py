"""A catalogue as a spreadsheet: one row a message, or one a plural form. Every cell is text, whatever it looks like."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from flows.translation.exchange import BadFile, Row

_TITLE = "Jicho "
_COLUMNS = ("id", "form", "English", "translation", "state", "notes", "mark")
_WIDTHS = (26, 10, 60, 60, 28, 50, 2)
# A spreadsheet's own way to write a character by its number; what only looks like it has its first sign written so.
_NUMBERED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LOOKS_NUMBERED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def write(path: Path, language: str, rows: Sequence[Row]) -> None:
    """Writes the rows, the first line naming the columns. Raises OSError."""
    book = Workbook()
    sheet: Worksheet = book.active
    sheet.title = f"{_TITLE}{language}"
    _put(sheet, 1, _COLUMNS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    line = 2
    for row in rows:
        for number, words in enumerate(row.forms):
            form = "" if len(row.forms) == 1 else f"{number + 1} of {len(row.forms)}"
            state = row.state if number == 0 else ""
            _put(sheet, line, (row.id, form, row.shown, words, state, row.notes, row.mark))
            if row.state in ("draft", "stale", "missing"):
                sheet.cell(line, 4).fill = PatternFill("solid", fgColor="FFF2CC")
            line += 1
    for letter, width in zip("ABCDEFG", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.column_dimensions["G"].hidden = True
    sheet.freeze_panes = "D2"
    book.save(path)


def read(path: Path, language: str) -> list[Row]:
    """The rows of a spreadsheet; of several sheets the first. Raises BadFile, and OSError."""
    try:
        sheet: Any = load_workbook(path).worksheets[0]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError):
        raise BadFile(f"{path}: not a spreadsheet (.xlsx)") from None
    if sheet.title.startswith(_TITLE) and sheet.title != f"{_TITLE}{language}":
        raise BadFile(f"{path}: was exported for another language, {sheet.title.removeprefix(_TITLE)}")
    lines = [[_words(path, cell) for cell in line] for line in sheet.iter_rows()]
    head = lines[0] if lines else []
    if missing := [name for name in _COLUMNS[:5] if name not in head]:
        raise BadFile(f"{path}: the first line has no column {missing[0]!r}; it has to name them as the export does")
    found: dict[tuple[str, int], list[dict[str, str]]] = {}
    met: Counter[tuple[str, str]] = Counter()
    for number, line in enumerate(lines[1:], 2):
        cells = dict(zip(head, line, strict=True)) | {"where": f"row {number}"}
        if cells["id"]:
            # The forms of a message belong together wherever they were sorted to; a form met again is another row.
            form = (cells["id"], cells["form"])
            found.setdefault((cells["id"], met[form]), []).append(cells)
            met[form] += 1
        elif cells["translation"].strip():
            raise BadFile(f"{path}: row {number} has a translation and no id")
    return [_row(sorted(forms, key=lambda cells: cells["form"])) for forms in found.values()]


def _row(forms: Sequence[dict[str, str]]) -> Row:
    first = forms[0]
    return Row(
        id=first["id"],
        english=(first["English"],),
        forms=tuple(each["translation"] for each in forms),
        state=first["state"].strip(),
        notes=first.get("notes", ""),
        mark=first.get("mark", ""),
        where=first["where"],
    )


def _put(sheet: Worksheet, line: int, words: Iterable[str]) -> None:
    for column, value in enumerate(words, 1):
        cell = sheet.cell(line, column)
        cell.value = _LOOKS_NUMBERED.sub("_x005F_", value)
        cell.data_type = "s"  # "=1+1" is a text, too
        cell.number_format = "@"
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _words(path: Path, cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return _NUMBERED.sub(lambda match: chr(int(match[1], 16)), value)
    if type(value) is int or (isinstance(value, float) and value.is_integer()):  # "98", made a number on the way
        return str(int(value))
    raise BadFile(f"{path}: cell {cell.coordinate} is no text: format it as text and write it again")
