"""The measurement of tiers, in fresh processes as it runs for the README: every figure there and of a sensible size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import main
from services.bench import inference as bench
from services.inference.manifest import load
from services.screening.engines import MODELS


@pytest.mark.parametrize("known", [True, False])
def test_every_tier_has_every_figure(tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RELEASE", tmp_path)
    tiers = load(MODELS, "dr").tiers
    if known:
        for tier in tiers.values():  # against itself: the ratio is near one
            shutil.copy(tier.file, tmp_path / f"{tier.name}.float32.onnx")
    done = CliRunner().invoke(main, ["bench", "inference", "--json", "--float32", str(tmp_path)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["tiers"].keys() == tiers.keys()
    for name, figures in found["tiers"].items():
        assert figures["file_bytes"] == tiers[name].bytes
        assert 0 < figures["p50_ms"] <= figures["p95_ms"]
        assert figures["end_to_end_p50_ms"] > figures["p50_ms"]
        assert 40 < figures["rss_mb"] < 160
        if known:
            assert 0.5 < figures["float32_ratio"] < 2
        else:
            assert figures["float32_ratio"] is None
            assert figures["float32_missing"].startswith(f"no {name}.float32.onnx")
