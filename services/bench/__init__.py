"""Measurements of the real thing: every figure in the README comes from one of these."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib import import_module, metadata
from tempfile import TemporaryDirectory
from typing import Any

BENCHES = {
    "app": "services.bench.webapp:webapp",
    "chaos": "services.bench.chaos:chaos",
    "fuzz": "services.bench.fuzz:fuzz",
    "hosts": "services.bench.hosts:hosts",
    "inference": "services.bench.inference:inference",
    "pipeline": "services.bench.pipeline:pipeline",
    "ussd": "services.bench.ussd:ussd",
    "memory": "services.bench.memory:memory",
    "outage": "services.bench.outage:outage",
    "speech": "services.speech.bench:bench",
    "sync": "services.bench.sync:sync",
    "screening": "services.bench.screening:screening",
    "sites": "services.bench.sites:sites",
    "soak": "services.bench.soak:soak",
    "updates": "services.bench.updates:updates",
}


OPTIONS = {
    "ussd": "seconds",
    "soak": "seconds",
    "chaos": "rounds",
    "hosts": "rounds",
    "fuzz": "inputs",
    "inference": "programme",
}
"""Which option of the command a measurement knows."""


class CannotMeasure(Exception):
    """What a measurement needs is not here; the text says what to do."""


def run_bench(what: str, **options: Any) -> dict[str, Any]:
    """Runs one measurement, with the one of OPTIONS that it knows, and says on what it ran. Raises CannotMeasure."""
    module, function = BENCHES[what].split(":")
    measure: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
    with TemporaryDirectory(prefix="jicho-keys-") as folder:
        os.environ["XDG_CONFIG_HOME"] = folder  # the keyrings of what is measured, which is gone after it
        figures = measure(**options)
    return {"bench": what, **figures, "machine": _machine()}


def _machine() -> dict[str, Any]:
    import psutil

    versions = {name: metadata.version(name) for name in ("onnxruntime", "rq", "flask", "piper-tts")}
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": psutil.cpu_count(),
        "load_1m": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
        **versions,
    }
