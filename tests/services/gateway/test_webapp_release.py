"""What the web app consists of, as it is served: sizes, hashes, headers, and nothing else from the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from services.gateway import webapp_files
from services.runtime import Runtime

MOST_BYTES = 12_000_000  # what may be asked of somebody's data bundle for the first programme
SECOND_OF_SPEECH = 2 * 8_000


@pytest.fixture
def client(site: Runtime) -> FlaskClient:
    assert site.settings.carrier == "simulator"
    return create_app().test_client()


def test_every_file_is_what_the_list_says_and_all_are_no_more_than_12_mb(client: FlaskClient) -> None:
    release = client.get("/app/release.json").get_json()
    shell, first = release["groups"][:2]
    assert [(each["name"], each["kind"]) for each in (shell, first)] == [("shell", "shell"), ("dr", "programme")]
    total = 0
    for kind, file in ((group["kind"], file) for group in release["groups"] for file in group["files"]):
        served = client.get(f"{file['url']}?sha256={file['sha256']}", headers={"Accept-Encoding": "gzip"})
        plain = client.get(file["url"])
        assert served.status_code == 200, file["url"]
        assert len(served.data) == file["transfer"]
        assert (len(plain.data), hashlib.sha256(plain.data).hexdigest()) == (file["bytes"], file["sha256"])
        total += 0 if kind == "programme" and file not in first["files"] else file["transfer"]
    spoken = len(webapp_files.LANGUAGES) * len(webapp_files.SPOKEN) * 10 * SECOND_OF_SPEECH
    assert total + spoken <= MOST_BYTES


def test_code_comes_from_here_only(client: FlaskClient) -> None:
    headers = client.get("/app/").headers
    assert "script-src 'self' 'wasm-unsafe-eval';" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-cache"
    assets = [path.name for path in (webapp_files.DIST / "assets").glob("index-*.js")]
    assert "immutable" in client.get(f"/app/assets/{assets[0]}").headers["Cache-Control"]
    assert client.get("/app").headers["Location"] == "/app/"


@pytest.mark.parametrize(
    "path",
    [
        "../app_pages.py",
        "%2e%2e/vite.config.ts",
        "assets/../../package.json",
        "index.html.gz",
        "words/fr.json",
        "models/risk/manifest.json",
        "models/dr/README.md",
        "models/dr/../dr/README.md",
        "audio/sw/result-waiting",
        "audio/sw/result-refer",  # before it is rendered
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/app/{path}").status_code == 404


def test_an_app_that_was_not_built_says_so(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webapp_files, "DIST", tmp_path)
    assert client.get("/app/").status_code == client.get("/app/release.json").status_code == 503
    assert b"python app.py webapp build" in client.get("/app/").data
