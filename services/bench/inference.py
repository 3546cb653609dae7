"""What each released tier costs: bytes, milliseconds, memory. One thread, a fresh process for each thing measured."""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.bench.percentile import percentile
from services.inference.manifest import Tier, load
from services.launcher import INFERENCE_ENVIRONMENT
from services.programmes import FIRST, installed
from services.screening.engines import MODELS

if TYPE_CHECKING:
    from PIL import Image

ALL = "all"
_ROOT = Path(__file__).resolve().parents[2]
_PHOTOGRAPHS = 8
_WARM, _ROUNDS = 10, 60


def inference(programme: str = FIRST) -> dict[str, Any]:
    """For each tier `file_bytes`, `p50_ms`, `p95_ms` of one pass through the graph (a reading takes `views` passes),
    `end_to_end_p50_ms` from the bytes of a drawn JPEG of 1600 × 1600 pixels to an outcome, `rss_mb` of a process that
    loaded the engine and read photographs for that, and `float32_ratio`: how many times as long the same graph takes
    in float32, in the same process, turn and turn about. Of one programme, or under `programmes` of all."""
    if programme == ALL:
        return {"programmes": {name: inference(name)["tiers"] for name in installed()}}
    found = {}
    with tempfile.TemporaryDirectory(prefix="jicho-") as directory:
        _draw(programme, Path(directory))
        for tier in load(MODELS, programme).tiers.values():
            found[tier.name] = _tier(replace(tier, name=f"{programme}/{tier.name}"), Path(directory))
    return {"programme": programme, "tiers": found}


def _tier(tier: Tier, photographs: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {"file_bytes": tier.file.stat().st_size, "views": tier.views}
    figures |= measured("graph", tier.name)
    figures |= measured("end-to-end", tier.name, str(photographs))
    return figures | measured("ratio", tier.name)


def measured(what: str, tier: str, *arguments: str) -> dict[str, Any]:
    """One measurement in a process of its own. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", "services.bench.inference", what, tier, *arguments]
    done = subprocess.run(
        command, cwd=_ROOT, env=os.environ | INFERENCE_ENVIRONMENT, stdout=subprocess.PIPE, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _draw(programme: str, directory: Path) -> None:
    for seed in range(_PHOTOGRAPHS):
        file = io.BytesIO()
        _drawn(programme, seed, 1600).save(file, "JPEG", quality=85)
        (directory / f"{seed}.jpg").write_bytes(file.getvalue())


def _drawn(programme: str, seed: int, size: int) -> Image.Image:
    """A picture of what the programme looks at, of nobody."""
    drawn: Image.Image = import_module(f"models.{programme}.phantom").draw(seed, size)
    return drawn


def _of(tier: str) -> tuple[str, Tier]:
    """`light`, or with its programme `maize/light`."""
    programme, _, name = tier.rpartition("/")
    programme = programme or FIRST
    manifest = load(MODELS, programme)
    return programme, manifest.tier(name)


def graph(tier: str) -> dict[str, Any]:
    """Milliseconds of one pass through the shipped graph."""
    programme, chosen = _of(tier)
    run = _pass(programme, chosen.file.read_bytes(), chosen.size)
    times = [_milliseconds(run) for _ in range(_WARM + 2 * _ROUNDS)][_WARM:]
    return {"p50_ms": round(statistics.median(times), 2), "p95_ms": round(percentile(times, 0.95), 2)}


def ratio(tier: str) -> dict[str, Any]:
    """How many times as long float32 takes: both graphs in this process, taking turns so that noise meets both."""
    from services.bench.float32 import float32

    programme, chosen = _of(tier)
    shipped = chosen.file.read_bytes()
    small, large = _pass(programme, shipped, chosen.size), _pass(programme, float32(shipped), chosen.size)
    pairs = [(_milliseconds(small), _milliseconds(large)) for _ in range(_WARM + _ROUNDS)][_WARM:]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {"float32_ratio": round(theirs / ours, 2), "float32_p50_ms": round(theirs, 2)}


def end_to_end(tier: str, photographs: str) -> dict[str, Any]:
    """Milliseconds from the bytes of a photograph to its outcome, and the MiB this process then holds: what reading
    needs. A worker holds store and queue besides; `bench memory` counts it whole."""
    import psutil

    from services.inference.engine import Reading
    from services.inference.opening import open_engine
    from services.screening.sanitise import sanitise

    programme, chosen = _of(tier)
    engine = open_engine(MODELS, programme, chosen.name)
    files = [path.read_bytes() for path in sorted(Path(photographs).glob("*.jpg"))]
    times, gradable = [], 0
    for round_ in range(5):
        for content in files:
            began = time.perf_counter()
            reading = engine.read(sanitise(content).image)
            if round_:
                times.append(1000 * (time.perf_counter() - began))
                gradable += not isinstance(reading, Reading) or reading.quality.gradable
    # What the quality gate stops never reaches the model and would flatter the median.
    assert gradable == len(times), "a drawn retina was found ungradable"
    rss_mb = psutil.Process().memory_info().rss / 2**20
    return {"end_to_end_p50_ms": round(statistics.median(times), 2), "rss_mb": round(rss_mb, 1)}


def _pass(programme: str, content: bytes, size: int) -> Callable[[], object]:
    import numpy as np

    from services.inference.session import open_session

    session = open_session(content)
    fed = {session.get_inputs()[0].name: np.asarray(_drawn(programme, 1, size))[None]}
    logits = next(output.name for output in session.get_outputs() if output.name != "map")
    return lambda: session.run([logits], fed)


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


_MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "graph": graph,
    "end-to-end": end_to_end,
    "ratio": ratio,
}


def main() -> None:
    """Takes one measurement in this process and prints it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m services.bench.inference", description=main.__doc__)
    parser.add_argument("what", choices=sorted(_MEASURES))
    parser.add_argument("tier")
    parser.add_argument("arguments", nargs="*")
    asked = parser.parse_args()
    print(json.dumps(_MEASURES[asked.what](asked.tier, *asked.arguments)))


if __name__ == "__main__":
    main()
