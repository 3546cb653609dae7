"""The figures a release is judged by, on folders small enough to count by hand."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.dr import phantom
from services.inference.engine import Engine
from services.inference.evaluate import (
    Case,
    Decode,
    auc,
    auc_interval,
    calibration_error,
    evaluate,
    figures,
    read_cases,
)  # fmt: skip
from services.screening.sanitise import sanitise

MODELS = Path(__file__).resolve().parents[3] / "models"
KEYS = {
    "n", "positives", "auc", "auc_low", "auc_high", "sensitivity", "specificity", "gradable", "ece", "by_source",
}  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(MODELS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four drawn retinas and a grey card, one of them beside the table and not in images/."""
    (tmp_path / "images").mkdir()
    rows = [("a.jpg", 0, "val", "left"), ("b.jpg", 2, "val", "left"), ("c.jpg", 0, "test", "right"),
            ("d.jpg", 4, "test", "right"), ("e.jpg", 3, "test", "right")]  # fmt: skip
    for seed, (name, grade, _, _) in enumerate(rows):
        where = tmp_path if name == "a.jpg" else tmp_path / "images"
        image = Image.new("RGB", (300, 300), "grey") if name == "e.jpg" else phantom.draw(seed + 21, 400, grade > 1)
        image.save(where / name, quality=90)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "grade", "split", "source"])
        table.writerows(rows)
    return tmp_path


def test_a_small_folder(folder: Path, engine: Engine) -> None:
    found = evaluate(folder, engine)
    assert set(found) >= KEYS
    assert (found["n"], found["positives"], found["gradable"]) == (5, 3, 0.8)
    assert found["auc"] == found["auc_low"] == found["auc_high"] == 1.0
    assert found["sensitivity"] == found["specificity"] == 1.0
    assert found["sensitivity_all"] == 1.0
    assert set(found["by_source"]) == {"left", "right"}
    assert found["by_source"]["right"]["n"] == 3


def test_one_split(folder: Path, engine: Engine) -> None:
    assert evaluate(folder, engine, "val")["n"] == 2
    with pytest.raises(ValueError, match="no photograph in split 'holdout'"):
        evaluate(folder, engine, "holdout")


def test_split_and_source_may_be_missing(folder: Path, engine: Engine) -> None:
    (folder / "labels.csv").write_text("image,grade\nb.jpg,2\nc.jpg,0\n")
    assert set(evaluate(folder, engine)["by_source"]) == {"all"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "is empty: it needs the columns image and grade"),
        ("image,label\nb.jpg,1\n", "no column grade, only image, label: name the columns"),
        ("filename,grade\nb.jpg,1\n", "no column image, only filename, grade: name the columns"),
        ("image,grade\n", "no photograph"),
        ("image,grade\nz.jpg,1\n", "'z.jpg' is neither in"),
        ("image,grade\n,1\n", "'' is neither in"),
        ("image,grade\nb.jpg\n", "line 2: grade '' is none of 0 to 4"),
        ("image,grade\nc.jpg,0\n\nb.jpg,moderate\n", "line 4: grade 'moderate' is none of 0 to 4: correct"),
        ("image,grade\nb.jpg,5\n", "grade '5' is none"),
        ("image,grade\nb.jpg,1.5\n", "grade '1.5' is none"),
        ("image,grade\nb.jpg,nan\n", "grade 'nan' is none"),
        ("image,grade\nb.jpg,-1\n", "grade '-1' is none"),
    ],
)
def test_a_bad_folder_says_what_is_wrong(folder: Path, engine: Engine, table: str, said: str) -> None:
    (folder / "labels.csv").write_text(table)
    with pytest.raises(ValueError, match=re.escape(said)):
        evaluate(folder, engine)


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbfimage,grade\r\nb.jpg,2\r\nc.jpg,0\r\n",
        b"image,grade\n\nb.jpg,2\n,,\nc.jpg,0\n\n",
        b"Image;Grade\nb.jpg;2\nc.jpg;0\n",
        b"image\tgrade\nb.jpg\t2\nc.jpg\t0",
        b" image , grade ,note\n b.jpg , 2.0 \n c , 0 ,,,\n",
        b"image,grade\nimages/b.jpg,2\nimages\\c.jpg,0\n",
        b"grade,image\n2,../@/images/b.jpg\n0,c\n",
        b'image,grade\n"{images}/b.jpg",2\n"{images}/c.jpg",0\n',
    ],
    ids=["mark and CRLF", "blank lines", "semicolons", "tabs", "spaces", "sub-folders", "upwards", "absolute"],
)
def test_tables_as_spreadsheets_make_them(folder: Path, engine: Engine, table: bytes) -> None:
    table = table.replace(b"{images}", str(folder / "images").encode()).replace(b"@", folder.name.encode())
    (folder / "labels.csv").write_bytes(table)
    found = evaluate(folder, engine)
    assert (found["n"], found["positives"], found["failed"]) == (2, 1, 0)


@pytest.mark.parametrize("table", ["image,grade\nécran.jpg,2\n".encode("latin-1"), "image,grade\n".encode("utf-16")])
def test_another_encoding_is_named(folder: Path, engine: Engine, table: bytes) -> None:
    (folder / "labels.csv").write_bytes(table)
    with pytest.raises(ValueError, match="not UTF-8"):
        evaluate(folder, engine)


def decoded(content: bytes) -> Image.Image:
    return sanitise(content).image


