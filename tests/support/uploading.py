"""A site as the hub's doors see it, and the photographs that it sends."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.test import TestResponse

from models.dr.phantom import draw
from services.hub.runtime import Hub
from services.hub.tables import site
from services.store.clock import now_ms
from services.sync.about import About, Grid
from services.sync.identity import Identity

CHUNK = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
HEAT = Grid(2, 3, bytes([0, 40, 80, 120, 200, 255]))


@lru_cache(maxsize=8)
def photograph(seed: int = 1, side: int = 600) -> bytes:
    """A drawn eye as a JPEG."""
    file = io.BytesIO()
    draw(seed, side, lesions=True).save(file, "JPEG", quality=90)
    return file.getvalue()


def about(content: bytes, *, photo_ref: int = 1, screening_ref: int = 1, heat: Grid | None = HEAT) -> About:
    sha256 = hashlib.sha256(content).hexdigest()
    return About(photo_ref, screening_ref, "left", sha256, 0.91, 0.88, heat)


def header(described: About) -> str:
    """The Upload-Metadata of a creation."""
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in described.as_metadata().items())


def enrolled(hub: Hub, *, name: str = "Siaya", url: str = "https://hub.example") -> Identity:
    """A site that the hub knows."""
    key = Ed25519PrivateKey.generate()
    row = {"name": name, "public_key": key.public_key().public_bytes_raw(), "enrolled_at": now_ms()}
    with hub.db.write() as tx:
        number = tx.execute(site.insert().values(row).returning(site.c.id)).scalar_one()
    return Identity(number, name, url, "", key.private_bytes_raw(), bytes(32))


class Sender:
    """Speaks tus by hand, to say also what no official client would."""

    def __init__(self, hub: Hub, identity: Identity) -> None:
        from services.hub.application import create_hub

        self.hub, self.identity = hub, identity
        self.http = create_hub().test_client()

    def create(
        self, content: bytes, described: About | None = None, body: bytes = b"", **headers: str | None
    ) -> TestResponse:
        given: dict[str, str | None] = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(content)),
            "Upload-Metadata": header(described or about(content)),
            "Authorization": self.identity.authorization("POST", "/files", body),
        }
        if body:
            given["Content-Type"] = CHUNK["Content-Type"]
        return self.http.post("/files", data=body, headers=_said(given | named(headers)))

    def patch(self, where: str, offset: int, body: bytes, **headers: str | None) -> TestResponse:
        given: dict[str, str | None] = {**CHUNK, "Upload-Offset": str(offset)}
        return self.http.patch(where, data=body, headers=_said(given | named(headers)))

    def head(self, where: str) -> TestResponse:
        return self.http.head(where, headers={"Tus-Resumable": "1.0.0"})

    def delete(self, where: str) -> TestResponse:
        return self.http.delete(where, headers={"Tus-Resumable": "1.0.0"})

    def begun(self, content: bytes, described: About | None = None) -> str:
        """The address of a new upload."""
        answer = self.create(content, described)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]


def named(headers: dict[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _said(headers: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value is not None}
