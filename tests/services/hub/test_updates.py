"""The signed repository as sites see it at the hub: nothing else of the hub's files, in parts, and fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.hub.application import create_hub
from services.hub.down import waiting
from services.hub.enrolment import issue, redeem, revoke
from services.hub.runtime import Hub
from services.hub.updates import hint
from services.sync.identity import Identity
from services.updates.keys import KeyFolder
from services.updates.repository import Repository


@pytest.fixture
def site(hub: Hub) -> Identity:
    return enrolled(hub, "Siaya")


def enrolled(hub: Hub, name: str) -> Identity:
    key = Ed25519PrivateKey.generate()
    with hub.db.write() as tx:
        told = redeem(tx, issue(tx, name, "", "")[1:], key.public_key().public_bytes_raw())
    return Identity(told.site_id, told.name, "https://hub", "", key.private_bytes_raw(), told.patient_key)


@pytest.fixture
def repository(hub: Hub, tmp_path: Path) -> Repository:
    found = Repository(hub.settings.hub_dir / "updates")
    found.begin([KeyFolder(tmp_path / "stick")])
    (found.targets_dir / "models").mkdir(parents=True)
    (found.targets_dir / "models" / "file").write_bytes(bytes(range(256)) * 40)
    return found


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    assert hub.db.is_sqlite
    return create_hub().test_client()


def ask(client: FlaskClient, site: Identity, path: str, **headers: str) -> TestResponse:
    return client.get(path, headers={"Authorization": site.authorization("GET", path, b""), **headers})


@pytest.mark.parametrize(
    "path",
    [
        "/updates/metadata/9.root.json",
        "/updates/metadata/",
        "/updates/metadata/..%2fkeys%2f{key}",
        "/updates/metadata/../keys/{key}",
        "/updates/targets/../keys/{key}",
        "/updates/targets/..%2f..%2fhub.db",
        "/updates/targets/models",
        "/updates/keys/{key}",
        "/updates/releases/models",
    ],
)
def test_nothing_but_what_is_signed_is_served(
    client: FlaskClient, site: Identity, repository: Repository, path: str
) -> None:
    key = next((repository.folder / "keys").iterdir()).name
    assert ask(client, site, path.format(key=key)).status_code == 404


def test_only_sites_are_served(hub: Hub, client: FlaskClient, site: Identity, repository: Repository) -> None:
    path = "/updates/metadata/timestamp.json"
    assert client.get(path).status_code == 401
    answer = ask(client, site, path)
    assert (answer.status_code, answer.data) == (200, (repository.metadata / "timestamp.json").read_bytes())
    with hub.db.write() as tx:
        revoke(tx, site.site)
    assert ask(client, site, path).status_code == 403


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("span", "status", "content"),
    [
        ("", 200, bytes(range(256)) * 40),
        ("bytes=10235-", 206, bytes([251, 252, 253, 254, 255])),
        ("bytes=0-9", 206, bytes(range(10))),
        ("bytes=10240-", 416, None),
    ],
)
def test_a_file_comes_from_where_it_is_asked(
    client: FlaskClient, site: Identity, span: str, status: int, content: bytes | None
) -> None:
    answer = ask(client, site, "/updates/targets/models/file", **({"Range": span} if span else {}))
    assert answer.status_code == status
    if content is not None:
        assert answer.data == content
        assert int(answer.headers["Content-Length"]) == len(content)
        assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 150, "headers are bytes too"


def test_an_aged_timestamp_is_signed_when_it_is_asked_for(
    client: FlaskClient, site: Identity, repository: Repository
) -> None:
    path = "/updates/metadata/timestamp.json"
    first = repository.timestamp()
    ask(client, site, path)
    assert repository.timestamp().version == first.version
    repository.refresh(datetime.now(UTC) - timedelta(days=2))
    ask(client, site, path)
    assert repository.timestamp().version == first.version + 2
    assert repository.timestamp().expires > datetime.now(UTC) + timedelta(days=6)
    ask(client, site, path)
    assert repository.timestamp().version == first.version + 2


def test_a_hub_without_its_keys_serves_what_it_has(client: FlaskClient, site: Identity, repository: Repository) -> None:
    repository.refresh(datetime.now(UTC) - timedelta(days=2))
    for key in (repository.folder / "keys").iterdir():
        key.unlink()
    assert ask(client, site, "/updates/metadata/timestamp.json").status_code == 200


def test_every_site_hears_of_a_release(hub: Hub, site: Identity) -> None:
    other, gone = enrolled(hub, "Kisumu"), enrolled(hub, "Homa Bay")
    with hub.db.write() as tx:
        revoke(tx, gone.site)
    assert hint(hub) == 2
    with hub.db.write() as tx:
        for each, kinds in ((site, ["update"]), (other, ["update"]), (gone, [])):
            assert [item["kind"] for item in waiting(tx, each.site, 0)] == kinds
