"""The table of formats and its plot: what each compression costs and saves, measured on this machine.

    python -m models.lab.report --why "release 0.3.0"

Every graph in the folder of exports is measured alone, one view of the square a photograph, over the photographs that
the quality gate lets through: its temperature and its threshold are frozen on val as a tier's are, then applied to
test. Latency and memory are of a fresh process with one thread. Writes models/dr/report.json and models/dr/formats.svg,
which `card` shows; without `--why` the test split is left alone and only the val columns are filled.
"""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.lab import looks
from models.lab.head import REFERABLE
from models.lab.limits import Bools, Floats, sigmoid, temperature_of, threshold_for
from models.lab.quantise import run, side_of
from models.lab.release_grades import Settings as Release
from models.lab.release_grades import gradable
from models.lab.settings import RUNS, read
from models.lab.tiers import MODELS
from services.inference.evaluate import auc, auc_interval, calibration_error

ROWS = {
    "teacher.float32": "the two teachers together, float32",
    "full.float32": "full: distilled student, averaged with its start, float32",
    "full.float16": "full, float16",
    "full.int8-dynamic": "full, int8 dynamic",
    "full.int8-tensor": "full, int8 static, a scale a tensor",
    "full.int8-channel": "full, int8 static, a scale a channel",
    "full.int4": "full, int4 weights",
    "full.binary": "full, binary weights",
    "sparse.float32": "full with 80 % of its weights pruned, float32",
    "sparse.int8-channel": "full with 80 % of its weights pruned, int8 static",
    "narrow.float32": "full with three in ten channels pruned, then taught, float32",
    "narrow": "full with three in ten channels pruned, then taught, int8 static",
    "medium.float32": "medium: the first thirteen blocks of full, float32",
    "medium": "medium, int8 static",
    "light.float32": "light: the first nine blocks of full, float32",
    "light": "light, int8 static",
    "light-taught.float32": "light in five epochs from ImageNet weights, taught, float32",
    "light-untaught.float32": "the same in the same five epochs from labels alone, float32",
}

# In a process of its own: nothing but the runtime is loaded, so that the peak is what the graph takes.
WEIGH = """
import json, pathlib, sys, time
import numpy as np, onnxruntime
def peak():  # of this program alone: ru_maxrss would begin with its parent's
    return int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.enable_cpu_mem_arena = False
options.add_session_config_entry("session.x64quantprecision", "1")
options.log_severity_level = 3
before = peak()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
pixels = np.random.default_rng(1).integers(0, 256, session.get_inputs()[0].shape, dtype=np.uint8)
took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    session.run(["logits"], {"pixels": pixels})
    took.append(1000 * (time.perf_counter() - began))
print(json.dumps({"ms": took[3:], "peak_mb": peak() - before}))
"""


@dataclass
class Settings:
    export: str = str(RUNS / "dr" / "export")
    gate: str = str(RUNS / "dr" / "quality.json")
    models: str = str(MODELS)
    why: str = ""  # must be given for the test split to be looked at
    runs: int = 23  # of each graph in each of the rounds
    rounds: int = 5


def figures(probability: Floats, positive: Bools, threshold: float) -> dict[str, float]:
    low, high = auc_interval(positive, probability)
    found = {
        "auc": auc(positive, probability),
        "auc_low": low,
        "auc_high": high,
        "sensitivity": (probability >= threshold)[positive].mean(),
        "specificity": (probability < threshold)[~positive].mean(),
        "ece": calibration_error(positive, probability),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def weigh(graphs: list[Path], runs: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds and peak megabytes of each graph, in turns, so that a busy moment hits all alike."""
    times: dict[str, list[float]] = {path.name: [] for path in graphs}
    peaks: dict[str, list[float]] = {path.name: [] for path in graphs}
    for _ in range(rounds):
        for path in graphs:
            command = [sys.executable, "-c", WEIGH, str(path), str(runs)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            times[path.name] += found["ms"]
            peaks[path.name].append(found["peak_mb"])
    return {
        name: {"p50_ms": round(statistics.median(times[name]), 2), "peak_mb": round(statistics.median(peaks[name]), 1)}
        for name in times
    }


def main(settings: Settings) -> dict[str, Any]:
    """Measure every row whose graph exists."""
    export, folder = Path(settings.export), Path(settings.models) / "dr"
    gate = json.loads(Path(settings.gate).read_text())
    splits = {split: gradable(split, gate) for split in (["val", "test"] if settings.why else ["val"])}
    graphs = [export / f"{name}.onnx" for name in ROWS if (export / f"{name}.onnx").exists()]
    costs = weigh(graphs, settings.runs, settings.rounds)
    rows: list[dict[str, Any]] = []
    for path in graphs:
        name = path.name.removesuffix(".onnx")
        logits = {key: run(path, part.squares(side_of(path)))[:, REFERABLE] for key, part in splits.items()}
        temperature = temperature_of(logits["val"], splits["val"].positive)
        risk = {key: sigmoid(values / temperature) for key, values in logits.items()}
        threshold = round(threshold_for(Release.sensitivity, risk["val"], splits["val"].positive), 4)
        content = path.read_bytes()
        rows.append(
            {
                "name": name,
                "says": ROWS[name],
                "bytes": len(content),
                "gzip_bytes": len(gzip.compress(content)),
                **costs[path.name],
                "threshold": threshold,
                **{key: figures(risk[key], part.positive, threshold) for key, part in splits.items()},
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    counted = {key: len(part.positive) for key, part in splits.items()}
    result = {"processor": processor(), "photographs": counted, "rows": rows, "curve": learning_curve()}
    (folder / "report.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(rows, folder / "formats.svg")
    if settings.why:
        looks.note(folder, f"table of formats: {settings.why}", {row["name"]: row["test"] for row in rows})
    return result


def learning_curve() -> list[dict[str, float]]:
    """Share of the photographs that a network learnt from, to its AUC on val, of the runs `curve-<share>`."""
    runs = {float(path.name.removeprefix("curve-")): path for path in (RUNS / "dr").glob("curve-*")}
    logs = {share: json.loads((path / "metrics.json").read_text()) for share, path in sorted(runs.items())}
    return [{"share": share, "val_auc": log[-1]["val_auc"]} for share, log in logs.items()]


def processor() -> str:
    """The processor's name, since milliseconds mean nothing without it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """AUC with its interval against file size; the colour tells the latency."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "jicho", "font.size": 9})
    from matplotlib import pyplot

    split = "test" if all("test" in row for row in rows) else "val"
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    x = [row["bytes"] / 1e6 for row in rows]
    y = [row[split]["auc"] for row in rows]
    bars = [[row[split]["auc"] - row[split]["auc_low"] for row in rows],
            [row[split]["auc_high"] - row[split]["auc"] for row in rows]]  # fmt: skip
    axes.errorbar(x, y, yerr=bars, fmt="none", ecolor="0.8", zorder=1)
    dots = axes.scatter(x, y, c=[row["p50_ms"] for row in rows], cmap="viridis", s=45, zorder=2)
    for row, across, up in zip(rows, x, y, strict=True):
        axes.annotate(row["name"], (across, up), textcoords="offset points", xytext=(6, 4), fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("file, megabytes")
    axes.set_ylabel(f"AUC for referable retinopathy, {split}, 95 % bootstrap")
    axes.grid(alpha=0.3)
    figure.colorbar(dots, label="median milliseconds, one thread")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main(read(Settings))
