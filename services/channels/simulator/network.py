"""What the carriers post to the gateway, field by field as they do."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx

from services.channels.simulator.state import Carrier, UssdSession, new_id
from services.channels.twilio_mms import sign

NETWORK = "63902"
_DEADLINE_S = 10.0  # Africa's Talking ends a USSD session after that
_SCREEN = 160  # what Safaricom shows
_HOP_NAME = 99
_REPEATS, _REPEAT_S = 4, 0.5
_USER = "KE."
_LOG = logging.getLogger(__name__)
_CLIENT = httpx.Client(timeout=_DEADLINE_S)


class GatewayAway(Exception):
    """The gateway did not answer in time; the text is for the person at the phone."""


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """One request to the gateway. Raises GatewayAway."""
    try:
        return _CLIENT.request(method, url, **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayAway(f"the gateway does not answer ({type(error).__name__})") from None


def at(carrier: Carrier, path: str, form: dict[str, str]) -> httpx.Response:
    """One of Africa's Talking's callbacks. Raises GatewayAway."""
    return request("POST", _at_url(carrier, path), data=form)


def later(seconds: float, action: Callable[..., None], *arguments: Any) -> None:
    """Does it in a thread of its own: carriers report when they get round to it."""

    def act() -> None:
        try:
            action(*arguments)
        except GatewayAway as problem:
            _LOG.warning("callback not taken", extra={"reason": str(problem)})

    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def ussd(carrier: Carrier, session: UssdSession, msisdn: str) -> None:
    """One USSD turn, whose screen, with its `CON ` or `END `, is then the session's.

    Raises GatewayAway for what would end a real session or would not be shown in full.
    """
    form = {
        "sessionId": session.id,
        "serviceCode": carrier.config.ussd_code,
        "phoneNumber": msisdn,
        "networkCode": NETWORK,
        "text": session.text,
    }
    answer = at(carrier, "ussd", form)
    hop = answer.headers.get("at-ussd-hop-metadata", "")
    if answer.status_code != 200 or not answer.text.startswith(("CON ", "END ")):
        raise GatewayAway(f"the gateway's answer ends the session (HTTP {answer.status_code})")
    if len(answer.text) - len("CON ") > _SCREEN:
        raise GatewayAway(f"the screen has {len(answer.text) - 4} characters: {_SCREEN} are shown")
    if len(hop) > _HOP_NAME or "|" in hop:
        raise GatewayAway(f"the hop header {hop!r} is longer than {_HOP_NAME} characters or holds a |")
    session.screen = answer.text
    session.hops += 1
    session.hop_names += [hop] if hop else []


def ussd_end(carrier: Carrier, session: UssdSession, msisdn: str, status: str, problem: str) -> None:
    """The word that a session ended: Success, Incomplete or Failed. Raises GatewayAway."""
    form = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "sessionId": session.id,
        "serviceCode": carrier.config.ussd_code,
        "networkCode": NETWORK,
        "phoneNumber": msisdn,
        "status": status,
        "cost": "KES 0.0000",
        "durationInMillis": str(round((time.time() - session.started) * 1000)),
        "hopsCount": str(session.hops),
        "hopsMetadata": "|".join(session.hop_names),
        "input": session.text,
        "lastAppResponse": session.screen,
        **({"errorMessage": problem} if problem else {}),
    }
    at(carrier, "ussd-end", form)


def sms(carrier: Carrier, msisdn: str, text: str) -> None:
    """An SMS from a person, repeated (sooner than the real carrier's minute) until the gateway says 200.

    Raises GatewayAway.
    """
    form = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "from": msisdn,
        "id": str(uuid.uuid4()),
        "linkId": "",
        "text": text,
        "to": carrier.config.sms_sender,
        "networkCode": NETWORK,
    }
    _until_taken(_at_url(carrier, "sms"), data=form)


def sms_report(carrier: Carrier, identity: str, msisdn: str, *, delivered: bool = True) -> None:
    """The word that an SMS arrived, or did not. Raises GatewayAway."""
    form = {"id": identity, "phoneNumber": msisdn, "networkCode": NETWORK, "retryCount": "0"}
    fate = {"status": "Success"} if delivered else {"status": "Failed", "failureReason": "DeliveryFailure"}
    _until_taken(_at_url(carrier, "delivery"), data=form | fate)


def optout(carrier: Carrier, msisdn: str) -> None:
    """The word that a person wants no more SMS. Raises GatewayAway."""
    form = {"senderId": carrier.config.sms_sender, "phoneNumber": msisdn}
    _until_taken(_at_url(carrier, "optout"), data=form)


def whatsapp(carrier: Carrier, msisdn: str, message: dict[str, Any], *, hide_number: bool = False) -> None:
    """A WhatsApp message from a person, in Meta's envelope, signed; `hide_number` leaves only the user id.

    Raises GatewayAway.
    """
    number = msisdn.removeprefix("+")
    stamped = {"id": new_id("wamid."), "timestamp": str(int(time.time())), **message}
    contact: dict[str, Any] = {"profile": {"name": "Trial"}, "user_id": f"{_USER}{number}"}
    if hide_number:
        stamped["from_user_id"] = contact["user_id"]
    else:
        stamped["from"] = contact["wa_id"] = number
    _whatsapp_value(carrier, {"contacts": [contact], "messages": [stamped]})


def number_of(message: dict[str, Any]) -> str:
    """The number that a Cloud API message goes to, by number or by user id; empty if it names neither."""
    to = str(message.get("to") or "") or str(message.get("recipient") or "").removeprefix(_USER)
    return f"+{to}" if to.isascii() and to.isdigit() else ""


def image_of(identity: str, content: bytes, mime_type: str, caption: str) -> dict[str, Any]:
    """The description of a picture in a webhook, where Meta gives the hash in base64."""
    digest = b64encode(hashlib.sha256(content).digest()).decode()
    return {"id": identity, "mime_type": mime_type, "sha256": digest, "caption": caption}


def whatsapp_status(carrier: Carrier, identity: str, msisdn: str, status: str) -> None:
    """The word that a WhatsApp message was sent, delivered or read. Raises GatewayAway."""
    stamp = {"timestamp": str(int(time.time())), "recipient_id": msisdn.removeprefix("+")}
    _whatsapp_value(carrier, {"statuses": [{"id": identity, "status": status, **stamp}]})


def mm7(carrier: Carrier, msisdn: str, content: bytes, mime_type: str, caption: str) -> None:
    """A picture message, as an MMSC delivers it: SOAP and a nested multipart. Raises GatewayAway."""
    body, content_type = deliver_req(uuid.uuid4().hex, msisdn, content, mime_type, caption)
    url = f"{carrier.config.gateway_url}/mm7/{carrier.config.mm7_token}"
    _until_taken(url, content=body, headers={"Content-Type": content_type})


def twilio(carrier: Carrier, msisdn: str, content: bytes, mime_type: str, caption: str) -> None:
    """A picture message, as a Twilio-shaped provider announces it. Raises GatewayAway."""
    identity = uuid.uuid4().hex
    carrier.media[identity] = (content, mime_type)
    form = {
        "MessageSid": f"MM{identity}",
        "AccountSid": carrier.config.twilio_account_sid,
        "From": msisdn,
        "To": "+15005550006",
        "Body": caption,
        "NumMedia": "1",
        "MediaUrl0": f"{carrier.config.own_url}/twilio-media/{identity}",
        "MediaContentType0": mime_type,
    }
    url = f"{carrier.config.gateway_url}/twilio/mms"
    signature = sign(url, form, carrier.config.twilio_auth_token)
    _until_taken(url, data=form, headers={"X-Twilio-Signature": signature})


def deliver_req(transaction_id: str, msisdn: str, content: bytes, mime_type: str, caption: str) -> tuple[bytes, str]:
    """`(body, Content-Type)` of an MM7 `DeliverReq`."""
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    namespace = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
    soap = f"""<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>
<mm7:TransactionID xmlns:mm7="{namespace}" env:mustUnderstand="1">{transaction_id}</mm7:TransactionID></env:Header>
<env:Body><DeliverReq xmlns="{namespace}"><MM7Version>6.8.0</MM7Version><LinkedID>{transaction_id[:12]}</LinkedID>
<Sender><Number>{escape(msisdn.removeprefix("+"))}</Number></Sender><Recipients><To><ShortCode>38477</ShortCode></To>
</Recipients><TimeStamp>{stamp}</TimeStamp><Priority>Normal</Priority><Subject></Subject>
<Content href="cid:mms" allowAdaptations="true"/></DeliverReq></env:Body></env:Envelope>"""
    outer, inner = f"outer-{uuid.uuid4().hex}", f"inner-{uuid.uuid4().hex}"
    lines = [
        f'--{outer}\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-ID: <soap>\r\n\r\n{soap}\r\n',
        f'--{outer}\r\nContent-Type: multipart/mixed; boundary="{inner}"\r\nContent-ID: <mms>\r\n\r\n',
        f'--{inner}\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-ID: <text>\r\n\r\n{caption}\r\n',
        f"--{inner}\r\nContent-Type: {mime_type}\r\nContent-ID: <picture>\r\nContent-Transfer-Encoding: binary\r\n\r\n",
    ]
    body = "".join(lines).encode() + content + f"\r\n--{inner}--\r\n--{outer}--\r\n".encode()
    return body, f'multipart/related; boundary="{outer}"; type="text/xml"; start="<soap>"'


def _at_url(carrier: Carrier, path: str) -> str:
    return f"{carrier.config.gateway_url}/at/{carrier.config.at_token}/{path}"


def webhook(value: dict[str, Any], *, phone_number_id: str, app_secret: str) -> tuple[bytes, dict[str, str]]:
    """`(body, headers)` of a webhook of Meta with this value, signed."""
    metadata = {"display_phone_number": "254711082001", "phone_number_id": phone_number_id}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    envelope = {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}
    raw = json.dumps(envelope).encode()
    signature = hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}


def _whatsapp_value(carrier: Carrier, value: dict[str, Any]) -> None:
    config = carrier.config
    raw, headers = webhook(
        value, phone_number_id=config.whatsapp_phone_number_id, app_secret=config.whatsapp_app_secret
    )
    _until_taken(f"{config.gateway_url}/whatsapp", content=raw, headers=headers)


def _until_taken(url: str, **options: Any) -> None:
    """Posts a callback until it is thanked for, a few times. Raises GatewayAway with the last reason."""
    problem = ""
    for attempt in range(_REPEATS):
        if attempt:
            time.sleep(_REPEAT_S * 2 ** (attempt - 1))
        try:
            answer = request("POST", url, **options)
        except GatewayAway as away:
            problem = str(away)
        else:
            if answer.status_code == 200:
                return
            problem = f"the gateway refuses the message (HTTP {answer.status_code})"
    raise GatewayAway(problem)
