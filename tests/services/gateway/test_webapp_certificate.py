"""A certificate of the clinic's own, and the listener that phones reach by it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509

from app import main
from services.gateway.certificate import NotForThese, files, make, own_names
from services.gateway.webapp_server import create_app
from services.runtime import Runtime

ROOT = Path(__file__).parents[3]


@pytest.fixture
def served(migrated: Runtime) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The second listener in a process of its own; its port, and what a phone that was given the authority believes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert CliRunner().invoke(main, ["webapp", "certificate", "localhost", "127.0.0.1"]).exit_code == 0
    environment = os.environ | {"JICHO_APP_PORT": str(port)}
    process = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "webapp", "serve"], env=environment)
    believed = ssl.create_default_context(cafile=str(files(migrated.settings.data_dir).authority))
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port, believed
    process.terminate()
    process.wait(20)


def test_phones_that_were_given_the_authority_reach_the_app_and_nothing_else(
    served: tuple[int, ssl.SSLContext],
) -> None:
    port, believed = served
    with httpx.Client(verify=believed) as phone:
        for name in ("localhost", "127.0.0.1"):
            assert phone.get(f"https://{name}:{port}/app/release.json").json()["groups"]
        assert phone.get(f"https://localhost:{port}/app/news").status_code == 401
        for closed in ("/", "/console", "/console/plan", "/phone", "/healthz", "/readyz", "/metrics"):
            assert phone.get(f"https://localhost:{port}{closed}").status_code == 404
    with httpx.Client() as stranger, pytest.raises(httpx.ConnectError):
        stranger.get(f"https://localhost:{port}/app/")


def test_every_address_of_the_second_listener_is_the_apps(site: Runtime) -> None:
    assert site.settings.app_port == 8443
    assert {rule.rule for rule in create_app().url_map.iter_rules() if not rule.rule.startswith("/app")} == {
        "/static/<path:filename>"
    }


def test_the_authority_vouches_for_the_clinics_names_alone(tmp_path: Path) -> None:
    first = make(tmp_path, ["clinic.local", "192.168.1.10"])
    given = first.authority.read_bytes()
    authority = x509.load_pem_x509_certificate(given)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    permitted = [str(each.value) for each in constraints.value.permitted_subtrees or []]
    assert (constraints.critical, permitted) == (True, ["clinic.local", "192.168.1.10/32"])
    before = first.certificate.read_bytes()
    make(tmp_path, ["192.168.1.10"])
    assert first.authority.read_bytes() == given, "phones keep what they were given when it is renewed"
    assert first.certificate.read_bytes() != before
    with pytest.raises(NotForThese, match=r"192\.168\.1\.77"):
        make(tmp_path, ["192.168.1.77"])
    for key in (first.key, first.authority_key):
        assert key.stat().st_mode & 0o077 == 0


def test_a_server_knows_how_others_reach_it() -> None:
    name, *addresses = own_names()
    assert name.endswith(".local")
    assert not any(address.startswith("127.") for address in addresses)
