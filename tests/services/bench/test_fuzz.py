"""What the fuzzer begins with: every seed of every target is read, and the shares are those of a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.bench import fuzz
from services.bench.fuzz import parsers
from services.bench.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[3]
PARSERS = [name for name, target in TARGETS.items() if target.module.endswith("parsers")]


def test_the_shares_are_those_of_a_whole() -> None:
    assert sum(target.share for target in TARGETS.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", PARSERS)
def test_parsers_read_their_seeds_and_pieces_of_them(name: str) -> None:
    run, seeds = parsers.prepare(name), parsers.seeds(name)
    assert seeds
    for seed in seeds:
        assert len(seed) <= TARGETS[name].longest
        for size in range(0, len(seed) + 1, max(1, len(seed) // 7)):
            run(seed[:size])


@pytest.mark.parametrize("name", ["gateway", "hub"])
def test_doors_answer_their_seeds(name: str, tmp_path: Path) -> None:
    """In a process of its own, as they are fuzzed: a door opens its own store."""
    code = (
        "import sys; from services.bench.fuzz.targets import TARGETS; target = TARGETS[sys.argv[1]]; "
        "run = target.prepare(); [run(seed) for seed in target.seeds()]"
    )
    environment = os.environ | {"FUZZ_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, name], env=environment, check=True, cwd=ROOT)


LOG = """#2\tINITED cov: 9 ft: 9 corp: 1/1b exec/s: 0 rss: 40Mb
slowest 0.0100
#512\tpulse  cov: 9 ft: 9 corp: 1/1b lim: 4 exec/s: 256 rss: 41Mb
slowest 0.2500
#1000\tDONE   cov: 9 ft: 9 corp: 1/1b lim: 4 exec/s: 256 rss: 44Mb
stat::number_of_executed_units: 1000
"""


def test_the_fuzzers_log_is_read() -> None:
    expected = {"inputs": 1000, "broken_by": "", "slowest_cpu_s": 0.25, "rss_early_mb": 41, "rss_mb": 44}
    assert fuzz._read(LOG, failed=False) == expected
    assert "DONE" in str(fuzz._read(LOG, failed=True)["broken_by"])
