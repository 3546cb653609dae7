"""The contrast filter's sums are exact, in the lab and in what is shipped: no order of adding changes a bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from models.dr import phantom
from models.lab.blur import PARTS, SHRUNK, taps
from services.inference.preprocess import square

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "dr"
TIERS = ("full", "medium", "light")
Floats = NDArray[np.float32]


def gaussian(size: int) -> Floats:
    sigma = size / 30 / SHRUNK
    steps = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
    found = np.exp(-(steps**2) / (2 * sigma**2))
    return np.asarray(found / found.sum(), np.float32)


def blurred(pixels: NDArray[np.uint8], kernel: Floats, order: NDArray[np.int_]) -> Floats:
    """[s/4, s/4, 3] by the filter's two passes, its products added one after the other in this order, each sum rounded
    to a float32."""
    side = len(pixels) // SHRUNK
    small = pixels.reshape(side, SHRUNK, side, SHRUNK, 3).astype(np.float32).mean(axis=(1, 3), dtype=np.float32)
    for axis in (1, 0):
        wide = [(0, 0)] * 3
        wide[axis] = (len(kernel) // 2,) * 2
        padded = np.pad(small, wide, mode="edge")
        sums = np.zeros_like(small)
        for at in order:
            sums += kernel[at] * np.take(padded, np.arange(side) + at, axis=axis)
        small = sums
    return small


@pytest.mark.parametrize("size", [96, 128, 160, 256])
def test_the_taps_are_64ths_next_to_a_gaussian_and_keep_a_flat_picture(size: int) -> None:
    found = taps(size)
    assert found.sum() == 1
    np.testing.assert_array_equal(found * PARTS, np.round(found * PARTS))
    np.testing.assert_array_equal(found, found[::-1])
    off = np.abs(found - gaussian(size)) * PARTS
    middle = len(found) // 2
    assert np.delete(off, middle).max() <= 0.5
    assert off[middle] <= 2.5


def test_the_shipped_size_has_these_taps() -> None:
    assert (PARTS * taps(256)).tolist() == [0, 1, 2, 4, 8, 11, 12, 11, 8, 4, 2, 1, 0]


@pytest.mark.parametrize("size", [96, 256])
def test_no_order_of_adding_changes_a_bit(size: int) -> None:
    """With the Gaussian itself it does: that is what browser and server disagreed about."""
    pixels = square(phantom.draw(3, 512, lesions=True), size)
    dice = np.random.default_rng(1)
    found: dict[str, list[Floats]] = {"exact": [], "rounded": []}
    for _ in range(4):
        order = dice.permutation(len(taps(size)))
        found["exact"].append(blurred(pixels, taps(size), order))
        found["rounded"].append(blurred(pixels, gaussian(size), order))
    for one in found["exact"][1:]:
        np.testing.assert_array_equal(one, found["exact"][0])
    assert any((one != found["rounded"][0]).any() for one in found["rounded"][1:])


@pytest.mark.parametrize("tier", TIERS)
def test_what_is_shipped_blurs_with_them(tier: str) -> None:
    graph = onnx.load(str(SHIPPED / f"{tier}.onnx")).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    first = next(at for at, node in enumerate(graph.node) if node.op_type == "QuantizeLinear")
    blurs = [constants[node.input[1]] for node in graph.node[:first] if node.op_type == "Conv"]
    assert [blur.shape for blur in blurs] == [(3, 1, 1, 13), (3, 1, 13, 1)]
    for blur in blurs:
        np.testing.assert_array_equal(blur.reshape(3, 13), np.tile(taps(256), (3, 1)))


def test_a_released_grader_is_laid_out_again_with_only_its_blur_changed(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the lab's requirements (models/lab/requirements.txt) are not installed")
    from models.lab import exact_blur

    folder = tmp_path / "models" / "dr"
    folder.mkdir(parents=True)
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    manifest["tiers"] = {"light": manifest["tiers"]["light"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rounded = onnx.load(str(SHIPPED / "light.onnx"))
    blurs = exact_blur.blurring(rounded)
    for blur in blurs:
        values = np.tile(gaussian(256), 3).reshape(tuple(blur.dims))
        blur.CopyFrom(numpy_helper.from_array(values, blur.name))
    onnx.save(rounded, str(folder / "light.onnx"))

    export = exact_blur.main(exact_blur.Settings(models=str(folder.parent), runs=str(tmp_path / "runs")))

    assert (export / "light.onnx").read_bytes() == (SHIPPED / "light.onnx").read_bytes()
    assert json.loads((export / "light.quantise.json").read_text())["float32"]["val_auc"] > 0.9
    assert json.loads((tmp_path / "runs" / "quality.json").read_text())["parameters"] == manifest["quality"]


def test_a_graph_without_the_filter_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the lab's requirements (models/lab/requirements.txt) are not installed")
    from models.lab import exact_blur

    with pytest.raises(ValueError, match="no contrast filter"):
        exact_blur.exact(SHIPPED.parent / "maize" / "light.onnx", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
