"""A folder of labelled photographs: `labels.csv` (image, grade or label; optional split, source) and its files.

People make such tables with spreadsheets: byte order marks, semicolons, blank lines and capital letters are read as
they are meant. What cannot be meant is said with its line and what to do.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

NEEDED = ("image", "grade")
GRADES = range(5)  # International Clinical Diabetic Retinopathy scale
LINE = "line"  # key under which each row carries the line it stands in
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG", ".PNG")


def labelled(data_dir: Path, split: str | None = None, needed: Sequence[str] = NEEDED) -> list[dict[str, str]]:
    """The rows of `labels.csv`, of one split when asked, keyed by column name. Raises ValueError, also where it has not
    the columns `needed`."""
    path, columns = data_dir / "labels.csv", " and ".join(needed)
    if not path.is_file():
        raise ValueError(f"{data_dir} has no labels.csv: it needs one with the columns {columns}")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f'{path} is not UTF-8: save it as "CSV UTF-8"') from None
    header = content.lstrip().split("\n", 1)[0]
    table = csv.reader(io.StringIO(content, newline=""), delimiter=max(",;\t", key=header.count))
    lines = [(table.line_num, [cell.strip() for cell in row]) for row in table if any(cell.strip() for cell in row)]
    if not lines:
        raise ValueError(f"{path} is empty: it needs the columns {columns}")
    names = [name.lower() for name in lines[0][1]]
    missing = [name for name in needed if name not in names]
    if missing:
        raise ValueError(
            f"{path}: no column {' and '.join(missing)}, only {', '.join(names)}: name the columns {columns}"
        )
    count = len(names)
    padded = ((line, [*cells[:count], *[""] * (count - len(cells))]) for line, cells in lines[1:])
    rows = [dict(zip(names, cells, strict=True)) | {LINE: str(line)} for line, cells in padded]
    if split is not None:
        rows = [row for row in rows if row.get("split") == split]
    if not rows:
        raise ValueError(f"{path}: no photograph{f' in split {split!r}' if split else ''}")
    return rows


def grade(row: Mapping[str, str]) -> int:
    """The ICDR grade of a row, 0 to 4. Raises ValueError."""
    given = row.get("grade", "")
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if number not in GRADES:
        raise ValueError(f"labels.csv, line {row[LINE]}: grade {given!r} is none of 0 to 4: correct or remove the line")
    return int(number)


def find(data_dir: Path, name: str) -> Path:
    """The file of a photograph, in `data_dir/images` or `data_dir`, with or without its ending. Raises ValueError."""
    given = PureWindowsPath(name).as_posix() if "\\" in name else name
    if given:
        for folder in (data_dir / "images", data_dir):
            for path in (folder / given, *(folder / f"{given}{ending}" for ending in ENDINGS)):
                if path.is_file():
                    return path
    where = f"{data_dir / 'images'} nor in {data_dir}"
    raise ValueError(f"{name!r} is neither in {where}: correct labels.csv or add the file")
