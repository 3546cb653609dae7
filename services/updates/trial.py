"""Tries a release before anybody relies on it: loads every model and runs its golden cases; has a voice speak.

In a process of its own: what a bad graph does to its process it does to that one, and the memory goes back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.updates.releases import Kind

_TIME_S = 600  # a Raspberry Pi needs half a minute for three tiers with their golden cases
_ROOT = Path(__file__).resolve().parents[2]
_NICE = 10


class TrialFailed(Exception):
    """The release did not pass. `permanent`: it was found bad; otherwise the trial itself could not be finished."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


def try_out(kind: Kind, folder: Path, name: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """Tries what lies in `folder`: a `models` folder with the programme `name`, or the two files of a voice, for which
    it says how the voice speaks its language ({"name", "english", "remap"}). Raises TrialFailed."""
    command = [
        sys.executable,
        "-m",
        "services.updates.trial",
        kind,
        str(folder.absolute()),
        name,
        json.dumps(dict(about)),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=_TIME_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise TrialFailed(f"the trial took more than {_TIME_S} s", permanent=False) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise TrialFailed(f"the trial ended with status {done.returncode} {last}".strip(), permanent=False) from None
    if "error" in answer:
        raise TrialFailed(str(answer["error"]), permanent=True)
    return answer


def look_at_model(folder: Path, programme: str) -> dict[str, Any]:
    """Loads every tier, which runs its golden cases. {"error": …} if one fails."""
    from services.inference.manifest import ModelError, load
    from services.inference.opening import open_engine
    from services.inference.risk import PROGRAMME, RiskModel

    try:
        if programme == PROGRAMME:
            RiskModel(folder)
        else:
            for tier in load(folder, programme).tiers:
                open_engine(folder, programme, tier)
    except ModelError as error:
        return {"error": str(error)}
    return {}


def look_at_voice(folder: Path, name: str, language: str) -> dict[str, Any]:
    """How the voice says a language, or {"error": …}."""
    from services.calls.script import every_text
    from services.speech.fitting import fit
    from services.speech.installed import BadVoice

    try:
        choice = fit(folder, name, language, every_text(language))
    except BadVoice as error:
        return {"error": str(error)}
    return {"name": choice.name, "english": choice.english, "remap": dict(choice.remap)}


def _main(kind: str, folder: str, name: str, about: str) -> None:
    os.nice(_NICE)
    found = (
        look_at_model(Path(folder), name)
        if kind == "models"
        else look_at_voice(Path(folder), name, json.loads(about)["language"])
    )
    print(json.dumps(found))


if __name__ == "__main__":
    _main(*sys.argv[1:])
