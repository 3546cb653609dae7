"""Who may use the console, and who may not."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from flask.testing import FlaskClient
from pydantic import SecretStr

from app import create_app
from services.calls.script import script
from services.gateway import console
from services.runtime import Runtime

PAGE = "/console/recording"
PASSWORD = "a long password"


@pytest.fixture
def client(migrated: Runtime) -> Iterator[FlaskClient]:
    assert not migrated.settings.console_password.get_secret_value()
    console._wrong.clear()
    with create_app().test_client() as found:
        yield found


def ask(client: FlaskClient, *, base: str = "http://localhost:8080", remote: str = "127.0.0.1", **headers: str) -> int:
    answer = client.get(PAGE, base_url=base, environ_base={"REMOTE_ADDR": remote}, headers=headers)
    return answer.status_code


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("base", "remote", "status"),
    [
        ("http://localhost:8080", "127.0.0.1", 200),
        ("http://127.0.0.1:8080", "127.0.0.1", 200),
        ("http://[::1]:8080", "::1", 200),
        ("http://localhost:8080", "192.168.1.20", 403),
        ("http://clinic.example:8080", "127.0.0.1", 403),  # a page of another site, by a name that leads here
        ("http://192.168.1.2:8080", "192.168.1.20", 403),
    ],
)
def test_without_a_password_only_this_machine_comes_in(
    client: FlaskClient, base: str, remote: str, status: int
) -> None:
    assert ask(client, base=base, remote=remote) == status


def test_behind_a_proxy_there_must_be_a_password(site: Runtime, client: FlaskClient) -> None:
    site.settings = site.settings.model_copy(update={"public_url": "https://clinic.example"})
    assert ask(client) == 403


def test_with_a_password_whoever_knows_it_comes_in(site: Runtime, client: FlaskClient) -> None:
    site.settings = site.settings.model_copy(update={"console_password": SecretStr(PASSWORD)})
    assert ask(client) == 401
    assert ask(client, Authorization=basic("wrong")) == 401
    assert ask(client, Authorization="Bearer x") == 401
    assert ask(client, Authorization=basic(PASSWORD), base="https://clinic.example", remote="41.80.0.1") == 200


def test_passwords_cannot_be_tried_for_ever(site: Runtime, client: FlaskClient) -> None:
    site.settings = site.settings.model_copy(update={"console_password": SecretStr(PASSWORD)})
    tries = [ask(client, Authorization=basic(f"guess {number}")) for number in range(12)]
    assert tries == [401] * 10 + [429] * 2
    assert ask(client, Authorization=basic(PASSWORD)) == 429


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:8080", 422), ("https://evil.example", 403), ("null", 403)]
)
def test_another_sites_page_cannot_send_anything(client: FlaskClient, origin: str, status: int) -> None:
    answer = client.post(f"{PAGE}/sw/1", base_url="http://localhost:8080", headers={"Origin": origin})
    assert answer.status_code == status


def take(seconds: float) -> io.BytesIO:
    time = np.arange(int(seconds * 16_000)) / 16_000
    sound = 0.3 * np.sin(2 * np.pi * 200 * time) * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time))
    content = io.BytesIO()
    soundfile.write(content, sound, 16_000, format="WAV")
    content.seek(0)
    return content


def test_a_take_is_judged_kept_and_played(site: Runtime, client: FlaskClient) -> None:
    line = next(line for line in script(site.settings, "sw") if line.message == "goodbye")
    where = f"{PAGE}/sw/{line.number}"

    def send(seconds: float, **details: str) -> tuple[int, dict[str, str]]:
        form = {"pack": "juma", "speaker": "Juma", "consent": "agreed"} | details
        answer = client.post(where, data=form | {"take": (take(seconds), "take.wav")}, base_url="http://localhost:8080")
        return answer.status_code, answer.get_json()

    def ask_here(path: str) -> tuple[int, bytes]:
        answer = client.get(path, base_url="http://localhost:8080")
        return answer.status_code, answer.data

    assert ask_here(f"{where}.wav")[0] == 404
    status, answer = send(12)
    assert status == 422
    assert "too long" in answer["problem"], answer
    status, answer = send(1.5, consent="")
    assert (status, answer["problem"]) == (422, "say what the speaker agreed to: a voice belongs to a person")
    status, answer = send(1.5)
    assert (status, answer["text"]) == (200, line.text)
    status, content = ask_here(f"{where}.wav")
    assert (status, content[:4]) == (200, b"RIFF")
    listed = client.get(f"{PAGE}/sw", base_url="http://localhost:8080").get_json()["lines"]
    assert [each["number"] for each in listed if each["recorded"]] == [line.number]
    assert ask_here(f"{PAGE}/fr")[0] == 404
