"""`forget`, `export`, `keys` and `audit` as an operator types them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from phones import PATIENT, WORKER, open_case

import app
from services.runtime import Runtime
from services.store.keyring import site_keys
from services.store.migrate import migrate
from services.store.tables import METADATA


@pytest.fixture
def site(site: Runtime) -> Runtime:
    """With the schema that commands look for."""
    with site.db.write() as tx:
        METADATA.drop_all(tx)
    migrate(site.db)
    open_case(site)
    return site


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app.main, list(arguments), input=typed)


@pytest.mark.usefixtures("site")
def test_forgetting_asks_first_and_says_what_it_did() -> None:
    assert run("forget", PATIENT, typed="n\n").exit_code == 1
    refused = run("forget", WORKER, "--yes")
    assert refused.exit_code == 1
    assert "worker remove" in refused.output
    assert "1 screenings" in run("forget", "0722 000 002", typed="y\n").output
    assert run("forget", PATIENT, "--yes").output == "Nothing was kept of this number.\n"


@pytest.mark.usefixtures("site")
def test_an_export_is_a_zip_file(tmp_path: Path) -> None:
    assert "1 screenings" in run("export", PATIENT, str(tmp_path / "hers.zip")).output
    assert zipfile.ZipFile(tmp_path / "hers.zip").namelist() == ["person.json"]


@pytest.mark.usefixtures("site")
def test_keys_are_shown_without_a_key_and_rotated() -> None:
    before = site_keys().ring
    shown = run("keys", "show").output
    assert str(site_keys().path) in shown
    assert before.current in shown
    assert before.keys[before.current].hex() not in shown
    assert "have a new key" in run("keys", "rotate").output
    assert before.current not in run("keys", "show").output


def test_the_log_tells_who_did_what_and_is_verified(site: Runtime) -> None:
    run("keys", "rotate")
    run("worker", "remove", WORKER)
    shown = run("audit", "show", "--last", "2").output
    assert "keys-rotated" in shown
    assert "worker-remove" in shown
    assert WORKER not in shown
    whole = run("audit", "verify")
    assert whole.exit_code == 0
    head = whole.output.split()[-1]
    assert run("audit", "verify", "--head", head).exit_code == 0
    assert run("audit", "verify", "--head", "x").exit_code == 2
    with site.db.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER audit_no_update")
        tx.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE number = 1")
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "entry 1 was changed" in broken.output
