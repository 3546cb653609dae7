"""WhatsApp through Meta's Cloud API."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.channels.base import (
    BadCallback,
    ChannelError,
    DeliveryReport,
    DeliveryState,
    Inbound,
    Kind,
    Media,
    Outbound,
    Receipt,
)
from services.channels.download import metered, read_at_most
from services.ledger.meter import NO_METER, Meter

if TYPE_CHECKING:
    import httpx

NAME = "whatsapp"
_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "played": DeliveryState.DELIVERED,
    "failed": DeliveryState.FAILED,
}
_THROTTLED = (4, 80007, 130429, 131048, 131056, 133016)
_THROTTLE_S = 60.0
_ATTACHMENTS = ("image", "document", "audio", "video", "sticker")
_LARGEST_MEDIA = 32 * 1024 * 1024
_BUTTONS, _BUTTON_LABEL, _BUTTON_TEXT = 3, 20, 1024
_ROWS, _ROW_LABEL = 10, 24
_TEXT = 4096
_VOICE_NOTE = "audio/ogg; codecs=opus"
_TOKEN_REFUSED, _NEW_TOKEN_S = 401, 600.0


def verify(arguments: Mapping[str, str], verify_token: str) -> str:
    """The challenge to echo when Meta asks whether the webhook is ours. Raises BadCallback."""
    given = arguments.get("hub.verify_token", "")
    right = hmac.compare_digest(given.encode(), verify_token.encode())
    if not verify_token or arguments.get("hub.mode") != "subscribe" or not right:
        raise BadCallback("not our verify token", status=403)
    return arguments.get("hub.challenge", "")[:200]


def check_signature(raw: bytes, header: str, app_secret: str) -> None:
    """Raises BadCallback unless `X-Hub-Signature-256` signs the raw body. No secret, no entrance."""
    expected = "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    if not app_secret or not hmac.compare_digest(expected.encode(), header.encode()):
        raise BadCallback("bad signature", status=403)


def parse(raw: bytes) -> list[Inbound | DeliveryReport]:
    """Every message and state of one webhook. What is not understood is left out or kept as an empty message: an error
    would make Meta repeat it for a week. Raises BadCallback for what is no JSON object.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadCallback("not JSON") from None
    if not isinstance(body, dict):
        raise BadCallback("not an object")
    events: list[Inbound | DeliveryReport] = []
    for value in _values(body):
        recipient = _text(_dict(value.get("metadata")).get("display_phone_number"))
        contacts = _dicts(value.get("contacts"))
        events += [
            found
            for message in _dicts(value.get("messages"))
            if (found := _message(message, _contact(message, contacts), recipient))
        ]
        events += [report for status in _dicts(value.get("statuses")) if (report := _status(status))]
    return events


