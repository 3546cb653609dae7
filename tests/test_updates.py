"""From the operator's command at a running hub to the model that answers at a site: real processes, real TLS, a link
that breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from served_hub import BreakingLink, ServedHub
from update_hub import risk_release

from services.runtime import Runtime
from services.screening import engines
from services.sync.client import HubClient, HubError, hub_client
from services.sync.running import Courier
from services.updates import fetch, notes
from services.updates.status import status

APP = Path(__file__).parents[1] / "app.py"


def command(served: ServedHub, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(APP), *arguments],
        env=served.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def stick(tmp_path: Path) -> tuple[str, ...]:
    """Where the keys lie, as options of the commands that sign."""
    (tmp_path / "words").write_text("a word that nobody guesses\n")
    return str(tmp_path / "stick"), "--passphrase-file", str(tmp_path / "words")


def version(site: Runtime) -> str:
    return engines.risk_model(site.settings.models_dir).version


def test_what_is_published_is_used_at_the_site(site: Runtime, tmp_path: Path, stick: tuple[str, ...]) -> None:
    with ServedHub(tmp_path / "at-the-hub") as served:
        said = command(served, "models", "keys", *stick)
        served.site("Siaya", site.settings.data_dir)
        assert status(site)["root"] in said
        with hub_client(site) as client:
            courier = Courier(site, client)

            def until(wanted: str) -> None:
                courier._report_at = 0.0  # as if minutes had passed: the report brings what waits at the hub
                for _ in range(100):
                    courier._errands_at = 0.0
                    courier.turn()
                    if version(site) == wanted:
                        return
                pytest.fail(f"{version(site)}: {notes.read(site.settings.data_dir)}")

            for _ in range(5):
                courier._errands_at = 0.0
                courier.turn()
            assert notes.read(site.settings.data_dir) == {"problem": "", "releases": {}}
            release = risk_release(tmp_path, "0.2.0")
            done = json.loads(command(served, "models", "publish", str(release), "--keys", *stick, "--json"))
            assert (done["subject"], done["version"], done["sites"]) == ("models/risk", "0.2.0", 1)
            until("0.2.0")
            listed = json.loads(command(served, "models", "list", "--json"))
            assert listed["releases"] == {"models/risk": "0.2.0"}
            assert listed["expires"].keys() == {"root", "targets", "snapshot", "timestamp"}

            before = client.sent, client.received
            for _ in fetch.look(site, client):
                pass
            cost = client.sent - before[0], client.received - before[1]
            assert sum(cost) < 1400, f"a look that finds nothing new sent and received {cost} bytes"

            said = command(served, "models", "withdraw", "models/risk", "0.2.0", "--keys", *stick)
            assert "nothing else was published" in said
            until("0.1.0")


def test_a_download_from_the_hub_goes_on_after_each_break(
    site: Runtime, tmp_path: Path, stick: tuple[str, ...]
) -> None:
    with ServedHub(tmp_path / "at-the-hub") as served:
        command(served, "models", "keys", *stick)
        identity = served.site("Siaya", site.settings.data_dir)
        command(served, "models", "publish", str(risk_release(tmp_path, "0.2.0", ballast=900_000)), "--keys", *stick)
        (big,) = (tmp_path / "at-the-hub" / "hub" / "updates" / "targets").rglob("*.onnx.zst")
        link = BreakingLink(served.port)
        received = breaks = 0
        for _ in range(20):
            link.cut_down = 200_000
            with HubClient(link.through(identity)) as client:
                try:
                    for _ in fetch.look(site, client):
                        pass
                    break
                except HubError:
                    breaks += 1
                finally:
                    received += client.received
        link.close()
        assert breaks >= 4
        assert version(site) == "0.2.0"
        # A break may lose what was under way: a TLS record of 16 kB, and what each new look costs.
        assert received < big.stat().st_size + 30_000 * (breaks + 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("publish", ".", "--keys", "stick"), "manifest.json"),
        (("publish", ".", "--language", "sw", "--keys", "stick"), "a voice needs --language and --version"),
        (("withdraw", "models/dr", "latest", "--keys", "stick"), "'latest' is no version"),
        (("refresh",), "see `models keys`"),
        (("list",), "see `models keys`"),
        (("keys", "stick", "--root-threshold", "2"), "cannot give so many signatures"),
        (("trust", "words"), "this is no root of an update repository"),
        (("update",), "is not enrolled"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    (tmp_path / "words").write_text("")
    served = ServedHub(tmp_path)
    words = ("--passphrase-file", str(tmp_path / "words")) if "stick" in arguments else ()
    done = subprocess.run(
        [sys.executable, str(APP), "models", *arguments, *words],
        env=served.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
