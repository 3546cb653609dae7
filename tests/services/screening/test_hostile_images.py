"""Hostile files, read as a worker reads them: it lives on, says what each is, and stays within its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import corpus

from services.launcher import INFERENCE_ENVIRONMENT

APP = Path(__file__).parents[3] / "app.py"
MOST_MB = 400
# Tells the most memory that its own child held: asked of a child of the tests, the kernel counts their memory too.
WATCHED = """
import resource, subprocess, sys
status = subprocess.run([sys.executable, *sys.argv[1:]]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("hostile")
    written = []
    for name, content in corpus():
        path = folder / name
        assert not path.exists(), f"two files are called {name}"
        path.write_bytes(content)
        written.append(path)
    return written


def test_every_file_gets_an_answer_and_no_worker_dies(files: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(APP), "screen", "--json", "--tier", "light", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | INFERENCE_ENVIRONMENT,
    )
    assert done.returncode == 1, "some are no photographs, and nothing worse happened"
    assert int(done.stderr.split()[-1]) / 1024 < MOST_MB
    answers = {Path(answer["image"]).name: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert set(answers) == {path.name for path in files}
    for name, answer in answers.items():
        assert ("error" in answer) != ("outcome" in answer), name
        if "error" in answer:
            assert answer["error"].startswith("photo-"), name


def test_the_corpus_reaches_the_model_and_every_refusal(files: list[Path]) -> None:
    """A corpus that was refused at the door for one reason would show nothing."""
    assert len(files) > 600
    assert {path.name.partition("-")[0] for path in files} >= {
        "bomb",
        "largest",
        "polyglot",
        "cut",
        "format",
        "exif",
        "icc",
    }
