"""Installed into a folder of its own: everything in its place, upgrades that keep data, a bad one that is undone."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from services.store.schema import newest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "services" / "deploy"
RELEASED = ROOT / "tests" / "services" / "store" / "released" / "0.1.0.sql"
UNITS = sorted(DEPLOY.glob("*.service"))


def script(name: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("JICHO_") and k not in ("DATABASE_URL", "REDIS_URL")
    }
    given = kept | {"DESTDIR": str(root), "VENV": sys.prefix, **environment}
    return subprocess.run([DEPLOY / name], env=given, cwd=root, capture_output=True, text=True, check=False)


def schema(store: Path) -> str:
    database = sqlite3.connect(store)
    found: str = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    database.close()
    return found


def test_a_bad_upgrade_is_undone_and_a_good_one_keeps_everything(tmp_path: Path) -> None:
    current, state = tmp_path / "opt" / "jicho" / "current", tmp_path / "var" / "lib" / "jicho"
    store, keys = state / "data" / "jicho.db", tmp_path / "var" / "lib" / "jicho-keys"
    # A site that ran the first release, on which something is broken: others can read its secrets.
    old = tmp_path / "opt" / "jicho" / "releases" / "0.1.0"
    settings = tmp_path / "etc" / "jicho" / "jicho.env"
    for folder in (old, settings.parent, store.parent):
        folder.mkdir(parents=True)
    current.symlink_to("releases/0.1.0")
    database = sqlite3.connect(store)
    database.executescript(RELEASED.read_text())
    database.close()
    settings.write_text((DEPLOY / "settings.env").read_text() + "JICHO_CLINIC=Siaya\n")
    settings.chmod(0o644)

    bad = script("install", tmp_path)
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "holds secrets and others on this machine can read it" in bad.stdout
    assert "0.1.0 runs again, on the store as it was" in bad.stdout
    assert current.resolve() == old
    assert schema(store) == "0001"
    assert [path.name for path in old.parent.iterdir()] == ["0.1.0"]

    settings.chmod(0o640)
    good = script("install", tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert current.resolve() != old
    assert old.is_dir(), "the one before stays, for a roll-back by hand"
    assert schema(store) == newest()
    assert "JICHO_CLINIC=Siaya" in settings.read_text()
    assert (current / "app.py").is_file()
    assert (current / "models" / "dr" / "manifest.json").is_file()
    assert not (current / "tests").exists()
    assert (tmp_path / "etc" / "systemd" / "system" / "jicho.service").is_file()
    assert os.access(tmp_path / "usr" / "local" / "bin" / "jicho", os.X_OK)
    assert [path.stat().st_mode & 0o077 for path in (state, keys, keys / "site.json")] == [0o050, 0, 0]

    assert script("uninstall", tmp_path).returncode == 0
    assert not current.exists()
    assert not list((tmp_path / "etc" / "systemd" / "system").iterdir())
    assert store.is_file()
    assert script("uninstall", tmp_path, PURGE="yes").returncode == 0
    assert not state.exists()
    assert not keys.exists()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_hold_what_they_promise(unit: Path) -> None:
    said = dict(re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE))
    expected = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "Restart": "always", "KillMode": "mixed"}
    assert expected.items() <= said.items()
    assert said["CapabilityBoundingSet"] == ""
    assert {"MemoryMax", "TimeoutStopSec", "User", "UMask"} <= said.keys()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs Debian's package systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_the_units_and_finds_them_closed(unit: Path, tmp_path: Path) -> None:
    shown = tmp_path / unit.name
    shown.write_text(unit.read_text().replace("/opt/jicho/current/.venv/bin/python", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", shown], capture_output=True, text=True, check=False)
    complaints = [line for line in checked.stderr.splitlines() if unit.name in line and "man:" not in line]
    assert complaints == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", shown],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_COLORS": "0"},
    )
    assert rated.returncode == 0, rated.stdout[-600:] + rated.stderr
