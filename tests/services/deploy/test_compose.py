"""The hub's containers: settings that exist, one open port, nothing written where it must not be; their health."""

from __future__ import annotations

import re
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.serving import make_server

from services.bench.stack import free_port
from services.deploy.answers import answers
from services.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.mark.parametrize("name", ["web", "work"])
def test_its_settings_exist(name: str) -> None:
    known = {field.alias or f"JICHO_{key.upper()}" for key, field in Settings.model_fields.items()}
    assert set(SERVICES[name]["environment"]) <= known
    assert SERVICES[name]["command"][0] == "hub"


def test_one_port_is_open_and_nothing_runs_with_rights_it_does_not_need() -> None:
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]
    ours = [SERVICES[name] for name in ("web", "work", "proxy")]
    assert all(each["read_only"] and each["cap_drop"] == ["ALL"] for each in ours)
    assert all(each["restart"] == "unless-stopped" for each in SERVICES.values())
    assert "no-new-privileges:true" in SERVICES["web"]["security_opt"]
    text = (ROOT / "compose.yaml").read_text()
    assert "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?" in text, "no password of our making"


def test_what_a_container_writes_is_on_a_volume() -> None:
    mounted = {each.split(":")[1] for each in SERVICES["web"]["volumes"]}
    environment = SERVICES["web"]["environment"]
    for name in ("JICHO_DATA_DIR", "JICHO_HUB_DIR", "JICHO_HUB_KEYRING"):
        assert any(environment[name].startswith(f"{path}/") for path in mounted), name
    used = {
        each.split(":")[0] for one in SERVICES.values() for each in one.get("volumes", []) if not each.startswith(".")
    }
    assert used == set(COMPOSE["volumes"])


def test_the_image_copies_what_is_there() -> None:
    lines = (ROOT / "services" / "deploy" / "Dockerfile").read_text()
    for sources in re.findall(r"^COPY (.*) \S+$", lines, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split())
    assert re.search(r"^USER jicho$", lines, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    assert {".git", "data", "tests", ".venv*"} <= set(ignored)


def test_health_is_asked_over_tls(tmp_path: Path) -> None:
    port = free_port()
    assert not answers(port)

    def hub(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK" if environ["PATH_INFO"] == "/healthz" else "404 Not Found", [])
        return [b"{}"]

    server = make_server("127.0.0.1", port, hub, ssl_context=_context(tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert answers(port)
    finally:
        server.shutdown()


def _context(folder: Path) -> ssl.SSLContext:
    from services.hub.certificate import _make

    _make(folder / "certificate.pem", folder / "key.pem", "https://hub.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
