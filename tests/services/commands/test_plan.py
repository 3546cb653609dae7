"""`python app.py plan`: by options, by questions, and by measuring the machine that runs these tests."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from served_hub import ServedHub
from update_hub import SHIPPED, risk_release

from app import main
from services.runtime import Runtime
from services.store.tables import ledger_entry
from services.sync.client import hub_client
from services.sync.enrolled import identity_file
from services.updates.fetch import look
from services.updates.keys import KeyFolder
from services.updates.publish import publish, read_model
from services.updates.repository import Repository

pytestmark = pytest.mark.usefixtures("site")


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["plan", *arguments], input=typed)


def counted(site: Runtime) -> int:
    """Bytes for models, as the ledger has them."""
    with site.db.read() as tx:
        sums = sa.select(sa.func.coalesce(sa.func.sum(ledger_entry.c.bytes), 0))
        return int(tx.execute(sums.where(ledger_entry.c.purpose == "models")).scalar_one())


def test_options_are_enough() -> None:
    done = run("--internet", "none", "--battery-hours", "6", "--phones", "mixed")
    assert done.exit_code == 0, done.output
    assert "Not said, so taken as usual: role clinic, mobile-network yes, machine mini-pc" in done.stdout
    assert "usd-per-gb" not in done.stdout.splitlines()[0], "without a link nobody pays for it"
    assert "Recommended: a server on site, alone" in done.stdout
    assert "JICHO_UPS=ups@localhost" in done.stdout


def test_a_machine_reads_one_object() -> None:
    found = json.loads(run("--json", "--internet", "intermittent", "--screenings", "100").stdout)
    assert found["stack"] == "edge"
    assert found["answers"]["screenings"] == 100
    assert {model["tier"] for model in found["models"] if model["programme"] == "dr"} == {"full", "medium", "light"}
    assert found["month"]["data_usd"] > 0
    assert found["measured"] is None
    assert "latency_ms" in found["estimated"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--internet", "fibre"], "internet: fibre is none of its answers: choose reliable | intermittent | none"),
        (["--memory-gb", "lots"], "memory-gb: lots is no number of GB: write 4 for 4 GB"),
        (["--probe", "--screenings", "-5"], "screenings: -5 is no number"),
        (["--internet", "x", "--phones", "y"], "phones: y is none of its answers"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_done(arguments: list[str], complaint: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert complaint in done.stderr
    assert done.stdout == ""


def test_a_conversation_asks_what_was_not_said_and_again_what_was_not_understood() -> None:
    answers = ["", "2", "fibre", "feature", "mini-pc", "1", "lots", "4", "32", "0", "4", "150", ""]
    done = run("--ask", typed="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert "  2. intermittent: comes and goes, or is slow" in done.stdout
    assert "phones: fibre is none of its answers" in done.output
    assert "memory-gb: lots is no number of GB" in done.output
    assert "Recommended: a server on site that syncs when it can" in done.stdout
    assert "150 screenings" in done.stdout


def test_a_hub_is_not_asked_about_phones() -> None:
    done = run("--ask", "--role", "hub", typed="\n" * 12)
    assert done.exit_code == 0, done.output
    assert "What phones" not in done.stdout
    assert "Recommended: a hub for many sites" in done.stdout


def test_a_probe_says_each_step_and_what_failed(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here no model can run; that they do is measured over the page (tests/services/gateway/test_plan.py)."""
    monkeypatch.setattr("services.bench.inference.sys.executable", "/bin/false")
    before = sorted(site.settings.data_dir.iterdir())
    done = run("--probe", "--internet", "reliable")
    assert done.exit_code == 0, done.output
    steps = {line[:18].strip(): line[19:] for line in done.stdout.splitlines()[:8]}
    assert list(steps) == [
        *("machine", "memory and disk", "power", "disk flush"),
        *("model full", "model medium", "model light"),
        "link",
    ]
    assert "free on the disk" in steps["memory and disk"]
    assert steps["power"] == "on mains, charge unknown"
    assert steps["disk flush"].endswith("at worst of 21")
    assert steps["model full"].startswith("not measured: the model did not run")
    assert "nobody to reach" in steps["link"]
    assert "A photograph is read in 55 to 93 ms on the reference machine" in " ".join(done.stdout.split())
    assert sorted(site.settings.data_dir.iterdir()) == before


@pytest.mark.parametrize("open_door", [True, False])
def test_a_probe_reaches_for_the_hub(site: Runtime, monkeypatch: pytest.MonkeyPatch, open_door: bool) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        if open_door:
            door.listen()
        port = door.getsockname()[1]
        kept = {"site": 1, "name": "Siaya", "url": f"https://127.0.0.1:{port}", "certificate": ""}
        identity_file(site.settings.data_dir).parent.mkdir(exist_ok=True)
        identity_file(site.settings.data_dir).write_text(json.dumps(kept | {"key": "AAAA", "shared_key": "AAAA"}))
        monkeypatch.setattr("services.bench.inference.sys.executable", "/bin/false")
        lines = [json.loads(line) for line in run("--probe", "--json").stdout.splitlines()]
    steps = {line["step"]: line["found"] for line in lines[:-1]}
    expected = "takes a connection in" if open_door else "does not answer within 3 s"
    assert expected in steps["link to hub"]
    assert steps["hub throughput"].startswith("not measured: the hub has offered no file yet")
    assert (lines[-1]["measured"]["links"]["hub"] is not None) == open_door


def test_a_probe_times_what_the_hub_offers(site: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ServedHub(tmp_path / "hub") as served:
        keys = [KeyFolder(tmp_path / "stick", "a long enough word")]
        repository = Repository(served.hub.settings.hub_dir / "updates")
        repository.begin(keys, 1, 1)
        with read_model(risk_release(tmp_path, "9.0.0", ballast=300_000)) as source:
            publish(repository, source, keys, SHIPPED)
        served.site("Siaya", site.settings.data_dir)
        with hub_client(site) as client:
            for _ in look(site, client):
                pass
        site.tally.flush()
        before = counted(site)
        monkeypatch.setattr("services.bench.inference.sys.executable", "/bin/false")
        lines = [json.loads(line) for line in run("--probe", "--json").stdout.splitlines()]
    steps = {line["step"]: line["found"] for line in lines[:-1]}
    assert steps["hub throughput"].startswith("262 kB in "), steps
    assert lines[-1]["measured"]["hub_kilobytes_a_second"] > 0
    assert 262_144 < counted(site) - before < 280_000, "what it cost is in the ledger"


def test_it_needs_no_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "nothing"))
    assert run("--internet", "none").exit_code == 0
