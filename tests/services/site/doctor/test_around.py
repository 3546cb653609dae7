"""Models, voices, carriers, certificates and settings: each broken in earnest, and what the doctor says of it."""

from __future__ import annotations

import datetime
import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from doctor_asked import Ask
from pydantic import SecretStr
from werkzeug.serving import make_server

from services.bench.stack import free_port
from services.channels.registry import simulator_config
from services.channels.simulator import create_simulator
from services.runtime import Runtime
from services.updates.installed import MODELS


def test_a_model_that_was_changed(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(MODELS / "risk", tmp_path / "models" / "risk")
    monkeypatch.setattr("services.site.doctor.models.MODELS", tmp_path / "models")
    assert ask("models", programmes=("risk",))[0][0] == "fine"
    graph = next((tmp_path / "models" / "risk").glob("*.onnx"))
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    ((level, says),) = ask("models")
    assert level == "broken"
    assert says.startswith("the models of risk cannot be used: ")


def test_a_voice_that_is_gone(ask: Ask, site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.site.doctor.models.LANGUAGES", ("en",))
    assert ask("voices")[0][0] == "fine"
    (site.settings.voices_dir / "en").mkdir(parents=True)
    (site.settings.voices_dir / "en" / "voice.json").write_text("{")
    ((level, says),) = ask("voices")
    assert (level, says.startswith("nothing can be said in en: ")) == ("broken", True)


@pytest.fixture
def carrier(site: Runtime) -> Iterator[Any]:
    """The stand-in carrier, served; its settings are the site's."""
    port = free_port()
    site.settings = site.settings.model_copy(update={"at_base_url": f"http://127.0.0.1:{port}"})
    application = create_simulator(simulator_config(site.settings.model_copy(update={"simulator_port": port})))
    server = make_server("127.0.0.1", port, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield application.test_client()
    server.shutdown()


def test_africas_talking(ask: Ask, carrier: Any) -> None:
    assert ask("africastalking") == [("fine", "Africa's Talking is in reach, KES 1785.50 are left")]
    carrier.post("/phone/api/faults", json={"low_balance": 1})
    expected = "KES 10.00 are left at Africa's Talking: messages are about to stop"
    assert ask("africastalking") == [("broken", expected)]
    assert ask("africastalking", at_api_key=SecretStr("wrong"))[0][0] == "broken"
    assert ask("africastalking", at_base_url="http://127.0.0.1:9")[0][0] == "note", "a trial that is not running"
    assert ask("africastalking", carrier="live")[0][0] == "warning"
    assert ask("africastalking", at_api_key=SecretStr(""))[0] == ("note", "Africa's Talking is not set up")


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        ("200 OK", "fine", "knows us"),
        ("401 Unauthorized", "broken", "refuses us"),
        ("400 Bad Request", "broken", "refuses us"),
        ("503 Service Unavailable", "warning", "answers with 503"),
    ],
)
def test_whatsapp(ask: Ask, status: str, level: str, words: str) -> None:
    def graph(environ: dict[str, Any], start: Any) -> list[bytes]:
        assert environ["HTTP_AUTHORIZATION"] == "Bearer permanent"
        start(status, [("Content-Type", "application/json")])
        return [b"{}"]

    port = free_port()
    server = make_server("127.0.0.1", port, graph)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    live = {"carrier": "live", "whatsapp_phone_number_id": "1", "whatsapp_access_token": SecretStr("permanent")}
    try:
        ((found, says),) = ask("whatsapp", **live, whatsapp_base_url=f"http://127.0.0.1:{port}")
    finally:
        server.shutdown()
    assert (found, words in says) == (level, True)
    assert ask("whatsapp", whatsapp_base_url="http://127.0.0.1:9")[0][0] == "warning"


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """One that vouches for itself and runs out after so many days, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, secret


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [(400, "fine", "holds until"), (5, "warning", "in 5 days"), (-2, "broken", "ran out on")],
)
def test_a_hub_whose_certificate_runs_out(ask: Ask, tmp_path: Path, days: int, level: str, words: str) -> None:
    pem, _ = certificate(tmp_path, days)
    ((found, says),) = ask("hub certificate", hub_certificate=pem)
    assert (found, words in says) == (level, True)


def test_a_certificate_that_cannot_be_read(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text("no certificate")
    assert ask("hub certificate", hub_certificate=tmp_path / "certificate.pem")[0][0] == "broken"


def test_an_address_that_carriers_would_refuse(ask: Ask, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path, 90)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    port = free_port()
    server = make_server("127.0.0.1", port, lambda _environ, _start: [b""], ssl_context=context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        ((level, says),) = ask("public address", public_url=f"https://127.0.0.1:{port}")
    finally:
        server.shutdown()
    assert (level, says.startswith("carriers refuse 127.0.0.1: ")) == ("broken", True)
    assert ask("public address", public_url="https://127.0.0.1:9")[0][0] == "warning"
    assert ask("public address", public_url="http://127.0.0.1")[0] == ("note", "no public https address is set")


LIVE: dict[str, Any] = {
    "carrier": "live",
    "public_url": "https://jicho.example.org",
    "at_username": "clinic",
    "at_api_key": SecretStr("k"),
    "whatsapp_phone_number_id": "",
    "budget_usd_a_day": 5.0,
    "call_spending_a_day": 500.0,
}


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({}, "fine", "no setting is dangerous"),
        ({"public_url": "http://jicho.example.org"}, "broken", "is not https"),
        ({"host": "0.0.0.0"}, "warning", "listens on 0.0.0.0 itself"),
        ({"at_username": "sandbox"}, "broken", "is the sandbox"),
        ({"log_level": "DEBUG"}, "warning", "writes far more than is needed"),
        ({"budget_usd_a_day": 0}, "note", "no daily budget"),
        ({"call_spending_a_day": 0}, "note", "bounded by number only"),
        (
            {"whatsapp_phone_number_id": "1", "whatsapp_verify_token": SecretStr("")},
            "warning",
            "Meta cannot verify the hook",
        ),
        ({"carrier": "simulator"}, "note", "this is a trial"),
    ],
)
def test_settings_that_are_dangerous(ask: Ask, changed: dict[str, Any], level: str, words: str) -> None:
    ((found, says),) = ask("settings", **(LIVE | changed))
    assert (found, words in says) == (level, True)


def test_a_trial_that_everybody_reaches(ask: Ask) -> None:
    assert ("broken", "the trial listens on 0.0.0.0: whoever reaches it plays every phone") in ask(
        "settings", host="0.0.0.0"
    )


def test_drafts_are_told_before_patients(ask: Ask) -> None:
    assert {level for level, _ in ask("sentences", carrier="live")} == {"warning"}


def test_updates_whose_signatures_run_out(ask: Ask, site: Runtime) -> None:
    assert ask("updates") == [("note", "no updates are signed for this site")]
    folder = site.settings.data_dir / "updates"
    folder.mkdir()
    (folder / "root.json").write_text(json.dumps({"signed": {"expires": "2020-01-01T00:00:00Z"}}))
    assert ask("updates")[0] == ("broken", "the root of updates ran out on 2020-01-01")
