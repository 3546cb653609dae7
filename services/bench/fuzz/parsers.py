"""Parsers of what comes from outside, each with the one error that it may raise."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from urllib.parse import parse_qs, urlencode

from services.bench.fuzz.targets import Run

_FORMS = (
    {
        "sessionId": "ATUid_1",
        "serviceCode": "*384#",
        "phoneNumber": "+254711000001",
        "networkCode": "63902",
        "text": "1*2",
    },
    {"from": "+254711000001", "to": "JICHO", "text": "RISK", "date": "2026-11-24 09:00:00", "id": "7", "linkId": ""},
    {"id": "ATXid_1", "phoneNumber": "+254711000001", "status": "Failed", "failureReason": "DeliveryFailure"},
    {
        "isActive": "1",
        "sessionId": "ATVId_1",
        "callerNumber": "+254711000001",
        "direction": "Inbound",
        "dtmfDigits": "12",
    },
)
_WORDS = (
    "482913 left",
    "jicho la kushoto 482 913",
    "RISK",
    "HATARI",
    "STOP",
    "1",
    "*384*1#",
    "mahindi",
    "\u2019",
    "0722 000 001",
)


def prepare(name: str) -> Run:
    """How one input is read."""
    run: Run = {
        "africastalking": _africastalking,
        "whatsapp": _whatsapp,
        "mm7": _mm7,
        "twilio": _twilio,
        "words": _words,
        "image": _image,
        "batch": _batch,
        "photograph-metadata": _metadata,
        "fhir": _fhir,
    }[name]
    with suppress(Exception):
        run(b"")  # imports what it needs, so that it is instrumented
    return run


def seeds(name: str) -> list[bytes]:
    """Realistic inputs to begin with."""
    if name in ("africastalking", "twilio"):
        mms = {"MessageSid": "MM1", "From": "+254711000001", "To": "+1", "Body": "482913 left", "NumMedia": "1"}
        mms |= {"MediaUrl0": "http://127.0.0.1/1", "MediaContentType0": "image/jpeg"}
        return [urlencode(form).encode() for form in (*_FORMS, mms)]
    if name == "whatsapp":
        return [json.dumps(_whatsapp_value(message)).encode() for message in _whatsapp_messages()]
    if name == "mm7":
        from services.channels.simulator.network import deliver_req

        body, content_type = deliver_req("T1", "+254711000001", b"\xff\xd8\xff\xe0", "image/jpeg", "482913 left")
        return [content_type.encode() + b"\n" + body]
    if name == "words":
        return [word.encode() for word in _WORDS]
    if name == "image":
        return _images()
    if name == "batch":
        return _batches()
    if name == "photograph-metadata":
        return [b"photo_ref MQ==,screening_ref MQ==,eye bGVmdA==,sha256 " + b"YQ==" * 16]
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no", "expression": ["Patient.name"]}]}
    return [json.dumps(outcome).encode(), b'{"resourceType":"Bundle","entry":[{"response":{"status":"201"}}]}']


def _form(data: bytes) -> dict[str, str]:
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
    return {}


def _africastalking(data: bytes) -> None:
    from services.channels import africastalking
    from services.channels.base import BadCallback

    form = _form(data)
    for parse in (
        africastalking.parse_ussd,
        africastalking.parse_ussd_end,
        africastalking.parse_sms,
        africastalking.parse_delivery,
        africastalking.parse_optout,
        africastalking.parse_voice,
    ):
        with suppress(BadCallback):
            parse(form)


def _whatsapp(data: bytes) -> None:
    from services.channels.base import BadCallback
    from services.channels.whatsapp import parse

    with suppress(BadCallback):
        parse(data)


def _mm7(data: bytes) -> None:
    from services.channels.base import BadCallback
    from services.channels.mm7 import parse

    content_type, _, body = data.partition(b"\n")
    with suppress(BadCallback):
        parse(body, content_type.decode("latin-1"))


def _twilio(data: bytes) -> None:
    from services.channels.base import BadCallback
    from services.channels.twilio_mms import parse

    with suppress(BadCallback):
        parse(_form(data))


def _words(data: bytes) -> None:
    from flows.caption import read_caption
    from services.channels.gsm7 import normalise, parts
    from services.screening.codes import clean

    text = data.decode("utf-8", "replace")
    read_caption(text)
    clean(text)
    assert parts(normalise(text)) >= 1


def _image(data: bytes) -> None:
    from services.screening.sanitise import BadPhotograph, sanitise

    with suppress(BadPhotograph):
        sanitise(data)


def _batch(data: bytes) -> None:
    from services.sync.batch import BatchError, decode, decode_answer

    with suppress(BatchError):
        decode(data)
    with suppress(BatchError):
        decode_answer(data)


def _metadata(data: bytes) -> None:
    from services.sync.about import About, BadMetadata, read_header

    with suppress(BadMetadata):
        About.from_metadata(read_header(data.decode("latin-1")))


def _fhir(data: bytes) -> None:
    import httpx

    from services.fhir import push

    push._outcome(push._json(httpx.Response(400, content=data)))


def _whatsapp_messages() -> list[dict[str, object]]:
    head = {"id": "wamid.1", "from": "254711000001", "timestamp": "1795655170"}
    reply = {"id": "yes", "title": "Yes"}
    return [
        head | {"type": "text", "text": {"body": "482913 left"}},
        head
        | {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "YQ==", "caption": "482913"}},
        head | {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}},
    ]


def _whatsapp_value(message: dict[str, object]) -> dict[str, object]:
    contact = {"profile": {"name": "Trial"}, "user_id": "KE.254711000001", "wa_id": "254711000001"}
    value: dict[str, object] = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
    value["statuses"] = [{"id": "wamid.1", "status": "delivered", "recipient_id": "254711000001", "timestamp": "1"}]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def _images() -> list[bytes]:
    from models.dr.phantom import draw

    eye = draw(3, 240)
    found = []
    for kind, options in (
        ("JPEG", {"quality": 30}),
        ("JPEG", {"progressive": True, "quality": 20}),
        ("WEBP", {"quality": 20}),
    ):
        out = io.BytesIO()
        eye.save(out, kind, **options)
        found.append(out.getvalue())
    out = io.BytesIO()
    eye.quantize(8).save(out, "PNG")
    return [*found, out.getvalue()]


def _batches() -> list[bytes]:
    from services.bench.clinic import day
    from services.sync.batch import Answer, Batch, Down, Event, encode, encode_answer

    return [
        encode(Batch([Event(number, "result", number, content) for number, content in enumerate(day(3, 2), 1)])),
        encode(Batch([], 4, {"battery_percent": 80})),
        encode_answer(Answer(1, 2, [Down(1, "verdict", {"grade": 2})])),
    ]
