"""`python app.py messages …` on the catalogues as they are; nothing here changes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import main
from flows.catalogue import messages
from flows.translation import po, spreadsheet
from flows.translation.check import catalogue
from flows.translation.exchange import rows


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["messages", *arguments])


def test_the_catalogues_are_sound() -> None:
    done = run("check")
    assert (done.exit_code, done.output) == (0, "The catalogues are sound.\n")


def test_a_fault_gives_exit_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.translation.check.problems", lambda: ["sw goodbye: empty"])
    done = run("check")
    assert (done.exit_code, done.stdout) == (1, "sw goodbye: empty\n")


def test_the_report_counts_every_message() -> None:
    counted = json.loads(run("report", "--json").stdout)
    assert set(counted) == {"sw", "luo"}
    for states in counted.values():
        assert sum(states.values()) == len(messages("en"))
    table = run("report").stdout.splitlines()
    assert table[0].split() == ["language", "reviewed", "same", "draft", "stale", "missing"]
    assert table[1].split()[0] == "sw"


@pytest.mark.parametrize("name", ["luo.xlsx", "luo.po"])
def test_out_and_back_takes_nothing(tmp_path: Path, name: str) -> None:
    done = run("export", "--language", "luo", str(tmp_path / name))
    assert done.output == f"{tmp_path / name}: {len(messages('en'))} messages\n"
    done = run("import", "--language", "luo", "--by", "Akinyi", str(tmp_path / name))
    assert (done.exit_code, done.output) == (0, "0 taken, 0 refused.\n")


@pytest.mark.parametrize(("kind", "name", "place"), [(spreadsheet, "luo.xlsx", "row "), (po, "luo.po", "line ")])
def test_a_refused_row_is_told(tmp_path: Path, kind: object, name: str, place: str) -> None:
    before = catalogue("luo").path.read_bytes()
    bad = [replace(row, forms=("…",)) if row.id == "goodbye" else row for row in rows("luo")]
    kind.write(tmp_path / name, "luo", bad)  # type: ignore[attr-defined]
    done = run("import", "--language", "luo", str(tmp_path / name))
    assert (done.exit_code, done.stdout) == (1, "0 taken, 1 refused.\n")
    assert done.stderr.startswith(place)
    assert ", goodbye: not in GSM-7" in done.stderr
    assert catalogue("luo").path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("export", "--language", "luo", "luo.ods"), "name it .xlsx or .po"),
        (("export", "--language", "en", "en.po"), "'en' is not one of"),
        (("export", "--language", "sw", "nowhere/sw.po"), "nowhere/sw.po: No such file"),
        (("reviewed", "--language", "sw", "--by", "Wanjiku", "nonsense"), "nonsense: no such message"),
        (("reviewed", "--language", "sw", "--by", " ", "goodbye"), "say who reviewed it"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code != 0
    assert complaint in done.stderr
