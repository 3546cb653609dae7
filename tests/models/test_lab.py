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


def drawn(folder: Path, *, grades: tuple[int, int] = (0, 3)) -> Path:
    """48 drawn retinas, half of them with lesions: 32 to learn from, 16 to validate on. `grades` are what their labels
    say of those without and of those with."""
    (folder / "images").mkdir()
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "grade", "split", "source", "dme", "eyeq"])
        for seed in range(48):
            phantom.draw(seed, 160, lesions=seed % 2 == 1).save(folder / "images" / f"{seed}.jpg", quality=90)
            oedema = "" if seed % 3 else seed % 2
            table.writerow([f"{seed}.jpg", grades[seed % 2], "train" if seed < 32 else "val", "drawn", oedema, ""])
    return folder


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def run(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every step at 96 px for an epoch or two, into a folder of its own: a teacher, a student, the same one with and
    without the teacher on labels that are all wrong, one with zeros, one with fewer channels, and the student's graph
    in every number format."""
    from models.lab import data, distil, export, prune, quantise, train

    everything = tmp_path_factory.mktemp("runs")
    for module in (data, train, distil, prune):
        module.RUNS = everything
    runs = everything / "dr"
    common: dict[str, Any] = {
        "folder": str(photographs), "side": 128, "batch": 8, "mix": 0, "average": 0.8, "threads": 1, "sizes": "2x96",
    }  # fmt: skip
    teacher = train.train(train.Settings(run="teacher", shape="light", **common | {"sizes": "6x96"}))
    budget = common | {"sizes": "10x96", "shape": "light"}
    distil.distil(distil.Settings(run="student", teachers=str(teacher), **budget))
    wrong = budget | {"folder": str(drawn(tmp_path_factory.mktemp("wrong"), grades=(3, 0)))}
    distil.distil(distil.Settings(run="taught", teachers=str(teacher), alpha=1.0, **wrong))
    distil.distil(distil.Settings(run="untaught", alpha=0.0, **wrong))
    prune.main(
        prune.Settings(run="sparse", kind="sparse", every=2, start=str(teacher), teachers=str(teacher), **common)
    )
    prune.main(prune.Settings(run="narrow", kind="channels", keep=0.5, start=str(teacher)))
    for name in ("student", "narrow"):
        export.main(export.Settings(str(runs / name / "last.pt"), str(runs / "export" / f"{name}.float32.onnx"), 96))
    quantise.main(
        quantise.Settings(
            str(runs / "export" / "student.float32.onnx"), folder=str(photographs), pictures=8, formats="all"
        )
    )
    return runs


def log_of(run: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads((run / name / "metrics.json").read_text()))


def test_training_learns_and_writes_what_it_did(run: Path) -> None:
    log = log_of(run, "teacher")
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["loss"] < log[0]["loss"]
    assert log[-1]["val_auc"] > 0.6


def test_training_continues_from_its_checkpoint(run: Path, photographs: Path) -> None:
    from models.lab import train

    before, saved = log_of(run, "teacher"), (run / "teacher" / "last.pt").stat().st_mtime_ns
    train.train(
        train.Settings(run="teacher", shape="light", folder=str(photographs), sizes="6x96", side=128, batch=8, mix=0,
                       threads=1)
    )  # fmt: skip
    assert log_of(run, "teacher") == before
    assert (run / "teacher" / "last.pt").stat().st_mtime_ns == saved


def test_a_student_learns_from_its_teacher(run: Path) -> None:
    """Where all labels are wrong, who learns from the teacher knows better; the same student without it does not."""
    from models.lab import course, head, net
    from services.inference.evaluate import auc

    seeds = np.arange(200, 232)
    found = {}
    for name in ("taught", "untaught"):
        student, size = net.load(run / name / "last.pt")
        squares = np.stack([np.asarray(phantom.draw(int(seed), size, lesions=seed % 2 == 1)) for seed in seeds])
        found[name] = auc(seeds % 2 == 1, course.predict(student, squares)[:, head.REFERABLE])
    assert found["taught"] > 0.9
    assert found["untaught"] < 0.1


def test_blended_pictures_carry_blended_labels() -> None:
    from models.lab import data

    pixels = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (0, 200)])
    targets = np.array([[0.0, np.nan], [1.0, 1.0]], np.float32)
    mixed, labels = data.blended(pixels, targets, np.random.default_rng(1), 1.0)
    np.testing.assert_allclose(mixed[:, 0, 0, 0] / 200, labels[:, 0], atol=0.01)
    assert 0 < labels[0, 0] < 1
    assert np.isnan(labels[:, 1]).all()
    untouched, same = data.blended(pixels, targets, np.random.default_rng(1), 0.0)
    np.testing.assert_array_equal(untouched, pixels)
    np.testing.assert_array_equal(same, targets)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_share_of_the_photographs_keeps_every_source(share: float) -> None:
    from models.lab import data

    sources = ["a"] * 40 + ["b"] * 80
    whole = data.Split(np.zeros((120, 2, 2, 3), np.uint8), np.zeros((120, 5), np.float32), sources, sources)
    part = whole.some(share)
    assert len(part) == round(120 * share)
    assert part.source.count("a") == pytest.approx(40 * share, abs=1)


def test_the_soft_loss_is_the_divergence_times_the_temperature_squared() -> None:
    from models.lab.distil import loss_of
    from models.lab.head import Grades

    student, teacher = torch.tensor([[0.0] * 5]), torch.tensor([[4.0] * 5])
    labels = torch.ones(1, 5)
    p, q = 1 / (1 + np.exp(-1.0)), 0.5
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    expected = 0.7 * 16 * divergence + 0.3 * np.log(2)
    found = loss_of(student, torch.cat([labels, teacher], dim=1), Grades(), temperature=4.0, alpha=0.7)
    assert abs(found.item() - expected) < 1e-5
    assert loss_of(teacher, torch.cat([labels, teacher], dim=1), Grades(), 4.0, 1.0).item() == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize(("step", "share"), [(0, 0.3), (35, 0.7375), (70, 0.8), (100, 0.8)])
def test_zeros_grow_along_the_polynomial_schedule(step: int, share: float) -> None:
    from models.lab.prune import Settings, sparsity_at

    assert sparsity_at(step, 100, Settings()) == pytest.approx(share)


def test_sparse_pruning_reaches_its_share_of_zeros(run: Path) -> None:
    from models.lab import net, prune

    grader, _ = net.load(run / "sparse" / "last.pt")
    grader.freeze(2)
    assert prune.sparsity_of(grader) == pytest.approx(0.8, abs=0.005)
    assert json.loads((run / "sparse" / "sparsity.json").read_text())["sparsity"] == pytest.approx(0.8, abs=0.005)


def test_channel_pruning_takes_channels_out_of_the_graph(run: Path) -> None:
    from models.lab import net

    before, after = (net.load(run / name / "last.pt")[0] for name in ("teacher", "narrow"))
    for had, has in zip(before.blocks[1:], after.blocks[1:], strict=True):
        assert has._expand_conv.out_channels == pytest.approx(had._expand_conv.out_channels / 2, abs=8)
    sizes = [(run / "export" / f"{name}.float32.onnx").stat().st_size for name in ("student", "narrow")]
    assert sizes[1] < 0.65 * sizes[0]


def test_channel_pruning_keeps_what_the_weightiest_channels_say() -> None:
    """A block whose dropped channels say nothing answers as before."""
    from models.lab import net, prune
    from models.lab.programme import named

    grader = net.Grader(64, net.SHAPES["light"], named("dr"), pretrained=False).eval()
    block = grader.blocks[3]
    silent = torch.arange(0, block._project_conv.in_channels, 2)
    with torch.no_grad():
        block._project_conv.weight[:, silent] = 0
        x = torch.rand(1, block._expand_conv.in_channels, 16, 16)
        before = block(x)
        net.narrow(block, prune.weightiest(block, block._project_conv.in_channels - len(silent)))
        assert torch.allclose(block(x), before, atol=1e-5)


def test_the_exported_graph_computes_what_the_network_does(run: Path, photographs: Path) -> None:
    from models.lab import course, data, net, quantise
    from models.lab.programme import named

    grader, size = net.load(run / "student" / "last.pt")
    assert size == 96
    pixels = data.load(named("dr"), photographs, "val", size).pixels[:6]
    found = quantise.run(run / "export" / "student.float32.onnx", pixels)
    assert np.abs(found - course.predict(grader, pixels)).max() < 1e-3


def test_the_map_adds_up_to_the_referable_logit(run: Path, photographs: Path) -> None:
    import onnxruntime

    from models.lab import data, head, net
    from models.lab.programme import named

    grader, size = net.load(run / "student" / "last.pt")
    session = onnxruntime.InferenceSession(str(run / "export" / "student.float32.onnx"))
    logits, found = session.run(
        ["logits", "map"], {"pixels": data.load(named("dr"), photographs, "val", size).pixels[:1]}
    )
    assert found.shape == (1, 6, 6)
    assert found.mean() + grader.out.bias[head.REFERABLE].item() == pytest.approx(logits[0, head.REFERABLE], abs=1e-3)


@pytest.mark.parametrize(("name", "per_channel"), [("int8-channel", True), ("int8-tensor", False)])
def test_quantised_weights_are_int8_and_the_filter_stays_float(run: Path, name: str, per_channel: bool) -> None:
    graph = onnx.load(str(run / "export" / f"student.{name}.onnx")).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    eight_bit = [t for t in weights.values() if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
    assert sum(int(np.prod(t.dims)) for t in eight_bit) > 350_000
    scales = [weights[node.input[1]] for node in graph.node
              if node.op_type == "DequantizeLinear" and node.input[0] in {t.name for t in eight_bit}]  # fmt: skip
    assert all((list(scale.dims) != []) == per_channel for scale in scales)
    first = next(at for at, node in enumerate(graph.node) if node.op_type == "QuantizeLinear")
    assert {"Resize", "AveragePool", "Sub"} <= {node.op_type for node in graph.node[:first]}
    assert (run / "export" / f"student.{name}.onnx").stat().st_size < 600_000


@pytest.mark.parametrize(
    ("name", "smaller", "error"),
    [("float16", 1.8, 0.1), ("int8-dynamic", 2.4, 1.0), ("int4", 4.5, 3.0), ("binary", 9.0, 99.0)],
)
def test_every_format_is_as_small_as_its_bits_and_answers(run: Path, name: str, smaller: float, error: float) -> None:
    found = json.loads((run / "export" / "student.quantise.json").read_text())
    assert found["float32"]["bytes"] / found[name]["bytes"] > smaller
    assert found[name]["logit_error"] < error


def test_four_bits_and_one_are_really_packed(run: Path) -> None:
    kinds = {}
    for name in ("int4", "binary"):
        graph = onnx.load(str(run / "export" / f"student.{name}.onnx")).graph
        kinds[name] = {tensor.data_type for tensor in graph.initializer}
    assert onnx.TensorProto.INT4 in kinds["int4"]
    assert onnx.TensorProto.UINT8 in kinds["binary"]


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
    from models.lab import train
    from models.lab.settings import read
    from models.lab.train import Settings

    assert read(Settings, ["--batch", "4", "--rate", "0.1"]).batch == 4
    for words in (["--bacth", "4"], ["batch", "4"], ["--batch"], ["--batch", "many"]):
        with pytest.raises(ValueError, match=r"setting|pairs|invalid"):
            read(Settings, words)
    for name in ("wheat", "lab", "../dr"):
        with pytest.raises(ValueError, match=r"unknown programme .* known: dr, maize"):
            read(Settings, ["--programme", name])
    with pytest.raises(ValueError, match="unknown stage pretrain; maize has tune"):
        train.train(Settings(programme="maize", stage="pretrain"))


def test_a_programmes_settings_stand_in_for_defaults_but_not_for_what_is_given() -> None:
    from models.lab.settings import read
    from models.lab.train import Settings

    assert read(Settings, []) == Settings()
    assert read(Settings, ["--programme", "maize"]).mix == 0 != Settings().mix
    assert read(Settings, ["--programme", "maize", "--mix", "3"]).mix == 3


def test_unknown_labels_do_not_pull() -> None:
    """A missing oedema label adds nothing to the loss, whatever the logit."""
    from models.lab.head import Grades

    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0, float("nan")]])
    one, other = (Grades().loss(torch.tensor([[0.0, 0.0, 0.0, 0.0, z]]), targets) for z in (-9.0, 9.0))
    assert one == other


def test_freezing_keeps_the_first_blocks() -> None:
    from models.lab.net import SHAPES, Grader
    from models.lab.programme import named

    net = Grader(64, SHAPES["full"], named("dr"), pretrained=False)
    net.freeze(3)
    net.train()
    loss: Any = net(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).sum()
    loss.backward()
    assert net.stem.weight.grad is None
    assert all(p.grad is None for block in net.blocks[:3] for p in block.parameters())
    assert net.blocks[3]._depthwise_conv.weight.grad is not None


def test_the_mean_of_two_networks_lies_between_them(
    run: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from models.lab import average, net

    monkeypatch.setattr(average, "RUNS", tmp_path)
    both = [run / name / "last.pt" for name in ("student", "taught")]
    common: dict[str, Any] = {"folder": str(photographs), "side": 128, "batch": 8, "threads": 1}
    path = average.average(average.Settings(of=",".join(map(str, both)), run="mean", **common))
    one, other, mean = (net.load(each)[0].out.weight for each in (*both, path))
    torch.testing.assert_close(mean, (one + other) / 2)
    with pytest.raises(ValueError, match="checkpoints of one shape"):
        average.average(average.Settings(of=f"{both[0]},{run / 'narrow' / 'last.pt'}", run="mean"))


def test_two_networks_export_as_their_mean(run: Path, tmp_path: Path) -> None:
    from models.lab import export, net
    from models.lab.quantise import run as logits_of

    both = [run / name / "last.pt" for name in ("student", "taught")]
    path = export.main(export.Settings(",".join(map(str, both)), str(tmp_path / "both.onnx"), 96))
    pixels = np.random.default_rng(3).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = sum(net.load(each, 96)[0](torch.from_numpy(pixels)) for each in both) / 2
    np.testing.assert_allclose(logits_of(path, pixels), expected.numpy(), atol=1e-3)
