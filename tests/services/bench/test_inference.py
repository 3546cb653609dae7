"""The measurement of tiers, in fresh processes as it runs for the README: every figure there and of a sensible size."""

from __future__ import annotations

import json

from click.testing import CliRunner

from app import main
from services.inference.manifest import load
from services.screening.engines import MODELS


def test_every_tier_has_every_figure() -> None:
    tiers = load(MODELS, "dr").tiers
    done = CliRunner().invoke(main, ["bench", "inference", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["tiers"].keys() == tiers.keys()
    for name, figures in found["tiers"].items():
        assert figures["file_bytes"] == tiers[name].bytes
        assert 0 < figures["p50_ms"] <= figures["p95_ms"]
        assert figures["end_to_end_p50_ms"] > figures["p50_ms"]
        assert 40 < figures["rss_mb"] < 160
        assert 0.5 < figures["float32_ratio"] < 5
