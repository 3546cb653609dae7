"""How a site becomes one of the hub's, and what it keeps of that."""

from __future__ import annotations

import datetime
import json
import os
import socket
import ssl
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app import main
from services.bench.hub import HubStack
from services.bench.stack import free_port
from services.runtime import Runtime
from services.sync import identity as module
from services.sync.client import HubClient
from services.sync.enrolled import identity_file
from services.sync.identity import EnrolmentFailed, Identity, NotEnrolled, enrol, load


def test_what_enrolment_leaves(site: Runtime, served: HubStack) -> None:
    folder = site.settings.data_dir
    with pytest.raises(NotEnrolled, match="sync enrol CODE"):
        load(folder)
    found = enrol(folder, served.code("Siaya"))
    assert load(folder) == found
    assert (found.name, found.url, len(found.shared_key)) == ("Siaya", served.url, 32)
    assert [path.name for path in identity_file(folder).parent.iterdir() if "key" in path.name] == []
    assert "key" not in repr(found)
    assert os.stat(identity_file(folder)).st_mode & 0o077 == 0


def test_an_answer_that_was_lost_costs_no_code(
    site: Runtime, served: HubStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, folder = served.code("Siaya"), site.settings.data_dir

    def full(path: Path, content: bytes, *, mode: int) -> None:
        if path == identity_file(folder):
            raise OSError(28, "No space left on device")
        written(path, content, mode=mode)

    written = module.write_durably
    monkeypatch.setattr(module, "write_durably", full)
    with pytest.raises(OSError, match="No space"):
        enrol(folder, code)
    monkeypatch.setattr(module, "write_durably", written)
    assert enrol(folder, code).name == "Siaya"


def test_a_failed_enrolment_leaves_the_old_one(site: Runtime, served: HubStack) -> None:
    folder = site.settings.data_dir
    before, code = enrol(folder, served.code("Siaya")), served.code("Bondo")
    enrol(folder, code)
    with pytest.raises(EnrolmentFailed, match="this code was used already"):
        enrol(folder, code)
    after = load(folder)
    assert (after.name, after.site != before.site, after.key != before.key) == ("Bondo", True, True)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("", "this is no enrolment code"),
        ("http://127.0.0.1:1#secret.pin", "this is no enrolment code"),
        ("https://127.0.0.1:1", "this is no enrolment code"),
        ("{url}#c2VjcmV0.AAAAAAAAAAAAAAAAAAAAAA", "another hub answers there than the code is from"),
        ("{url}#c2VjcmV0.{pin}", "this code is not known here"),
        ("{url}#c2VjcmV0", "CERTIFICATE_VERIFY_FAILED"),  # without a pin an authority must vouch for it
        ("https://127.0.0.1:{free}#c2VjcmV0.{pin}", "cannot be reached"),
    ],
)
def test_what_fails_and_why(site: Runtime, served: HubStack, code: str, complaint: str) -> None:
    pin = served.code("Siaya").rpartition(".")[2]
    with pytest.raises(EnrolmentFailed, match=complaint):
        enrol(site.settings.data_dir, code.format(url=served.url, pin=pin, free=free_port()))
    assert not identity_file(site.settings.data_dir).exists()


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"site": 1}'])
def test_a_spoilt_identity_is_none(site: Runtime, spoilt: str) -> None:
    identity_file(site.settings.data_dir).parent.mkdir(exist_ok=True)
    identity_file(site.settings.data_dir).write_text(spoilt)
    with pytest.raises(NotEnrolled, match="cannot be read"):
        load(site.settings.data_dir)


def test_a_patient_has_one_key_at_all_sites_and_it_is_no_number() -> None:
    here, there = (Identity(number, "", "", "", bytes(32), b"shared" * 5) for number in (1, 2))
    other = Identity(1, "", "", "", bytes(32), b"other" * 6)
    key = here.patient_key("+254722000002")
    assert key == there.patient_key("+254722000002")
    assert len(key) == 6
    assert key not in (here.patient_key("+254722000003"), other.patient_key("+254722000002"))


def serve_expired(folder: Path) -> tuple[int, str]:
    """Port and certificate of somebody who greets over TLS with a certificate that ended long ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Jicho hub")])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(datetime.datetime(1999, 1, 1))
        .not_valid_after(datetime.datetime(2000, 1, 1))
        .sign(key, hashes.SHA256())
    )
    certificate = built.public_bytes(Encoding.PEM)
    (folder / "expired.pem").write_bytes(
        certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "expired.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        with listener, context.wrap_socket(listener.accept()[0], server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"HTTP/1.1 204 Hello\r\n\r\n")

    threading.Thread(target=greet, daemon=True).start()
    return int(listener.getsockname()[1]), certificate.decode()


def test_no_clock_decides_whether_a_pinned_hub_is_trusted(tmp_path: Path) -> None:
    """Many of these machines have no clock of their own, and stand at 1970 or at last month after a power cut."""
    port, certificate = serve_expired(tmp_path)
    with HubClient(Identity(1, "", f"https://127.0.0.1:{port}", certificate, bytes(32), b"")) as client:
        assert client.get("/", purpose="results").status == 204


def test_the_commands(site: Runtime, served: HubStack) -> None:
    def run(*arguments: str) -> str:
        return CliRunner().invoke(main, ["sync", *arguments]).output

    assert site.db.is_sqlite
    site.db.close()
    del site.db
    (site.settings.data_dir / "jicho.db").unlink()  # the commands make their store themselves
    assert "enrolled: False" in run("status")
    assert "is not enrolled: `python app.py sync enrol CODE`" in run("now")
    assert run("enrol", "nonsense").startswith("Error: this is no enrolment code")
    assert ", Siaya: a running service sends its results from now on." in run("enrol", served.code("Siaya"))
    assert "Sent 0 events.\n" in run("now")
    assert json.loads(run("status", "--json").splitlines()[-1])["hub"] == served.url
