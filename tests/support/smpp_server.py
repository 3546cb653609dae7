"""The server of npm's `smpp`, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from carrier_session import wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from npm import installed, node

from services.bench.stack import free_port

_SOURCE = Path(__file__).with_name("smpp_js")


def self_signed(key_file: Path, certificate_file: Path) -> None:
    """A certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    certificate_file.write_bytes(made.public_bytes(pem))


class SmppServer:
    """What reached it stands in `events`; `tell` makes it do something and waits until it is done."""

    def __init__(self, key: Path | None = None, certificate: Path | None = None) -> None:
        self.port = free_port()
        self.events: list[dict[str, Any]] = []
        tls = [str(key), str(certificate)] if key else []
        self._process = subprocess.Popen(
            [str(node()), str(_SOURCE / "server.cjs"), str(self.port), *tls],
            env={"NODE_PATH": str(installed(_SOURCE) / "node_modules")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        wait_for(lambda: self.of("listening"))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if event["event"] == name]

    def got(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Those of this name, once so many are told: a session may have its answer before this process hears of it."""
        wait_for(lambda: len(self.of(name)) >= count)
        return self.of(name)

    def tell(self, what: str, **more: Any) -> None:
        before = len(self.of("done"))
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what} | more) + "\n")
        self._process.stdin.flush()
        wait_for(lambda: len(self.of("done")) > before)

    def deliver(self, text: str, *, udh: str = "", **more: Any) -> None:
        pdu = {"source_addr": "254722000002", "destination_addr": "22384", "short_message": text} | more
        self.tell("deliver", pdu=pdu, udh=udh)

    def receipt(self, message_id: str, state: str, **more: Any) -> None:
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:{state} err:000 text:x"
        )
        self.deliver(text, esm_class=4, **more)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))