@pytest.mark.parametrize("decode", [None, decoded], ids=["plain", "product"])
def test_a_broken_photograph_is_counted_and_listed(folder: Path, engine: Engine, decode: Decode | None) -> None:
    (folder / "images" / "cut.jpg").write_bytes((folder / "images" / "b.jpg").read_bytes()[:900])
    (folder / "images" / "note.txt").write_text("no picture")
    (folder / "labels.csv").write_text(
        "image,grade,source\nb.jpg,2,x\ncut.jpg,2,x\nc.jpg,0,x\nnote.txt,0,y\n", encoding="utf-8"
    )
    found = evaluate(folder, engine, decode=decode)
    assert (found["n"], found["positives"], found["failed"]) == (2, 1, 2)
    assert [failure["image"] for failure in found["failures"]] == ["cut.jpg", "note.txt"]
    assert all(failure["reason"] for failure in found["failures"])
    assert found["gradable"] == 1.0
    assert (found["by_source"]["x"]["failed"], found["by_source"]["x"]["n"]) == (1, 2)
    assert (found["by_source"]["y"]["n"], found["by_source"]["y"]["auc"]) == (0, None)
    json.dumps(found, allow_nan=False)


def test_when_none_can_be_opened_there_are_no_figures(folder: Path, engine: Engine) -> None:
    (folder / "images" / "note.txt").write_text("no picture")
    (folder / "labels.csv").write_text("image,grade\nnote.txt,0\n")
    with pytest.raises(ValueError, match=r"none of 1 photographs could be opened; note\.txt"):
        evaluate(folder, engine)


def test_photographs_of_every_make_are_read_as_the_product_reads_them(folder: Path, engine: Engine) -> None:
    retina = phantom.draw(25, 900, lesions=True)
    frame = Image.new("RGB", (4000, 2600))
    frame.paste(retina.resize((2500, 2500)), (750, 50))
    grey = (np.asarray(retina.convert("L"), dtype=np.uint16) * 200).astype(np.uint16)
    pictures = {
        "frame.jpg": frame, "eye.png": retina, "cmyk.jpg": retina.convert("CMYK"), "grey16.png": Image.fromarray(grey),
        "eye.webp": retina,
    }  # fmt: skip
    for name, picture in pictures.items():
        picture.save(folder / "images" / name, quality=95, lossless=True)
    rows = "".join(f"{name},3\n" for name in pictures)
    (folder / "labels.csv").write_text(f"image,grade\n{rows}c.jpg,0\n")
    cases = {case.image: case for case in read_cases(folder, engine, decode=decoded)}
    assert not [case for case in cases.values() if case.failure]
    for name in ("eye.png", "eye.webp"):
        assert cases[name].probability == pytest.approx(engine.read(retina).probability, abs=1e-4), name
    for name in ("frame.jpg", "cmyk.jpg"):
        assert (cases[name].probability or 0) >= engine.tier.threshold, name


def test_no_table_at_all(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"no labels\.csv"):
        evaluate(tmp_path, engine)


def test_figures_counted_by_hand() -> None:
    cases = [Case("", "", grade, risk) for grade, risk in
             [(0, 0.1), (1, 0.6), (0, 0.2), (2, 0.7), (3, 0.15), (4, None), (0, None)]]  # fmt: skip
    found = figures(cases, 0.5)
    assert found["n"] == 7
    assert found["positives"] == 3
    assert found["sensitivity"] == 0.5
    assert found["specificity"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["sensitivity_all"] == pytest.approx(2 / 3, abs=1e-4)  # the ungradable eye is referred
    assert found["specificity_all"] == 0.5
    assert found["gradable"] == pytest.approx(5 / 7, abs=1e-4)
    assert found["auc"] == pytest.approx(4 / 6, abs=1e-4)


def test_oedema_refers_and_the_band_is_doubtful() -> None:
    rows = ((0, 0.1, False), (0, 0.4, False), (1, 0.45, True), (2, 0.2, True), (3, 0.3, False), (4, 0.9, False))
    cases = [Case("", "", grade, risk, oedema) for grade, risk, oedema in rows]
    found = figures([*cases, Case("", "", 4, None, failure="broken")], 0.5, 0.4)
    assert (found["n"], found["failed"], found["positives"]) == (6, 1, 3)
    assert found["sensitivity"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["specificity"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["doubtful"] == pytest.approx(1 / 6, abs=1e-4)
    assert figures(cases, 0.5)["doubtful"] == 0


def test_figures_without_one_class_are_none() -> None:
    found = figures([Case("", "", 0, 0.1), Case("", "", 0, 0.9)], 0.5)
    assert found["auc"] is None
    assert found["auc_low"] is None
    assert found["sensitivity"] is None
    assert found["specificity"] == 0.5


@pytest.mark.parametrize(
    ("positive", "score", "area"),
    [
        ([1, 0], [0.9, 0.1], 1.0),
        ([1, 0], [0.1, 0.9], 0.0),
        ([1, 0], [0.5, 0.5], 0.5),
        ([1, 1, 0, 0], [4, 2, 3, 1], 0.75),
    ],
)
def test_auc(positive: list[int], score: list[float], area: float) -> None:
    assert auc(np.array(positive, dtype=bool), np.array(score)) == area


def test_the_interval_holds_the_area_and_narrows_with_more() -> None:
    rng = np.random.default_rng(0)

    def interval(n: int) -> tuple[float, float, float]:
        positive = np.arange(n) % 2 == 0
        score = rng.normal(0, 1, n) + positive
        low, high = auc_interval(positive, score)
        return low, auc(positive, score), high

    low, middle, high = interval(100)
    assert low < middle < high
    lower, _, higher = interval(2000)
    assert higher - lower < (high - low) / 2


def test_calibration_error() -> None:
    positive = np.array([True, True, False, False])
    assert calibration_error(positive, np.array([1.0, 1.0, 0.0, 0.0])) == 0
    assert calibration_error(positive, np.array([0.0, 0.0, 1.0, 1.0])) == 1
    assert calibration_error(positive, np.full(4, 0.7)) == pytest.approx(0.2)