class WhatsApp:
    """Sending and downloading. The client is made on first use, in the worker that needs it."""

    name = NAME
    kinds = frozenset({Kind.WHATSAPP})

    def __init__(self, phone_number_id: str, access_token: str, base_url: str, *, meter: Meter = NO_METER) -> None:
        self._phone_number_id, self._access_token, self._base_url = phone_number_id, access_token, base_url
        self._meter = meter
        self._client: httpx.Client | None = None

    def send(self, message: Outbound) -> Receipt:
        """Sends one message: text, buttons, a list, or a voice note. Raises ChannelError."""
        to = {"recipient": message.to[5:]} if message.to.startswith("user:") else {"to": message.to.removeprefix("+")}
        voice_note = self._upload(message.audio) if message.audio else ""
        content = {"type": "audio", "audio": {"id": voice_note, "voice": True}} if voice_note else _content(message)
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", **to, **content}
        answer = self._ask("POST", f"{self._base_url}/{self._phone_number_id}/messages", json=body)
        messages = _dicts(_json(answer).get("messages"))
        if not messages:
            raise ChannelError("no message id in the answer", unknown=True)
        return Receipt(provider_id=_text(messages[0].get("id")), status="accepted", parts=1)

    def _upload(self, audio: bytes) -> str:
        """Meta's id for a voice note, kept for 30 days. Nothing is sent yet, so a failure is never unknown."""
        form = {"messaging_product": "whatsapp", "type": _VOICE_NOTE}
        files = {"file": ("note.ogg", audio, _VOICE_NOTE)}
        try:
            answer = self._ask("POST", f"{self._base_url}/{self._phone_number_id}/media", data=form, files=files)
        except ChannelError as error:
            raise ChannelError(error.reason, permanent=error.permanent, retry_after_s=error.retry_after_s) from None
        identity = _text(_json(answer).get("id"))
        if not identity:
            raise ChannelError("no media id in the answer")
        return identity

    def fetch(self, media: Media) -> bytes:
        """Downloads an attachment in two steps, and checks its hash. Raises ChannelError."""
        where = _text(_json(self._ask("GET", f"{self._base_url}/{media.locator}")).get("url"))
        if not where.startswith("https://") and urlsplit(where).netloc != urlsplit(self._base_url).netloc:
            raise ChannelError("the media link is not https", permanent=True)
        content = self._ask("GET", where)
        if media.sha256 and hashlib.sha256(content).hexdigest() != _hex(media.sha256):
            raise ChannelError("the attachment does not match its hash")
        return content

    def _ask(self, method: str, url: str, **options: Any) -> bytes:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                timeout=20, headers={"Authorization": f"Bearer {self._access_token}"}, follow_redirects=False
            )
        try:
            with self._client.stream(method, url, **options) as answer, metered(self._meter, "whatsapp", NAME, answer):
                content = read_at_most(answer, _LARGEST_MEDIA)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelError(type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelError(type(error).__name__, unknown=method == "POST") from None
        if answer.is_success:
            return content
        problem = _dict(_json(content).get("error"))
        code = problem.get("code")
        reason = f"HTTP {answer.status_code} {code or ''} {_text(problem.get('message'))[:120]}".strip()
        if answer.status_code == 429 or code in _THROTTLED:
            raise ChannelError(reason, retry_after_s=_THROTTLE_S)
        if answer.status_code == _TOKEN_REFUSED:  # until the operator renews the token: media is kept for 7 days
            raise ChannelError(reason, retry_after_s=_NEW_TOKEN_S)
        raise ChannelError(reason, permanent=400 <= answer.status_code < 500)


def _content(message: Outbound) -> dict[str, Any]:
    if message.media_url:
        return {"type": "audio", "audio": {"link": message.media_url, "voice": True}}
    body = {"text": message.text[:_TEXT]}
    if not message.buttons:
        return {"type": "text", "text": {"body": body["text"]}}
    short = all(len(label) <= _BUTTON_LABEL for _, label in message.buttons)
    if short and len(message.buttons) <= _BUTTONS and len(message.text) <= _BUTTON_TEXT:
        buttons = [{"type": "reply", "reply": {"id": key, "title": label}} for key, label in message.buttons]
        return {"type": "interactive", "interactive": {"type": "button", "body": body, "action": {"buttons": buttons}}}
    rows = [{"id": key, "title": label[:_ROW_LABEL]} for key, label in message.buttons[:_ROWS]]
    action = {"button": "…", "sections": [{"rows": rows}]}
    return {"type": "interactive", "interactive": {"type": "list", "body": body, "action": action}}


def _values(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in _dicts(body.get("entry")):
        for change in _dicts(entry.get("changes")):
            if change.get("field") == "messages":
                yield _dict(change.get("value"))


def _contact(message: dict[str, Any], contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """Who wrote it. A webhook names each person once, however many messages it brings."""
    for ours, theirs in (("from", "wa_id"), ("from_user_id", "user_id")):
        if ours in message:
            return next((contact for contact in contacts if contact.get(theirs) == message[ours]), {})
    return contacts[0] if len(contacts) == 1 else {}


def _message(message: dict[str, Any], contact: dict[str, Any], recipient: str) -> Inbound | None:
    number = _text(message.get("from") or contact.get("wa_id"))
    user = _text(message.get("from_user_id") or contact.get("user_id"))
    identity = _text(message.get("id"))
    if not identity or not (number or user):
        return None
    kind = _text(message.get("type"))
    part = _dict(message.get(kind))
    text = choice = ""
    media: tuple[Media, ...] = ()
    if kind == "text":
        text = _text(part.get("body"))
    elif kind == "button":
        text, choice = _text(part.get("text")), _text(part.get("payload"))
    elif kind == "interactive":
        chosen = _dict(part.get("button_reply")) or _dict(part.get("list_reply"))
        text, choice = _text(chosen.get("title")), _text(chosen.get("id"))
    elif kind in _ATTACHMENTS and _text(part.get("id")):
        text = _text(part.get("caption"))
        media = (Media(_text(part.get("mime_type")), locator=_text(part["id"]), sha256=_text(part.get("sha256"))),)
    return Inbound(
        carrier=NAME,
        kind=Kind.WHATSAPP,
        provider_id=identity,
        sender=f"+{number.lstrip('+')}" if number else f"user:{user}",
        recipient=recipient,
        text=text[:_TEXT],
        media=media,
        choice=choice[:200],
        sent_at=_text(message.get("timestamp")),
    )


def _status(status: dict[str, Any]) -> DeliveryReport | None:
    identity, word = _text(status.get("id")), _text(status.get("status"))
    if not identity:
        return None
    errors = _dicts(status.get("errors"))
    reason = f"{errors[0].get('code')} {_text(errors[0].get('title'))}" if errors else ""
    return DeliveryReport(NAME, identity, _STATES.get(word), word, reason[:200])


def _json(content: bytes) -> dict[str, Any]:
    try:
        return _dict(json.loads(content))
    except ValueError:
        return {}


def _hex(digest: str) -> str:
    """Meta gives the hash in base64 in webhooks, and in hex elsewhere."""
    import base64

    if len(digest) == 64:
        return digest.lower()
    try:
        return base64.b64decode(digest, validate=True).hex()
    except ValueError:
        return digest


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) else ""
    # JSON can carry half a surrogate pair and NUL, which no database stores: the webhook would fail for a week.
    return value.encode("utf-8", "replace").decode().replace("\x00", "")
