"""Each callback, with the payloads that carriers send: authenticated, stored once, answered after the commit."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from open_rows import texts
from phones import PATIENT, WORKER, open_case
from PIL import Image

from app import create_app
from flows.render_voice import Utterance
from services.calls.clips import key_of, link, path_of
from services.channels.simulator.network import deliver_req
from services.channels.twilio_mms import sign
from services.runtime import Runtime
from services.screening.people import add_worker, has_opted_out
from services.store.clock import now_ms
from services.store.sealing import phone_token
from services.store.tables import inbound, message, outbox, photo


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    with create_app().test_client() as found:
        yield found


@pytest.fixture
def token(site: Runtime) -> str:
    return site.settings.at_token.get_secret_value()


@pytest.fixture
def code(site: Runtime) -> str:
    return open_case(site)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 320), (120, 40, 20)).save(file, "JPEG")
    return file.getvalue()


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)))


USSD = {
    "sessionId": "ATUid_9f1c3ba0a4f64d1a8ad1c2d9c0c6f3d2",
    "serviceCode": "*384*77#",
    "phoneNumber": WORKER,
    "networkCode": "63902",
    "text": "",
}
SMS = {
    "date": "2017-05-03 06:04:45",
    "from": WORKER,
    "id": "a3d2b1c0-5f5e-4a0e-8a7e-3c0b6a1f9d11",
    "linkId": "SampleLinkId123",
    "text": "jicho",
    "to": "38477",
    "networkCode": "63902",
}


def test_ussd_answers_with_a_screen(client: FlaskClient, token: str) -> None:
    answer = client.post(f"/at/{token}/ussd", data=USSD)
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert answer.text.startswith("CON Jicho: Achieng\n1. Open a screening")


def test_ussd_end_is_thanked(client: FlaskClient, token: str) -> None:
    form = {
        "date": "2026-11-24 09:00:00",
        "sessionId": USSD["sessionId"],
        "serviceCode": "*384*77#",
        "networkCode": "63902",
        "phoneNumber": WORKER,
        "status": "Incomplete",
        "cost": "KES 0.00",
        "durationInMillis": "30121",
        "hopsCount": "4",
        "input": "1*1",
        "lastAppResponse": "CON",
        "errorMessage": "Timeout",
    }
    assert client.post(f"/at/{token}/ussd-end", data=form).status_code == 200


@pytest.mark.parametrize("path", ["ussd", "ussd-end", "sms", "delivery", "optout", "voice"])
@pytest.mark.parametrize("wrong", ["guess", "", "x" * 32])
def test_a_wrong_token_finds_nothing(client: FlaskClient, path: str, wrong: str) -> None:
    assert client.post(f"/at/{wrong or 'none'}/{path}", data=USSD | SMS).status_code == 404


def test_a_bad_callback_is_told_what_is_missing(client: FlaskClient, token: str) -> None:
    answer = client.post(f"/at/{token}/ussd", data={"text": "1"})
    assert (answer.status_code, answer.json) == (400, {"error": "sessionId is missing"})


def test_an_sms_repeated_is_answered_once(site: Runtime, client: FlaskClient, token: str) -> None:
    for _ in range(3):
        assert client.post(f"/at/{token}/sms", data=SMS).status_code == 200
    assert len(rows(site, inbound)) == 1
    (reply,) = rows(site, message)
    assert (reply.kind, reply.recipient, reply.purpose) == ("sms", phone_token(WORKER), "reply")
    assert [row.task for row in rows(site, outbox)] == ["send_message"]


@pytest.mark.parametrize("sender", ["22384", "SAFARICOM", "MPESA"])
def test_machines_are_never_answered(site: Runtime, client: FlaskClient, token: str, sender: str) -> None:
    assert client.post(f"/at/{token}/sms", data=SMS | {"from": sender}).status_code == 200
    assert len(rows(site, inbound)) == 1
    assert rows(site, message) == []


def test_delivery_report_of_a_stranger_is_thanked(client: FlaskClient, token: str) -> None:
    form = {"id": "ATXid_unknown", "status": "Success", "phoneNumber": PATIENT, "networkCode": "63902"}
    assert client.post(f"/at/{token}/delivery", data=form).status_code == 200


def test_opting_out(site: Runtime, client: FlaskClient, token: str) -> None:
    assert client.post(f"/at/{token}/optout", data={"senderId": "JICHO", "phoneNumber": PATIENT}).status_code == 200
    with site.db.read() as tx:
        assert has_opted_out(tx, msisdn=PATIENT, kind="sms")


def whatsapp(site: Runtime, client: FlaskClient, value: dict[str, Any], *, secret: str = "") -> int:
    envelope = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages"}]}]}
    metadata = {"display_phone_number": "254711082001", "phone_number_id": "254711082001"}
    envelope["entry"][0]["changes"][0]["value"] = {"messaging_product": "whatsapp", "metadata": metadata, **value}  # type: ignore[index]
    raw = json.dumps(envelope).encode()
    key = secret or site.settings.whatsapp_app_secret.get_secret_value()
    signature = "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    return client.post("/whatsapp", data=raw, headers=headers).status_code


def image(caption: str) -> dict[str, Any]:
    content = {"id": "1013859600285441", "mime_type": "image/jpeg", "sha256": "x" * 64, "caption": caption}
    return {
        "contacts": [{"profile": {"name": "Achieng"}, "wa_id": WORKER[1:]}],
        "messages": [
            {
                "from": WORKER[1:],
                "id": "wamid.HBgM",
                "timestamp": str(now_ms() // 1000),
                "type": "image",
                "image": content,
            }
        ],
    }


def test_whatsapp_verification(site: Runtime, client: FlaskClient) -> None:
    secret = site.settings.whatsapp_verify_token.get_secret_value()
    query = {"hub.mode": "subscribe", "hub.verify_token": secret, "hub.challenge": "1158201444"}
    assert client.get("/whatsapp", query_string=query).text == "1158201444"
    assert client.get("/whatsapp", query_string=query | {"hub.verify_token": "no"}).status_code == 403


def test_whatsapp_photograph_is_fetched_by_a_job(site: Runtime, client: FlaskClient, code: str) -> None:
    for _ in range(2):
        assert whatsapp(site, client, image(f"{code} left")) == 200
    (row,) = rows(site, photo)
    assert (row.locator, row.eye, row.state, row.sha256) == ("1013859600285441", "left", "attached", None)
    assert [row.task for row in rows(site, outbox)].count("fetch_photo") == 1


def test_an_unsigned_webhook_is_refused(site: Runtime, client: FlaskClient, code: str) -> None:
    assert whatsapp(site, client, image(f"{code} left"), secret="wrong") == 403
    assert client.post("/whatsapp", data=b"{}").status_code == 403
    assert rows(site, inbound) == []


def test_mm7_is_stored_and_thanked(site: Runtime, client: FlaskClient, code: str) -> None:
    body, content_type = deliver_req("18a7", WORKER, picture(), "image/jpeg", f"{code} kulia")
    path = f"/mm7/{site.settings.mm7_token.get_secret_value()}"
    for _ in range(2):
        answer = client.post(path, data=body, content_type=content_type)
        assert answer.status_code == 200
        assert ">18a7</" in answer.text
        assert "<mm7:StatusCode>1000</mm7:StatusCode>" in answer.text
    (row,) = rows(site, photo)
    assert (row.eye, row.state, row.sha256) == ("right", "attached", hashlib.sha256(picture()).hexdigest())
    assert site.media.content(row.sha256) == picture()
    assert [row.task for row in rows(site, outbox)].count("read_photo") == 1
    assert client.post("/mm7/guess", data=body, content_type=content_type).status_code == 404


def test_what_is_no_delivery_is_told_so_in_soap(site: Runtime, client: FlaskClient) -> None:
    path = f"/mm7/{site.settings.mm7_token.get_secret_value()}"
    answer = client.post(path, data=b"--x\r\n\r\nhello\r\n--x--", content_type="multipart/related; boundary=x")
    assert (answer.status_code, answer.mimetype) == (400, "text/xml")
    assert "<mm7:StatusCode>2007</mm7:StatusCode>" in answer.text


def test_a_reaction_is_kept_and_not_answered(site: Runtime, client: FlaskClient) -> None:
    reaction = {"message_id": "wamid.x", "emoji": "👍"}
    message_ = {
        "from": WORKER[1:],
        "id": "wamid.r",
        "timestamp": str(now_ms() // 1000),
        "type": "reaction",
        "reaction": reaction,
    }
    assert whatsapp(site, client, {"messages": [message_]}) == 200
    assert len(rows(site, inbound)) == 1
    assert rows(site, message) == []


def test_twilio_is_checked_and_stored(site: Runtime, client: FlaskClient, code: str) -> None:
    form = {
        "MessageSid": "MM1",
        "From": WORKER,
        "To": "+15005550006",
        "Body": f"{code} L",
        "NumMedia": "1",
        "MediaUrl0": f"{site.settings.simulator_url}/twilio-media/1",
        "MediaContentType0": "image/jpeg",
    }
    url = f"{site.settings.base_url}/twilio/mms"
    signature = sign(url, form, site.settings.twilio_auth_token.get_secret_value())
    assert client.post("/twilio/mms", data=form, headers={"X-Twilio-Signature": signature}).status_code == 200
    assert rows(site, photo)[0].eye == "left"
    form["Body"] = "111111 R"
    assert client.post("/twilio/mms", data=form, headers={"X-Twilio-Signature": signature}).status_code == 403


def test_a_photograph_without_a_caption_is_asked_about(site: Runtime, client: FlaskClient) -> None:
    body, content_type = deliver_req("18a8", WORKER, picture(), "image/jpeg", "")
    path = f"/mm7/{site.settings.mm7_token.get_secret_value()}"
    client.post(path, data=body, content_type=content_type)
    with site.db.read() as tx:
        assert "code" in texts(tx)[-1]
    assert rows(site, photo)[0].state == "received"


def test_audio_needs_a_valid_link(site: Runtime, client: FlaskClient) -> None:
    keys = [key_of(site.settings, "sw", Utterance(message)) for message in ("voice-wait", "goodbye")]
    site.clips_dir.mkdir(parents=True)
    for number, key in enumerate(keys):
        path_of(site.settings, site.clips_dir, key).write_bytes(bytes([number, 0]) * 800)
    url = link(site.settings, keys).removeprefix(site.settings.base_url)
    with wave.open(io.BytesIO(client.get(url).data)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.readframes(9999) == bytes(2 * 3200) + b"\0\0" * 800 + b"\1\0" * 800
    part = client.get(url, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"RIFF")
    assert client.get(link(site.settings, ["0" * 32]).removeprefix(site.settings.base_url)).status_code == 404
    assert client.get(url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403
    assert client.get(url.replace("until=1", "until=9")).status_code == 403
    assert client.get(url.split("?")[0]).status_code == 403


def test_health_and_the_way_to_the_phone(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert client.get("/phone").headers["Location"] == "http://localhost:8081/phone"
    assert "Try it on a phone" in client.get("/").text


def test_there_is_no_trial_phone_with_a_live_carrier(site: Runtime, client: FlaskClient) -> None:
    site.settings = site.settings.model_copy(update={"carrier": "live"})
    assert client.get("/phone").status_code == 404
    assert "Try it" not in client.get("/").text


def test_the_gateway_imports_nothing_heavy() -> None:
    heavy = ("onnxruntime", "piper", "numpy", "PIL", "africastalking", "alembic")
    program = f"import sys, services.gateway.application; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
