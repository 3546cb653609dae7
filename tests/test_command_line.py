"""The command line needs no server for what concerns files, says clearly what is wrong, and is documented."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import click
import pytest

from app import create_app, main
from models.dr.phantom import draw
from models.maize.phantom import draw as draw_leaf
from services.runtime import Runtime

ROOT = Path(__file__).parents[1]


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *arguments],
        cwd=tmp_path,
        env={**os.environ, "JICHO_DATA_DIR": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_screen_prints_one_object_a_line(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "clear.jpg")
    draw(1, lesions=True).save(tmp_path / "signs.png")
    (tmp_path / "note.txt").write_text("no picture")
    done = run(tmp_path, "screen", "--json", "clear.jpg", "note.txt", "signs.png", "missing.jpg")
    assert done.returncode == 1
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["image"] for line in lines] == ["clear.jpg", "note.txt", "signs.png", "missing.jpg"]
    assert set(lines[1]) == set(lines[3]) == {"image", "error"}
    clear, signs = lines[0], lines[2]
    assert set(clear) == {
        "image",
        "programme",
        "tier",
        "quality",
        "probability",
        "confidence",
        "oedema_probability",
        "doubtful",
        "signs",
        "referable",
        "outcome",
        "model",
        "milliseconds",
    }
    assert set(clear["quality"]) == {"gradable", "score", "reasons"}
    assert set(clear["model"]) == {"name", "version", "sha256", "threshold", "doubt", "oedema_threshold"}
    assert (clear["outcome"], clear["referable"], signs["outcome"], signs["referable"]) == (
        "rescreen",
        False,
        "refer",
        True,
    )
    assert clear["probability"] < clear["model"]["threshold"] <= signs["probability"]
    assert not (tmp_path / "data").exists(), "it needs no store"


def test_screen_of_good_files_succeeds(tmp_path: Path) -> None:
    draw(2).save(tmp_path / "eye.jpg")
    done = run(tmp_path, "screen", "eye.jpg")
    assert done.returncode == 0
    assert done.stdout.startswith("eye.jpg: rescreen (probability 0.")


def test_a_heat_map_is_written_for_a_referable_eye_only(tmp_path: Path) -> None:
    draw(1, lesions=True).save(tmp_path / "signs.jpg")
    draw(2).save(tmp_path / "clear.jpg")
    done = run(tmp_path, "screen", "signs.jpg", "--heatmap", "heat.jpg")
    assert done.stdout.rstrip().endswith("heat map in heat.jpg")
    assert "retinopathy" in done.stdout
    assert (tmp_path / "heat.jpg").read_bytes()[:2] == b"\xff\xd8"
    done = run(tmp_path, "screen", "clear.jpg", "--heatmap", "none.jpg")
    assert done.stdout.rstrip().endswith("not referable, so no heat map")
    assert json.loads(run(tmp_path, "screen", "--json", "clear.jpg", "--heatmap", "none.jpg").stdout)["heatmap"] is None
    assert not (tmp_path / "none.jpg").exists()


def test_a_leaf_is_screened_and_measured_by_the_model_of_its_programme(tmp_path: Path) -> None:
    draw_leaf(1, 600, "Gray_Leaf_Spot").save(tmp_path / "sick.jpg")
    draw_leaf(2, 600).save(tmp_path / "well.jpg")
    done = run(tmp_path, "screen", "--programme", "maize", "sick.jpg", "--heatmap", "heat.jpg")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sick.jpg: Gray_Leaf_Spot (probability 0.")
    assert (tmp_path / "heat.jpg").read_bytes()[:2] == b"\xff\xd8"
    sick, well = map(
        json.loads,
        run(tmp_path, "screen", "--programme", "maize", "--json", "sick.jpg", "well.jpg").stdout.splitlines(),
    )
    assert (sick["programme"], sick["found"], well["found"]) == ("maize", "Gray_Leaf_Spot", "Healthy")
    assert sum(sick["probabilities"].values()) == pytest.approx(1, abs=0.001)
    (tmp_path / "labels.csv").write_text(
        "image,label,orig_size\nsick.jpg,Gray_Leaf_Spot,256x256\nwell.jpg,Healthy,640x480\n"
    )
    done = run(tmp_path, "evaluate", "--programme", "maize", "--data", ".", "--tier", "light", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["tier"], found["n"], found["failed"]) == ("light", 2, 0)
    assert found["by_source"].keys() == {"PlantDoc", "PlantVillage"}
    (tmp_path / "labels.csv").write_text("image,label,orig_size\nsick.jpg,Scab,256x256\n")
    done = run(tmp_path, "evaluate", "--programme", "maize", "--data", ".")
    assert (done.returncode, "line 2: label 'Scab' is none of" in done.stderr) == (1, True)


def test_evaluate_prints_one_object(tmp_path: Path) -> None:
    draw(1, lesions=True).save(tmp_path / "signs.jpg")
    draw(2).save(tmp_path / "clear.jpg")
    (tmp_path / "broken.jpg").write_text("no picture")
    (tmp_path / "labels.csv").write_text("image,grade\nsigns.jpg,3\nclear.jpg,0\nbroken.jpg,0\n")
    done = run(tmp_path, "evaluate", "--programme", "dr", "--data", ".", "--tier", "full", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["tier"], found["n"], found["positives"], found["auc"], found["failed"]) == ("full", 2, 1, 1.0, 1)
    assert found["failures"][0]["reason"].startswith("photo-not-image")


def test_say_writes_a_telephone_wav(tmp_path: Path) -> None:
    done = run(tmp_path, "say", "--language", "sw", "Matokeo yako yako tayari.", "out.wav")
    assert done.returncode == 0, done.stderr
    with wave.open(io.BytesIO((tmp_path / "out.wav").read_bytes())) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.getnframes() > 8000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("screen",), "Missing argument"),
        (("screen", "--tier", "huge", "x.jpg"), "huge"),
        (("screen", "--programme", "teeth", "x.jpg"), "teeth"),
        (("say", "--language", "fr", "Bonjour", "out.wav"), "'fr' is not one of"),
        (("worker", "add", "12345", "Achieng"), "is no mobile number of KE"),
        (("worker", "remove", "0711000009"), "is no health worker"),
        (("screen", "--heatmap", "heat.jpg", "x.jpg", "y.jpg"), "--heatmap takes one photograph"),
        (("evaluate", "--data", "."), "labels.csv"),
        (("evaluate", "--data", ".", "--tier", "huge"), "dr has no tier 'huge'; it has"),
        (("evaluate", "--data", "nowhere"), "'nowhere' does not exist"),
        (("dial", "--url", "http://127.0.0.1:9"), "no stand-in carrier"),
        (("facility", "remove", "9"), "there is no facility 9: see `python app.py facility list`"),
        (("facility", "add", "Eye Unit", "Siaya", "--days", "never"), "'never' is no day"),
        (("facility", "import", "none.csv"), "'none.csv' does not exist"),
        (("worker", "run", "dreams"), "'dreams' is not one of"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    if arguments[:2] == ("worker", "remove"):
        run(tmp_path, "worker", "list")
    done = run(tmp_path, *arguments)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_come_and_go(tmp_path: Path) -> None:
    assert "Added Achieng, +254711000001." in run(tmp_path, "worker", "add", "0711 000 001", "Achieng").stdout
    assert "Updated Akinyi" in run(tmp_path, "worker", "add", "+254711000001", "Akinyi", "--language", "luo").stdout
    assert run(tmp_path, "worker", "list").stdout == "+254711000001  Akinyi\n"
    assert run(tmp_path, "worker", "remove", "254711000001").returncode == 0
    assert "(removed)" in run(tmp_path, "worker", "list").stdout


def test_facilities_are_listed_exported_and_imported(tmp_path: Path) -> None:
    assert "are sent to “the eye clinic”" in run(tmp_path, "facility", "list").stdout
    assert (
        run(tmp_path, "facility", "add", "Eye Unit", "Siaya", "--days", "mon-fri").stdout == "Added Eye Unit, Siaya.\n"
    )
    (tmp_path / "list.csv").write_text(run(tmp_path, "facility", "export").stdout + "Eye Unit,Ng'iya,,,,,,yes\n")
    assert run(tmp_path, "facility", "import", "list.csv").stdout == "Added 1, updated 1.\n"
    (tmp_path / "list.csv").write_text("name,town\nEye Unit,\n")
    done = run(tmp_path, "facility", "import", "list.csv")
    assert (done.returncode, done.stderr) == (1, "Error: nothing was changed.\nrow 2: it has no town: write one\n")
    assert "Eye Unit, Ng'iya; eye clinic; ours  <- referred patients" in run(tmp_path, "facility", "list").stdout


def test_a_bad_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    for command in ("run", "gateway", "prepare", "callbacks"):
        done = run(tmp_path, command, JICHO_PORTT="1")
        assert done.returncode == 1
        assert done.stderr == "Error: unknown setting JICHO_PORTT: see docs/settings.md for the names\n"


def test_the_stand_in_is_off_with_a_live_carrier(tmp_path: Path) -> None:
    live = {
        "JICHO_CARRIER": "live",
        "JICHO_AT_TOKEN": "t" * 32,
        "JICHO_AT_API_KEY": "k",
        "JICHO_AUDIO_SECRET": "s" * 32,
    }
    done = run(tmp_path, "simulator", JICHO_PUBLIC_URL="https://jicho.example.org", **live)
    assert "off with JICHO_CARRIER=live" in done.stderr


def test_callbacks_prints_what_to_enter_at_the_carriers(tmp_path: Path) -> None:
    done = run(tmp_path, "callbacks")
    assert done.returncode == 0
    assert "http://127.0.0.1:8080/whatsapp" in done.stdout


def commands(group: click.Group, before: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        found += commands(command, f"{before}{name} ") if isinstance(command, click.Group) else [f"{before}{name}"]
    return found


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    assert [name for name in commands(main) if f"`python app.py {name}" not in text] == []


@pytest.mark.usefixtures("site")
def test_every_route_is_documented() -> None:
    text = (ROOT / "docs" / "routes.md").read_text()
    rules = [rule.rule for rule in create_app().url_map.iter_rules() if rule.endpoint != "static"]
    assert [rule for rule in rules if f"`{rule}`" not in text] == []


def test_terminal_phone_is_a_phone(tmp_path: Path) -> None:
    from services.bench.stack import Stack

    with Stack() as stack:
        stack.command("worker", "add", "+254711000001", "Achieng", "--language", "en")
        done = subprocess.run(
            [sys.executable, str(ROOT / "app.py"), "dial", "--url", stack.carrier_url],
            cwd=tmp_path,
            input="1\n1\n1961\n1\n3\n98\n1\n2\n",
            capture_output=True,
            text=True,
            env=stack.environment,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "1. Open a screening" in done.stdout
    assert "Code: " in done.stdout


def test_the_factory_makes_the_gateway(site: Runtime) -> None:
    assert create_app().test_client().get("/healthz").status_code == 200
    assert (site.settings.data_dir / "jicho.db").exists()
