"""What one screening takes of the link and of the carriers' accounts, by the ledger of the real stack."""

from __future__ import annotations

import io
import json
import time
from typing import Any

from models.dr.phantom import draw
from services.bench.stack import Stack

_WORKER = "+254711000001"
_SCREENINGS, _REFERRED = 4, 1
_FLUSHED_S = 12.0  # twice what a process keeps its counts to itself
_DRAWN, _SIDE, _QUALITY = 400, 1600, 85  # drawn small and enlarged: to draw one so large takes nine seconds


def screening() -> dict[str, Any]:
    """Four screenings, one of them referred: a dialled form, two drawn photographs by WhatsApp or by picture message
    (`mms`), the SMS, and a call that the patient answers and keys her code into.

    For each way, of one screening on average: `photographs` and their `photograph_bytes`; `purposes` with `number`
    (messages, calls, sessions), SMS `parts`, `requests` and the link's bytes `up` and `down`, as the ledger estimates
    them; `heard_s` and `heard_bytes` of call audio, 16-bit WAV.
    """
    return {"screenings": _SCREENINGS, "referred": _REFERRED, "by": {way: _by(way) for way in ("whatsapp", "mm7")}}


def _by(way: str) -> dict[str, Any]:
    with Stack() as stack:
        stack.command("worker", "add", _WORKER, "Achieng", "--language", "en")
        sent = [_screen(stack, way, number) for number in range(_SCREENINGS)]
        time.sleep(_FLUSHED_S)
        lines = json.loads(stack.command("ledger", "--days", "2", "--json"))["lines"]
    photographs, pictures, heard = (sum(each[at] for each in sent) for at in range(3))
    return {
        "photographs": photographs / _SCREENINGS,
        "photograph_bytes": round(pictures / photographs),
        "heard_bytes": round(heard / _SCREENINGS),
        "heard_s": round(heard / 16_000 / _SCREENINGS, 1),
        "purposes": {
            line["purpose"]: {
                "number": line["number"] / _SCREENINGS,
                "parts": line["parts"] / _SCREENINGS,
                "requests": line["requests"] / _SCREENINGS,
                "up": round(line["wire_bytes_up"] / _SCREENINGS),
                "down": round(line["wire_bytes_down"] / _SCREENINGS),
            }
            for line in lines
        },
    }


def _screen(stack: Stack, way: str, number: int) -> tuple[int, int, int]:
    """One screening to its end: photographs that were sent, their bytes, bytes of audio that the patient heard."""
    patient = f"+25472200000{number}"
    referred = number < _REFERRED
    screen = stack.dial(_WORKER)
    for answer in ("1", "1", "1961", patient, "1", "98", "1", "2"):
        screen = stack.dial(_WORKER, answer)
    code = screen.split("Code: ")[1][:6]
    photographs = pictures = 0
    for side, seed in (("left", 2 * number), ("right", 2 * number + 1)):
        file = io.BytesIO()
        large = draw(seed, _DRAWN, lesions=referred).resize((_SIDE, _SIDE))
        large.save(file, "JPEG", quality=_QUALITY)
        _send(stack, file.getvalue(), code, side, way)
        photographs, pictures = photographs + 1, pictures + len(file.getvalue())
    return photographs, pictures, _answer(stack, patient, code)


def _send(stack: Stack, content: bytes, code: str, side: str, way: str) -> None:
    """Sends a photograph and waits for what the worker is told."""
    before = _told(stack, code)
    stack.send_picture(_WORKER, content, f"{code} {side}", via=way)
    stack.wait_for(lambda: _told(stack, code) > before, "the result", seconds=120)


def _told(stack: Stack, code: str) -> int:
    return sum(code in entry.get("text", "") for entry in stack.ledger() if entry.get("sender") == "gateway")


def _answer(stack: Stack, patient: str, code: str) -> int:
    """The patient answers, keys in her code, hears the verdict and ends the call. Bytes of audio that were played."""

    def ringing() -> Any:
        return stack.ask(f"calls?msisdn={patient.replace('+', '%2B')}")["calls"]

    (call,) = stack.wait_for(ringing, "the call", seconds=300)
    heard = _played(stack, stack.ask(f"calls/{call['id']}/answer")["call"])
    heard += _played(stack, stack.ask(f"calls/{call['id']}/digits", digits=code)["call"])
    stack.ask(f"calls/{call['id']}/digits", digits="2")
    return heard


def _played(stack: Stack, call: dict[str, Any]) -> int:
    played = 0
    for url in call["plays"]:
        answer = stack.http.get(f"{stack.carrier_url}/phone/api/audio", params={"url": url})
        answer.raise_for_status()
        played += len(answer.content)
    return played
