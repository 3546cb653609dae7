"""Facilities as people type them and as spreadsheets keep them: every mistake is named with its row and its remedy."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence

from services.channels.gsm7 import normalise
from services.screening.facilities import DAYS, EYE_CLINIC, Facility

COLUMNS = ("name", "town", "phone", "services", "days", "latitude", "longitude", "ours")
_LONGEST = 40  # name and town together: longer, and a worker's message with both takes a third SMS
_YES, _NO = ("yes", "y", "true", "1"), ("", "no", "n", "false", "0")


class BadFacility(ValueError):
    """A facility that cannot be used; the text says why and what to do."""


class BadTable(ValueError):
    """A table of facilities with something wrong in it: one line a problem, each with its row."""


def from_words(words: Mapping[str, str]) -> Facility:
    """A facility from what somebody typed, by column; columns may be missing. Raises BadFacility."""
    said = {column: normalise(words.get(column) or "").strip() for column in COLUMNS}
    for column in ("name", "town"):
        if not said[column]:
            raise BadFacility(f"it has no {column}: write one")
    found = Facility(
        name=said["name"],
        town=said["town"],
        phone=said["phone"],
        services=_services(said["services"]),
        days=_days(said["days"]),
        latitude=_degrees("latitude", said["latitude"], 90),
        longitude=_degrees("longitude", said["longitude"], 180),
        ours=_truth(said["ours"]),
    )
    if "?" in found.place:
        raise BadFacility(f"{found.place!r} has letters that no SMS carries: write it in Latin letters")
    if len(found.place) > _LONGEST:
        raise BadFacility(f"{found.place!r} is longer than {_LONGEST} characters: shorten the name or the town")
    if (found.latitude is None) != (found.longitude is None):
        raise BadFacility("it has only one of latitude and longitude: write both or neither")
    return found


def to_words(found: Facility) -> dict[str, str]:
    """What `from_words` reads."""
    return {
        "name": found.name,
        "town": found.town,
        "phone": found.phone,
        "services": "; ".join(found.services),
        "days": " ".join(found.days),
        "latitude": "" if found.latitude is None else f"{found.latitude:g}",
        "longitude": "" if found.longitude is None else f"{found.longitude:g}",
        "ours": "yes" if found.ours else "",
    }


def read_table(text: str) -> list[Facility]:
    """The facilities of a CSV with the columns `COLUMNS`, separated by commas or semicolons, as spreadsheets write it.

    Raises BadTable with every problem, so that one look mends them all.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    first = lines[0] if lines else ""
    rows = csv.DictReader(lines, delimiter=";" if first.count(";") > first.count(",") else ",", restkey="", restval="")
    header = [name.strip().casefold() for name in rows.fieldnames or ()]
    rows.fieldnames = header
    problems = [
        *(f"row 1: there is no column {name!r}: add it" for name in ("name", "town") if name not in header),
        *(
            f"row 1: unknown column {name!r}: rename it to one of {', '.join(COLUMNS)}, or delete it"
            for name in header
            if name not in COLUMNS
        ),
    ]
    if problems:
        raise BadTable("\n".join(problems))
    found: list[Facility] = []
    seen: dict[str, int] = {}
    for row in rows:
        number = rows.line_num
        try:
            if row.get(""):
                raise BadFacility(f"it has more cells than the first row: put {row['']} in quotes or delete it")
            each = from_words(row)
        except BadFacility as problem:
            problems.append(f"row {number}: {problem}")
            continue
        key = each.place.casefold()
        if key in seen:
            problems.append(f"row {number}: {each.place} stands in row {seen[key]} already: delete one of them")
        if each.ours and any(other.ours for other in found):
            problems.append(f"row {number}: a second facility is ours: only one can be this clinic")
        seen[key] = number
        found.append(each)
    if problems:
        raise BadTable("\n".join(problems))
    if not found:
        raise BadTable("row 2: there is no facility in this file")
    return found


def write_table(found: Sequence[Facility]) -> str:
    """The CSV that `read_table` reads."""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(to_words(each) for each in found)
    return out.getvalue()


def _services(words: str) -> tuple[str, ...]:
    found = (" ".join(each.split()).casefold() for each in words.replace(",", ";").split(";"))
    return tuple(dict.fromkeys(filter(None, found))) or (EYE_CLINIC,)


def _days(words: str) -> tuple[str, ...]:
    """ "mon wed", "Mon-Fri", "Monday; Thursday" as days in the week's order."""
    chosen: set[str] = set()
    for piece in words.casefold().replace(",", " ").replace(";", " ").replace(" - ", "-").split():
        first, _, last = piece.partition("-")
        ends = [day[:3] for day in (first, last or first)]
        if not all(end in DAYS for end in ends):
            raise BadFacility(f"{piece!r} is no day: write days as {' '.join(DAYS)}, or mon-fri")
        start, stop = (DAYS.index(end) for end in ends)
        if stop < start:
            raise BadFacility(f"{piece!r} runs backwards: write it as two, such as sat sun mon")
        chosen |= set(DAYS[start : stop + 1])
    return tuple(day for day in DAYS if day in chosen)


def _degrees(column: str, words: str, most: int) -> float | None:
    if not words:
        return None
    try:
        degrees = float(words.replace(",", "."))
    except ValueError:
        degrees = math.nan
    if not abs(degrees) <= most:
        raise BadFacility(f"{column} {words!r} is no number of degrees from -{most} to {most}: write it like -0.0917")
    return degrees


def _truth(words: str) -> bool:
    said = words.casefold()
    if said not in (*_YES, *_NO):
        raise BadFacility(f"ours {words!r} is neither yes nor no: write yes for this clinic, nothing for the others")
    return said in _YES
