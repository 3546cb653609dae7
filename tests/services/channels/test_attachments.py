"""WhatsApp and Twilio attachments and WhatsApp messages, over a real socket."""

from __future__ import annotations

import hashlib
import io
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, jsonify, redirect, request

from services.channels import download, twilio_mms, whatsapp
from services.channels.base import ChannelError, DeliveryReport, DeliveryState, Inbound, Kind, Media, Outbound
from services.channels.mm7 import Mm7
from services.channels.twilio_mms import TwilioMms
from services.channels.whatsapp import WhatsApp
from tests.services.channels.conftest import Carrier, Gateway

WORKER = "+254711000001"
PICTURE = b"\xff\xd8\xff\xe0 a photograph \r\n\xff\xd9"


def channel(carrier: Carrier, token: str = "access-token") -> WhatsApp:
    return WhatsApp("1066", token, f"{carrier.config.own_url}/v23.0")


def sent(carrier: Carrier) -> dict[str, Any]:
    found: dict[str, Any] = carrier.ledger()[-1]["message"]
    return found


def refused(act: Any, *arguments: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        act(*arguments)
    return caught.value


def picture_through(carrier: Carrier, gateway: Gateway, via: str) -> Inbound:
    form = {"msisdn": WORKER, "caption": "482913 left", "via": via}
    files = {"file": ("eye.jpg", io.BytesIO(PICTURE), "image/jpeg")}
    answer = carrier.http.post(f"{carrier.config.own_url}/phone/api/picture", data=form, files=files)
    assert answer.json() == {"taken": True}
    if via == "twilio":
        return twilio_mms.parse(gateway.at("/twilio/mms")[0].form)
    (inbound,) = whatsapp.parse(gateway.at("/whatsapp")[0].raw)
    assert isinstance(inbound, Inbound)
    return inbound


@pytest.mark.parametrize("via", ["whatsapp", "document"])
def test_a_picture_sent_by_whatsapp_is_fetched_in_two_steps(carrier: Carrier, gateway: Gateway, via: str) -> None:
    inbound = picture_through(carrier, gateway, via)
    assert (inbound.sender, inbound.text) == (WORKER, "482913 left")
    assert channel(carrier).fetch(inbound.media[0]) == PICTURE


def test_a_picture_is_checked_against_its_hash_in_either_form(carrier: Carrier, gateway: Gateway) -> None:
    media = picture_through(carrier, gateway, "whatsapp").media[0]
    digest = hashlib.sha256(PICTURE).hexdigest()
    for right in (digest, digest.upper(), ""):
        assert channel(carrier).fetch(Media("image/jpeg", locator=media.locator, sha256=right)) == PICTURE
    for wrong in ("0" * 64, "not base64 at all!", "AAAA"):
        error = refused(channel(carrier).fetch, Media("image/jpeg", locator=media.locator, sha256=wrong))
        assert (error.permanent, error.reason) == (False, "the attachment does not match its hash")


def test_media_that_is_gone_is_final_and_a_refused_token_is_not(carrier: Carrier, gateway: Gateway) -> None:
    assert refused(channel(carrier).fetch, Media("image/jpeg", locator="gone")).permanent
    media = picture_through(carrier, gateway, "whatsapp").media[0]
    error = refused(channel(carrier, token="expired").fetch, media)
    assert (error.permanent, error.retry_after_s) == (False, 600.0)


def test_an_attachment_is_cut_off_at_the_limit(
    carrier: Carrier, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whatsapp, "_LARGEST_MEDIA", 1000)
    form = {"msisdn": WORKER, "caption": "", "via": "whatsapp"}
    files = {"file": ("eye.jpg", io.BytesIO(b"x" * 1001), "image/jpeg")}
    carrier.http.post(f"{carrier.config.own_url}/phone/api/picture", data=form, files=files)
    (inbound,) = whatsapp.parse(gateway.at("/whatsapp")[0].raw)
    assert isinstance(inbound, Inbound)
    error = refused(channel(carrier).fetch, inbound.media[0])
    assert (error.permanent, error.reason) == (True, "larger than 1000 bytes")


def test_the_bearer_token_goes_to_no_plain_foreign_host(serve: Any) -> None:
    def make(_url: str) -> Flask:
        application = Flask("graph")
        application.add_url_rule("/v23.0/<name>", view_func=lambda name: jsonify(url=f"http://{name}.example/x"))
        return application

    error = refused(WhatsApp("1066", "t", f"{serve(make)}/v23.0").fetch, Media("image/jpeg", locator="evil"))
    assert (error.permanent, error.reason) == (True, "the media link is not https")


def test_a_text_and_its_states(carrier: Carrier, gateway: Gateway) -> None:
    receipt = channel(carrier).send(Outbound(Kind.WHATSAPP, WORKER, "Habari"))
    assert sent(carrier)["to"] == "254711000001"
    assert sent(carrier)["text"] == {"body": "Habari"}
    raw = [callback.raw for callback in gateway.wait_for("/whatsapp", 2)]
    states = {DeliveryState.SENT: "sent", DeliveryState.DELIVERED: "delivered"}
    assert sorted((event for part in raw for event in whatsapp.parse(part)), key=lambda event: str(event)) == sorted(
        (DeliveryReport("whatsapp", receipt.provider_id, state, word) for state, word in states.items()), key=str
    )
    whatsapp.check_signature(raw[0], gateway.at("/whatsapp")[0].headers["X-Hub-Signature-256"], "app-secret")


@pytest.mark.parametrize(
    ("labels", "text", "kind"),
    [
        (["Kushoto", "Kulia"], "Jicho gani?", "button"),
        (["a" * 20] * 3, "x" * 1024, "button"),
        (["a" * 21], "x", "list"),  # a button has 20 characters
        (["a"] * 4, "x", "list"),  # and there are three
        (["a"] * 3, "x" * 1025, "list"),  # under 1024 characters of text
        (["a" * 30] * 12, "x", "list"),
    ],
)
def test_choices_fit_what_whatsapp_takes(carrier: Carrier, labels: list[str], text: str, kind: str) -> None:
    buttons = tuple((str(number), label) for number, label in enumerate(labels))
    channel(carrier).send(Outbound(Kind.WHATSAPP, WORKER, text, buttons=buttons))
    content = sent(carrier)["interactive"]
    assert (content["type"], content["body"]["text"]) == (kind, text)
    if kind == "button":
        assert [button["reply"] for button in content["action"]["buttons"]] == [
            {"id": key, "title": label} for key, label in buttons
        ]
    else:
        (section,) = content["action"]["sections"]
        assert section["rows"] == [{"id": key, "title": label[:24]} for key, label in buttons[:10]]


def test_a_voice_note_by_link(carrier: Carrier) -> None:
    channel(carrier).send(Outbound(Kind.WHATSAPP, WORKER, media_url="https://clinic.example/a.ogg"))
    assert sent(carrier)["audio"] == {"link": "https://clinic.example/a.ogg", "voice": True}


def test_a_voice_note_is_handed_over_and_then_sent(carrier: Carrier) -> None:
    channel(carrier).send(Outbound(Kind.WHATSAPP, WORKER, audio=b"OggS a voice"))
    audio = sent(carrier)["audio"]
    assert audio["voice"] is True
    kept = Media("audio/ogg", locator=audio["id"])
    assert channel(carrier).fetch(kept) == b"OggS a voice"


@pytest.mark.parametrize(
    ("answer", "status", "permanent"), [({}, 200, False), ({}, 500, False), ({"error": {"code": 100}}, 400, True)]
)
def test_a_voice_note_that_meta_does_not_take_was_never_sent(
    serve: Any, answer: dict[str, Any], status: int, permanent: bool
) -> None:
    def make(_url: str) -> Flask:
        application = Flask("graph")
        application.add_url_rule("/v23.0/1066/media", view_func=lambda: (answer, status), methods=["POST"])
        return application

    message = Outbound(Kind.WHATSAPP, WORKER, audio=b"OggS")
    error = refused(WhatsApp("1066", "t", f"{serve(make)}/v23.0").send, message)
    assert (error.unknown, error.permanent) == (False, permanent)


def test_a_person_without_a_number_is_answered_by_user_id(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("whatsapp", {"msisdn": WORKER, "text": "Habari", "hide_number": True})
    (inbound,) = whatsapp.parse(gateway.at("/whatsapp")[0].raw)
    assert isinstance(inbound, Inbound)
    assert inbound.sender == "user:KE.254711000001"
    channel(carrier).send(Outbound(Kind.WHATSAPP, inbound.sender, "Karibu"))
    assert sent(carrier)["recipient"] == "KE.254711000001"
    assert carrier.ledger()[-1]["msisdn"] == WORKER


def test_a_pressed_button(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("whatsapp", {"msisdn": WORKER, "text": "Kushoto", "choice": "left"})
    (inbound,) = whatsapp.parse(gateway.at("/whatsapp")[0].raw)
    assert isinstance(inbound, Inbound)
    assert (inbound.text, inbound.choice) == ("Kushoto", "left")


def test_what_a_refused_message_means(carrier: Carrier) -> None:
    message = Outbound(Kind.WHATSAPP, WORKER, "x")
    carrier.ask("faults", {"whatsapp_500": 1, "whatsapp_throttled": 1})
    failing, throttled = refused(channel(carrier).send, message), refused(channel(carrier).send, message)
    assert (failing.permanent, failing.unknown, failing.retry_after_s) == (False, False, None)
    assert (throttled.permanent, throttled.unknown, throttled.retry_after_s) == (False, False, 60.0)
    assert refused(channel(carrier).send, Outbound(Kind.WHATSAPP, "nobody", "x")).permanent
    assert carrier.ledger() == []


@pytest.mark.parametrize("code", [4, 80007, 130429, 131048, 131056, 133016])
@pytest.mark.parametrize("status", [400, 403, 500])
def test_every_throttle_code(serve: Any, code: int, status: int) -> None:
    def make(_url: str) -> Flask:
        application = Flask("graph")
        view = lambda: (jsonify(error={"code": code, "message": "slow down"}), status)  # noqa: E731
        application.add_url_rule("/v23.0/1066/messages", view_func=view, methods=["POST"])
        return application

    error = refused(WhatsApp("1066", "t", f"{serve(make)}/v23.0").send, Outbound(Kind.WHATSAPP, WORKER, "x"))
    assert (error.permanent, error.retry_after_s) == (False, 60.0)


def test_an_answer_without_an_id_is_unknown_and_nobody_there_is_not(serve: Any) -> None:
    def make(_url: str) -> Flask:
        application = Flask("graph")
        application.add_url_rule("/v23.0/1066/messages", view_func=lambda: "OK", methods=["POST"])
        return application

    message = Outbound(Kind.WHATSAPP, WORKER, "x")
    assert refused(WhatsApp("1066", "t", f"{serve(make)}/v23.0").send, message).unknown
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = WhatsApp("1066", "t", f"http://127.0.0.1:{probe.getsockname()[1]}/v23.0")
    assert not refused(away.send, message).unknown


def hosts(carrier: Carrier) -> frozenset[str]:
    return frozenset({urlsplit(carrier.config.own_url).netloc})


def test_a_twilio_picture_is_announced_with_a_signature_and_fetched(carrier: Carrier, gateway: Gateway) -> None:
    inbound = picture_through(carrier, gateway, "twilio")
    callback = gateway.at("/twilio/mms")[0]
    twilio_mms.check_signature(
        f"{gateway.url}/twilio/mms", callback.form, callback.headers["X-Twilio-Signature"], "auth-token"
    )
    assert TwilioMms("ACstandin", "auth-token", hosts(carrier)).fetch(inbound.media[0]) == PICTURE
    error = refused(TwilioMms("ACstandin", "wrong", hosts(carrier)).fetch, inbound.media[0])
    assert (error.permanent, error.reason) == (False, "HTTP 401")


def test_twilio_credentials_go_to_no_foreign_host(serve: Any) -> None:
    seen: list[str | None] = []

    def storage(_url: str) -> Flask:
        application = Flask("storage")

        def file() -> Response:
            seen.append(request.headers.get("Authorization"))
            return Response(PICTURE)

        application.add_url_rule("/file", view_func=file)
        return application

    elsewhere = serve(storage).replace("127.0.0.1", "localhost")

    def provider(_url: str) -> Flask:
        application = Flask("provider")
        application.add_url_rule("/media", view_func=lambda: redirect(f"{elsewhere}/file"))
        return application

    url = serve(provider)
    fetching = TwilioMms("AC1", "secret", frozenset({urlsplit(url).netloc}))
    assert fetching.fetch(Media("image/jpeg", locator=f"{url}/media")) == PICTURE
    assert seen == [None]
    for foreign in (f"{elsewhere}/file", "ftp://x/", "", url.replace("//", "//user@")):
        assert refused(fetching.fetch, Media("image/jpeg", locator=foreign)).permanent
    assert seen == [None]


def test_a_download_is_cut_off_wherever_it_comes_from(serve: Any) -> None:
    import httpx

    def make(_url: str) -> Flask:
        application = Flask("files")
        application.add_url_rule("/file", view_func=lambda: Response(iter([b"x" * 600, b"x" * 600])))
        return application

    url = f"{serve(make)}/file"
    with httpx.stream("GET", url) as answer:
        assert download.read_at_most(answer, 1200) == b"x" * 1200
    with httpx.stream("GET", url) as answer, pytest.raises(ChannelError) as caught:
        download.read_at_most(answer, 1199)
    assert caught.value.permanent


def test_no_channel_pretends_to_send_what_it_cannot() -> None:
    assert refused(Mm7().send, Outbound(Kind.MMS, WORKER, "x")).permanent
    assert refused(TwilioMms("a", "b", frozenset()).send, Outbound(Kind.MMS, WORKER, "x")).permanent
    assert refused(Mm7().fetch, Media("image/jpeg", locator="x")).permanent


def test_json_of_the_webhook_is_metas_envelope(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("whatsapp", {"msisdn": WORKER, "text": "Habari"})
    body = json.loads(gateway.at("/whatsapp")[0].raw)
    value = body["entry"][0]["changes"][0]["value"]
    assert body["object"] == "whatsapp_business_account"
    assert value["metadata"]["phone_number_id"] == "1066"
    assert value["contacts"][0]["wa_id"] == value["messages"][0]["from"] == "254711000001"
