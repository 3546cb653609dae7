"""A take that comes from the recording page is judged, kept and played."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from console import HERE, sign_in, token_in
from flask.testing import FlaskClient

from app import create_app
from services.calls.script import script
from services.runtime import Runtime

PAGE = "/console/recording"


@pytest.fixture
def client(migrated: Runtime) -> Iterator[FlaskClient]:
    with create_app().test_client() as found:
        sign_in(found, migrated, "achieng", "operator")
        yield found


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
    token = token_in(client.get("/console/messages", base_url=HERE).text)

    def send(seconds: float, **details: str) -> tuple[int, dict[str, str]]:
        form = {"token": token, "pack": "juma", "speaker": "Juma", "consent": "agreed"} | details
        answer = client.post(where, data=form | {"take": (take(seconds), "take.wav")}, base_url=HERE)
        return answer.status_code, answer.get_json()

    def ask_here(path: str) -> tuple[int, bytes]:
        answer = client.get(path, base_url=HERE)
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
    listed = client.get(f"{PAGE}/sw", base_url=HERE).get_json()["lines"]
    assert [each["number"] for each in listed if each["recorded"]] == [line.number]
    assert ask_here(f"{PAGE}/fr")[0] == 404
