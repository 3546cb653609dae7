"""The released model: it is whole, it reads drawn retinas rightly, and it refuses to serve when anything is amiss."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.dr import phantom
from services.inference.engine import Engine, Reading, outcome_of
from services.inference.manifest import ModelError, load
from services.inference.quality import Quality

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(MODELS)


def test_the_released_file_is_small_and_as_the_manifest_says() -> None:
    tier = load(MODELS, "dr").tier()
    assert tier.name == "full"
    assert tier.bytes == tier.file.stat().st_size <= 3_200_000


@pytest.mark.parametrize("seed", range(11, 17))
@pytest.mark.parametrize(("lesions", "outcome"), [(False, "rescreen"), (True, "refer")])
def test_drawn_retinas(engine: Engine, seed: int, lesions: bool, outcome: str) -> None:
    reading = engine.read(phantom.draw(seed, 640, lesions))
    assert reading.quality.gradable, reading.quality
    assert reading.probability is not None
    assert outcome_of(reading) == outcome, reading.probability
    assert reading.referable == (reading.probability >= reading.model.threshold)


def test_a_reading_says_which_model_spoke(engine: Engine) -> None:
    reading = engine.read(phantom.draw(1, 400))
    manifest = json.loads((MODELS / "dr" / "manifest.json").read_text())
    assert reading.programme == "dr"
    assert (reading.tier, reading.reason) == ("full", "best")
    assert dataclasses.asdict(reading.model) == {
        "name": manifest["name"],
        "version": manifest["version"],
        "sha256": manifest["tiers"]["full"]["sha256"],
        "threshold": manifest["tiers"]["full"]["threshold"],
        "doubt": reading.model.doubt,
        "oedema_threshold": reading.model.oedema_threshold,
    }
    assert set(reading.milliseconds) == {"preprocess", "quality", "model", "total"}
    assert Engine(MODELS, tier="full").reason == "requested"


@pytest.mark.parametrize("lesions", [False, True])
def test_the_frame_does_not_change_the_answer(engine: Engine, lesions: bool) -> None:
    retina = phantom.draw(4, 600, lesions)
    frame = Image.new("RGB", (1400, 900), (3, 3, 3))
    frame.paste(retina, (380, 160))
    readings = [engine.read(image) for image in (retina, frame, frame.resize((700, 450), Image.Resampling.LANCZOS))]
    assert len({outcome_of(reading) for reading in readings}) == 1
    risks = [reading.probability or 0.0 for reading in readings]
    assert max(risks) - min(risks) < 0.15


def test_reading_twice_gives_the_same(engine: Engine) -> None:
    image = phantom.draw(2, 400, lesions=True)
    assert engine.read(image).probability == engine.read(image).probability


def not_retinas() -> dict[str, Image.Image]:
    rng = np.random.default_rng(0)
    page = Image.new("RGB", (600, 800), "white")
    for y in range(20, 780, 18):
        ImageDraw.Draw(page).text((20, y), "Jina la mgonjwa: ........ Kijiji: ........ Tarehe: ......", fill="black")
    return {
        "noise": Image.fromarray(rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)),
        "flat colour": Image.new("RGB", (400, 400), (190, 90, 40)),
        "white": Image.new("RGB", (400, 400), "white"),
        "a form": page,
    }


@pytest.mark.parametrize("name", not_retinas())
def test_what_is_no_retina_is_not_graded(engine: Engine, name: str) -> None:
    reading = engine.read(not_retinas()[name])
    assert not reading.quality.gradable
    assert reading.quality.reasons == ("quality-not-retina",)
    assert reading.probability is None
    assert reading.referable is None
    assert outcome_of(reading) == "retake"


def test_a_positive_answer_refers_and_a_missing_one_asks_again(engine: Engine) -> None:
    base = Reading("dr", "full", "best", Quality(True, 1.0, ()), 0.9, True, engine.identity, {})
    assert outcome_of(base) == "refer"
    assert outcome_of(dataclasses.replace(base, probability=0.01, referable=False)) == "rescreen"
    assert outcome_of(dataclasses.replace(base, probability=None, referable=None)) == "retake"


def altered(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))

    return apply


def oedema(**fields: float) -> Callable[[dict[str, Any]], None]:
    return lambda m: m["tiers"]["full"].update(oedema={"output": 4, "temperature": 1.0, "threshold": 0.9} | fields)


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "full.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "full.onnx").write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "one bit of the model": (flip_a_byte, "sha256"),
    "model missing": (lambda folder: (folder / "full.onnx").unlink(), "full.onnx"),
    "manifest missing": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
    "manifest is no JSON": (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json"),
    "other format": (altered(lambda m: m.update(format=99)), "format 99"),
    "other programme": (altered(lambda m: m.update(programme="maize")), "maize"),
    "no tier": (altered(lambda m: m.update(tiers={})), "no tier"),
    "no threshold": (altered(lambda m: m["tiers"]["full"].pop("threshold")), "threshold"),
    "threshold of zero": (altered(lambda m: m["tiers"]["full"].update(threshold=0)), "no probability"),
    "threshold in words": (altered(lambda m: m["tiers"]["full"].update(threshold="0.2")), "TypeError"),
    "doubt above the threshold": (altered(lambda m: m["tiers"]["full"].update(doubt=0.9)), "above the threshold"),
    "doubt of zero": (altered(lambda m: m["tiers"]["full"].update(doubt=0)), "doubt 0 is no probability"),
    "three views": (altered(lambda m: m["tiers"]["full"].update(views=3)), "views 3"),
    "temperature of zero": (altered(lambda m: m["tiers"]["full"].update(temperature=0)), "temperature 0"),
    "output in words": (altered(lambda m: m["tiers"]["full"].update(output="1")), "output '1' is no index"),
    "no such output": (altered(lambda m: m["tiers"]["full"].update(output=9)), "5 outputs"),
    "half an oedema": (altered(lambda m: m["tiers"]["full"].update(oedema={"output": 4})), "oedema needs"),
    "oedema of 1.0": (altered(oedema(threshold=1.0)), "oedema: threshold 1.0 is no probability"),
    "no such oedema output": (altered(oedema(output=5)), "asks for number 5"),
    "file elsewhere": (altered(lambda m: m["tiers"]["full"].update(file="../../etc/passwd")), "leaves"),
    "wrong size": (altered(lambda m: m["tiers"]["full"].update(size=224)), "square of 224"),
    "no golden case": (altered(lambda m: m.update(golden=[])), "golden"),
    "golden picture missing": (lambda folder: (folder / "golden" / "clean-1.jpg").unlink(), "clean-1.jpg"),
    "golden case answers otherwise": (altered(lambda m: m["golden"][1]["probability"].update(full=0.3)), "was 0.3"),
    "golden case not gradable": (altered(lambda m: m["golden"][0].update(gradable=False)), "gradable"),
    "another output": (altered(lambda m: m["tiers"]["full"].update(output=3)), "golden case"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_does_not_serve(tmp_path: Path, name: str) -> None:
    shutil.copytree(MODELS / "dr", tmp_path / "dr", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    spoil, said = DAMAGE[name]
    Engine(tmp_path)
    spoil(tmp_path / "dr")
    with pytest.raises(ModelError, match=said):
        Engine(tmp_path)


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(ModelError, match="no tier 'huge'; it has full"):
        Engine(MODELS, tier="huge")


def test_an_unknown_programme_is_refused() -> None:
    with pytest.raises(ModelError, match=r"manifest\.json"):
        Engine(MODELS, "cataract")
