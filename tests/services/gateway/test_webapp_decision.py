"""The browser's rules for what happens to a patient, on every short history of two eyes, against the server's."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

from services.commands.webapp import APP
from services.screening.decision import outcome_of_patient

FINDINGS = ("refer", "rescreen", "retake", "doubtful")
LONGEST = 3  # a third photograph comes after two abstentions at most
_BUILD = """
import { build } from "vite";
const lib = { entry: "src/decision.ts", formats: ["es"], fileName: () => "decision.mjs" };
await build({ configFile: false, logLevel: "error", build: { lib, outDir: process.argv[1], emptyOutDir: false } });
"""
_DECIDE = """
import { readFileSync } from "node:fs";
const { outcomeOfPatient } = await import(process.argv[1]);
const cases = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(([left, right, one, urgent]) => outcomeOfPatient({ left, right }, one, urgent))));
"""


def test_every_short_history_ends_as_on_the_server(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "the set-up builds the app with it"
    run = [node, "--input-type=module", "-e"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run([*run, _BUILD, str(tmp_path)], cwd=APP, env=environment, check=True)
    histories = [list(each) for length in range(LONGEST + 1) for each in itertools.product(FINDINGS, repeat=length)]
    flags = (False, True)
    cases = list(itertools.product(histories, histories, flags, flags))
    decided = subprocess.run(
        [*run, _DECIDE, str(tmp_path / "decision.mjs")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [
        outcome_of_patient({"left": left, "right": right}, one_eye=one, urgent=urgent)
        for left, right, one, urgent in cases
    ]
    assert json.loads(decided.stdout) == expected
