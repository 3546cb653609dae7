"""A tiny run of the lab on drawn retinas: each step does what its name says. Needs the lab's own requirements."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.dr import phantom

torch = pytest.importorskip("torch", reason="the lab's requirements (models/lab/requirements.txt) are not installed")
onnx = pytest.importorskip("onnx", reason="the lab's requirements (models/lab/requirements.txt) are not installed")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drawn retinas, half of them with lesions: 32 to learn from, 16 to validate on."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "images").mkdir()
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "grade", "split", "source", "dme", "eyeq"])
        for seed in range(48):
            phantom.draw(seed, 160, lesions=seed % 2 == 1).save(folder / "images" / f"{seed}.jpg", quality=90)
            oedema = "" if seed % 3 else seed % 2
            table.writerow([f"{seed}.jpg", 3 * (seed % 2), "train" if seed < 32 else "val", "drawn", oedema, ""])
    return folder


@pytest.fixture(scope="module")
def run(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs at 96 px, then export and quantisation, all into a folder of their own."""
    from models.lab import data, quantise, train

    runs = tmp_path_factory.mktemp("runs")
    for module in (data, train):
        module.RUNS = runs
    settings = train.Settings(
        run="tiny", folder=str(photographs), sizes="2x96", side=128, batch=8, average=0.8, threads=1
    )
    last = train.train(settings)
    quantise.main(
        quantise.Settings(checkpoint=str(last), out=str(runs / "export"), folder=str(photographs), pictures=8)
    )
    return runs


def test_training_learns_and_writes_what_it_did(run: Path) -> None:
    log = json.loads((run / "tiny" / "metrics.json").read_text())
    assert [entry["epoch"] for entry in log] == [1, 2]
    assert log[1]["loss"] < log[0]["loss"]
    assert log[1]["val_auc"] > 0.6


def test_training_continues_from_its_checkpoint(run: Path, photographs: Path) -> None:
    from models.lab import train

    before = json.loads((run / "tiny" / "metrics.json").read_text())
    train.train(train.Settings(run="tiny", folder=str(photographs), sizes="2x96", side=128, batch=8, threads=1))
    assert json.loads((run / "tiny" / "metrics.json").read_text()) == before


def test_the_exported_graph_computes_what_the_network_does(run: Path) -> None:
    found = json.loads((run / "export" / "quantise.json").read_text())
    assert found["graph_against_torch"] < 1e-3
    assert found["size"] == 96


@pytest.mark.parametrize(("name", "per_channel"), [("int8-channel", True), ("int8-tensor", False)])
def test_quantised_weights_are_int8_and_the_filter_stays_float(run: Path, name: str, per_channel: bool) -> None:
    graph = onnx.load(str(run / "export" / f"{name}.onnx")).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    eight_bit = [t for t in weights.values() if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
    assert sum(int(np.prod(t.dims)) for t in eight_bit) > 2_500_000
    scales = [weights[node.input[1]] for node in graph.node
              if node.op_type == "DequantizeLinear" and node.input[0] in {t.name for t in eight_bit}]  # fmt: skip
    assert all((list(scale.dims) != []) == per_channel for scale in scales)
    first = next(at for at, node in enumerate(graph.node) if node.op_type == "QuantizeLinear")
    assert {"Resize", "AveragePool", "Sub"} <= {node.op_type for node in graph.node[:first]}
    assert (run / "export" / f"{name}.onnx").stat().st_size < 3_200_000


def test_the_contrast_filter_is_the_published_one() -> None:
    """Against OpenCV's blur at full size: a grey level or two, since the graph blurs a quarter-size copy."""
    import cv2

    from models.lab.net import DEVIATION, MEAN, Contrast
    from services.inference.preprocess import square

    pixels = square(phantom.draw(1, 512), 256)
    image = pixels.astype(np.float32)
    expected = np.clip(4 * image - 4 * cv2.GaussianBlur(image, (0, 0), 256 / 30) + 128, 0, 255)
    found = Contrast(256)(torch.tensor(pixels[None]))[0].permute(1, 2, 0).numpy()
    found = (found * np.array(DEVIATION) + np.array(MEAN)) * 255
    axis = np.arange(256) - 127.5
    inside = np.hypot(axis[:, None], axis[None, :]) < 0.45 * 256
    assert np.abs(found - expected)[inside].mean() < 2.0
    assert np.abs(found - 128)[np.hypot(axis[:, None], axis[None, :]) > 0.5 * 256].max() < 1e-2


def test_unknown_settings_raise() -> None:
    from models.lab.settings import read
    from models.lab.train import Settings

    assert read(Settings, ["--batch", "4", "--rate", "0.1"]).batch == 4
    for words in (["--bacth", "4"], ["batch", "4"], ["--batch"], ["--batch", "many"]):
        with pytest.raises(ValueError, match=r"setting|pairs|invalid"):
            read(Settings, words)


def test_unknown_labels_do_not_pull() -> None:
    """A missing oedema label adds nothing to the loss, whatever the logit."""
    from models.lab.train import loss_of

    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0, float("nan")]])
    one, other = (loss_of(torch.tensor([[0.0, 0.0, 0.0, 0.0, z]]), targets) for z in (-9.0, 9.0))
    assert one == other


def test_freezing_keeps_the_first_blocks() -> None:
    from models.lab.net import Grader

    net = Grader(64, pretrained=False)
    net.freeze(3)
    net.train()
    loss: Any = net(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).sum()
    loss.backward()
    assert net.stem.weight.grad is None
    assert all(p.grad is None for block in net.blocks[:3] for p in block.parameters())
    assert net.blocks[3]._depthwise_conv.weight.grad is not None
