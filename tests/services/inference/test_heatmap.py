"""The heat lies where lesions were drawn, comes out small, and costs nothing where nothing was found."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import spots
from numpy.typing import NDArray
from PIL import Image

from models.dr import phantom
from services.inference import heatmap
from services.inference.engine import Engine
from services.inference.heatmap import MAX_BYTES, WIDE, Heat, explain, overlay
from services.inference.preprocess import Field, Pixels, find_field

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def released() -> Engine:
    return Engine(MODELS)


def engine_of(folder: Path, weights: tuple[float, float, float], **fields: Any) -> Engine:
    """A graph that has a class-activation map: it likes one colour."""
    (folder / "dr" / "golden").mkdir(parents=True)
    manifest = json.loads((MODELS / "dr" / "manifest.json").read_text())
    (blurred,) = (case for case in manifest["golden"] if not case["gradable"])
    (folder / "dr" / blurred["file"]).write_bytes((MODELS / "dr" / blurred["file"]).read_bytes())
    model = spots(256, 32, weights, 0.0)
    (folder / "dr" / "spots.onnx").write_bytes(model)
    tier = {"file": "spots.onnx", "sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model), "size": 256}
    tier |= {"output": 1, "temperature": 1.0, "threshold": 0.01, **fields}
    manifest |= {"tiers": {"full": tier}, "golden": [blurred]}
    (folder / "dr" / "manifest.json").write_text(json.dumps(manifest))
    return Engine(folder)


def lesions(seed: int, size: int) -> NDArray[np.float64]:
    """Share of each of 8 × 8 cells that is lesion: a drawing with them less the same drawing without."""
    sick, well = (np.asarray(phantom.draw(seed, size, drawn), dtype=float) for drawn in (True, False))
    where = Image.fromarray(((np.abs(sick - well).max(axis=2) > 25) * 255).astype(np.uint8))
    return np.asarray(where.resize((8, 8), Image.Resampling.BOX), dtype=float)


def test_the_hottest_cells_hold_more_lesions_than_chance(released: Engine) -> None:
    richer = []
    for seed in (31, 37, 38, 40):
        image = phantom.draw(seed, 480, lesions=True)
        heat = explain(released, image, released.read(image))
        assert heat is not None
        assert heat.grid.shape == (8, 8)
        assert heat.grid.min() == 0
        assert heat.grid.max() == 1
        found, drawn = heat.grid.ravel(), lesions(seed, 480).ravel()
        inside = drawn > 0
        hottest = np.argsort(found)[-6:]
        richer.append(drawn[hottest].mean() / drawn[inside].mean())
    assert min(richer) > 1
    assert np.mean(richer) > 1.5


def test_nothing_is_computed_unless_referable(released: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [
        (image, released.read(image))
        for image in (phantom.draw(31, 480), phantom.draw(31, 480).point(lambda value: value * 0.05))
    ]

    def refuse(*_: object) -> None:
        raise AssertionError("ran the model")

    monkeypatch.setattr(Engine, "_run", refuse)
    monkeypatch.setattr(heatmap, "square", refuse)
    for image, reading in readings:
        assert explain(released, image, reading) is None


@pytest.mark.parametrize("views", [1, 2, 4])
def test_a_graphs_own_map_is_used(tmp_path: Path, views: int) -> None:
    engine = engine_of(tmp_path, (0.0, 0.0, 9.0), views=views)
    image = phantom.draw(5, 512)
    image.paste((150, 100, 240), (300, 120, 364, 184))
    reading = engine.read(image)
    assert reading.signs == ("retinopathy",)
    heat = explain(engine, image, reading)
    assert heat is not None
    assert heat.method == "activation"
    row, column = np.unravel_index(heat.grid.argmax(), heat.grid.shape)
    assert (row, column) == (2, 5)


def test_a_map_averages_its_views_the_right_way_round(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, (1.0, 0.0, 0.0), views=4)
    pixels: Pixels = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    expected = pixels[:, :, 0].reshape(8, 32, 8, 32).mean(axis=(1, 3)) / 255
    assert engine.class_map(pixels) == pytest.approx(expected, abs=1e-4)
    assert engine.logits(pixels)[1] == pytest.approx(expected.mean(), abs=1e-4)


def test_oedema_alone_is_explained_by_its_own_logit(tmp_path: Path) -> None:
    oedema = {"output": 3, "temperature": 1.0, "threshold": 0.4}
    engine = engine_of(tmp_path, (0.0, 0.0, 0.1), threshold=0.999, oedema=oedema)
    image = phantom.draw(5, 512)
    reading = engine.read(image)
    assert reading.signs == ("oedema",)
    heat = explain(engine, image, reading)
    assert heat is not None
    assert heat.method == "occlusion"
    assert not heat.grid.any(), "that logit of this graph depends on nothing"


HOT = np.zeros((8, 8), dtype=np.float32)
HOT[2, 5] = 1


@pytest.mark.parametrize(
    ("size", "field", "at"),  # the middle of cell (2, 5) of the square around the field, by hand
    [
        ((800, 800), Field(0, 0, 800, 800, True), (550, 250)),
        ((1600, 800), Field(400, 0, 1200, 800, True), (950, 250)),
        ((800, 600), Field(0, 0, 800, 600, True), (550, 150)),  # cut at top and bottom
        ((600, 600), Field(0, 0, 600, 600, True, 4 / 3), (412.5, 150)),  # squeezed from 800 × 600
        ((400, 4000), Field(0, 1800, 400, 2200, True), (275, 1925)),
    ],
)
def test_the_heat_is_drawn_where_it_was_found(size: tuple[int, int], field: Field, at: tuple[float, float]) -> None:
    file = overlay(Image.new("RGB", size, (90, 90, 90)), Heat(HOT, field, "activation"))
    with Image.open(io.BytesIO(file)) as image:
        drawn = np.asarray(image.convert("RGB"), dtype=float)
    scale = drawn.shape[1] / size[0]
    warmth = drawn[:, :, 0] - drawn[:, :, 2]
    y, x = np.average(np.indices(warmth.shape).reshape(2, -1), axis=1, weights=np.where(warmth > 60, warmth, 0).ravel())
    assert (x / scale, y / scale) == pytest.approx(at, abs=0.02 * max(size))
    assert np.ptp(drawn[-1, 0]) < 12, "the rest is grey"


@pytest.mark.parametrize("size", [(200, 200), (1600, 1200), (400, 4000), (4000, 300)])
def test_an_overlay_is_small_whatever_it_shows(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    file = overlay(image, Heat(np.random.default_rng(1).random((8, 8), dtype=np.float32), find_field(image), ""))
    assert len(file) <= MAX_BYTES
    with Image.open(io.BytesIO(file)) as kept:
        assert kept.format == "JPEG"
        assert kept.width <= WIDE
        assert kept.height <= heatmap.HIGH
