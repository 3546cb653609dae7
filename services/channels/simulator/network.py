"""What the carriers post to the gateway, field by field as they do."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx

from services.channels.simulator.state import Carrier, new_id
from services.channels.twilio_mms import sign

NETWORK = "63902"
_DEADLINE_S = 10.0  # Africa's Talking ends a USSD session after that
_REPEATS = 4
_CLIENT = httpx.Client(timeout=_DEADLINE_S)


class GatewayAway(Exception):
    """The gateway did not answer in time; the text is for the person at the phone."""


def post(carrier: Carrier, path: str, **options: Any) -> httpx.Response:
    """One callback. Raises GatewayAway."""
    try:
        return _CLIENT.post(f"{carrier.config.gateway_url}{path}", **options)
    except httpx.HTTPError as error:
        raise GatewayAway(f"the gateway does not answer ({type(error).__name__})") from None


def at(carrier: Carrier, path: str, form: dict[str, str]) -> httpx.Response:
    """One of Africa's Talking's callbacks. Raises GatewayAway."""
    return post(carrier, f"/at/{carrier.config.at_token}/{path}", data=form)


def ussd(carrier: Carrier, session_id: str, msisdn: str, text: str) -> str:
    """One USSD turn: the screen, with its `CON ` or `END `. Raises GatewayAway for what would end a real session."""
    form = {
        "sessionId": session_id,
        "serviceCode": carrier.config.ussd_code,
        "phoneNumber": msisdn,
        "networkCode": NETWORK,
        "text": text,
    }
    answer = at(carrier, "ussd", form)
    if answer.status_code != 200 or not answer.text.startswith(("CON ", "END ")):
        raise GatewayAway(f"the gateway's answer ends the session (HTTP {answer.status_code})")
    return answer.text


def sms(carrier: Carrier, msisdn: str, text: str) -> bool:
    """An SMS from a person, repeated (sooner than the real carrier's minute) until the gateway says 200."""
    form = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "from": msisdn,
        "id": str(uuid.uuid4()),
        "linkId": "",
        "text": text,
        "to": carrier.config.sms_sender,
        "networkCode": NETWORK,
    }
    return _until_taken(carrier, f"/at/{carrier.config.at_token}/sms", data=form)


def sms_report(carrier: Carrier, identity: str, msisdn: str) -> None:
    """The word that an SMS arrived."""
    form = {"id": identity, "status": "Success", "phoneNumber": msisdn, "networkCode": NETWORK, "retryCount": "0"}
    _until_taken(carrier, f"/at/{carrier.config.at_token}/delivery", data=form)


def whatsapp(carrier: Carrier, msisdn: str, message: dict[str, Any]) -> bool:
    """A WhatsApp message from a person, in Meta's envelope, signed."""
    number = msisdn.removeprefix("+")
    stamped = {"from": number, "id": new_id("wamid."), "timestamp": str(int(time.time())), **message}
    contacts = [{"profile": {"name": "Trial"}, "wa_id": number, "user_id": f"KE.{number}"}]
    return _whatsapp_value(carrier, {"contacts": contacts, "messages": [stamped]})


def whatsapp_status(carrier: Carrier, identity: str, msisdn: str, status: str) -> None:
    """The word that a WhatsApp message arrived."""
    stamp = {"timestamp": str(int(time.time())), "recipient_id": msisdn.removeprefix("+")}
    _whatsapp_value(carrier, {"statuses": [{"id": identity, "status": status, **stamp}]})


def mm7(carrier: Carrier, msisdn: str, content: bytes, mime_type: str, caption: str) -> bool:
    """A picture message, as an MMSC delivers it: SOAP and a nested multipart."""
    body, content_type = deliver_req(uuid.uuid4().hex, msisdn, content, mime_type, caption)
    return _until_taken(
        carrier, f"/mm7/{carrier.config.mm7_token}", content=body, headers={"Content-Type": content_type}
    )


def twilio(carrier: Carrier, msisdn: str, content: bytes, mime_type: str, caption: str) -> bool:
    """A picture message, as a Twilio-shaped provider announces it."""
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
    signature = sign(f"{carrier.config.gateway_url}/twilio/mms", form, carrier.config.twilio_auth_token)
    return _until_taken(carrier, "/twilio/mms", data=form, headers={"X-Twilio-Signature": signature})


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


def _whatsapp_value(carrier: Carrier, value: dict[str, Any]) -> bool:
    metadata = {"display_phone_number": "254711082001", "phone_number_id": carrier.config.whatsapp_phone_number_id}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    envelope = {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}
    raw = json.dumps(envelope).encode()
    signature = hmac.new(carrier.config.whatsapp_app_secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    return _until_taken(carrier, "/whatsapp", content=raw, headers=headers)


def _until_taken(carrier: Carrier, path: str, **options: Any) -> bool:
    """Posts a callback until it is thanked for, a few times. Whether it was."""
    for attempt in range(_REPEATS):
        try:
            if post(carrier, path, **options).status_code == 200:
                return True
        except GatewayAway:
            pass
        time.sleep(0.5 * 2**attempt)
    return False
