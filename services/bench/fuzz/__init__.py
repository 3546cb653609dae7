"""Does any input break a parser or a door? Coverage-guided, by atheris (libFuzzer), each target in its own process.

A parser may refuse in its own vocabulary and in no other way; a door may answer anything below 500. Nothing may take a
second of processor time, and memory must not grow with the number of inputs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from services.bench import CannotMeasure
from services.bench.fuzz.targets import TARGETS

_ROOT = Path(__file__).resolve().parents[3]
_PATIENCE_S = 7200
_SLOWEST_S = 10  # of wall-clock time, since this machine is shared; processor time is judged besides
_PULSE = re.compile(r"^#(\d+)\s.*rss: (\d+)Mb", re.MULTILINE)


def fuzz(inputs: int = 1_000_000) -> dict[str, Any]:
    """`inputs` run, `broken` (exceptions, answers from 500, and crashes), `hung` (over a second of processor time),
    and for each target: inputs, what broke it, the slowest one in seconds, memory in MB after a tenth of the inputs
    and at the end. Raises CannotMeasure."""
    if find_spec("atheris") is None:
        raise CannotMeasure("atheris is missing: .venv/bin/pip install -r services/bench/fuzz/requirements.txt")
    found = {name: _run(name, max(1, round(inputs * target.share))) for name, target in TARGETS.items()}
    return {
        "inputs": sum(one["inputs"] for one in found.values()),
        "broken": sum(bool(one["broken_by"]) for one in found.values()),
        "hung": sum(one["slowest_cpu_s"] > 1 for one in found.values()),
        "grew_mb": max(one["rss_mb"] - one["rss_early_mb"] for one in found.values()),
        "targets": found,
    }


def _run(name: str, inputs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jicho-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(TARGETS[name].seeds()):
            (corpus / str(number)).write_bytes(seed)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "services.bench.fuzz.process",
                name,
                str(corpus),
                f"-runs={inputs}",
                f"-max_len={TARGETS[name].longest}",
                f"-timeout={_SLOWEST_S}",
                "-rss_limit_mb=1024",
                "-seed=7",
                f"-artifact_prefix={folder}/",
                "-print_final_stats=1",
            ],
            cwd=_ROOT,
            env=_environment(Path(folder)),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    return _read(done.stderr, failed=done.returncode != 0)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JICHO_")}
    return kept | {"FUZZ_FOLDER": str(folder), "PYTHONWARNINGS": "ignore"}


def _read(log: str, *, failed: bool) -> dict[str, Any]:
    pulses = [(int(at), int(rss)) for at, rss in _PULSE.findall(log)]
    last = re.search(r"stat::number_of_executed_units:\s*(\d+)", log)
    slowest = re.findall(r"^slowest ([0-9.]+)$", log, re.MULTILINE)
    inputs = int(last.group(1)) if last else (pulses[-1][0] if pulses else 0)
    early = [rss for at, rss in pulses if at >= inputs / 10]
    return {
        "inputs": inputs,
        "broken_by": log[-1500:] if failed else "",
        "slowest_cpu_s": float(slowest[-1]) if slowest else 0.0,
        "rss_early_mb": early[0] if early else 0,
        "rss_mb": pulses[-1][1] if pulses else 0,
    }
