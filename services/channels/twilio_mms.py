"""Picture messages from a Twilio-shaped provider: a form that names its pictures by URL."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from services.channels.base import BadCallback, ChannelError, Inbound, Kind, Media, Outbound, Receipt
from services.channels.download import metered, read_at_most
from services.channels.phone_numbers import from_carrier
from services.ledger.meter import NO_METER, Meter

NAME = "twilio"
_PICTURES = 10
_LARGEST = 32 * 1024 * 1024


def check_signature(url: str, form: Mapping[str, str], header: str, auth_token: str) -> None:
    """Raises BadCallback unless `X-Twilio-Signature` is the base64 HMAC-SHA-1 of the address and the sorted fields."""
    if not auth_token or not hmac.compare_digest(sign(url, form, auth_token).encode(), header.encode()):
        raise BadCallback("bad signature", status=403)


def sign(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """What the provider puts into `X-Twilio-Signature`."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def parse(form: Mapping[str, str]) -> Inbound:
    """One message. Raises BadCallback."""
    identity, sender = form.get("MessageSid", ""), form.get("From", "")
    if not identity or not sender:
        raise BadCallback("MessageSid or From is missing")
    count = form.get("NumMedia", "0")
    pictures = min(int(count), _PICTURES) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    return Inbound(
        carrier=NAME,
        kind=Kind.MMS,
        provider_id=identity[:200],
        sender=from_carrier(sender)[:100],
        recipient=form.get("To", "")[:100],
        text=form.get("Body", "")[:2000].replace("\x00", ""),
        media=tuple(
            Media(form.get(f"MediaContentType{number}", "")[:100], locator=form[f"MediaUrl{number}"][:1000])
            for number in range(pictures)
            if form.get(f"MediaUrl{number}")
        ),
    )


class TwilioMms:
    """Downloads pictures. `media_hosts` are the only hosts the account's credentials are ever sent to."""

    name = NAME
    kinds: frozenset[Kind] = frozenset()

    def __init__(
        self, account_sid: str, auth_token: str, media_hosts: frozenset[str], *, meter: Meter = NO_METER
    ) -> None:
        self._account_sid, self._auth_token, self._media_hosts = account_sid, auth_token, media_hosts
        self._meter = meter

    def send(self, message: Outbound) -> Receipt:
        """Nothing is sent this way: an MMS is answered by SMS. Raises ChannelError."""
        raise ChannelError(f"{message.kind} is not sent by {NAME}", permanent=True)

    def fetch(self, media: Media) -> bytes:
        """Downloads one picture. Raises ChannelError."""
        import httpx

        if urlsplit(media.locator).netloc not in self._media_hosts:
            raise ChannelError("the picture lies on a foreign host", permanent=True)
        try:
            # Twilio answers with a redirect to its storage, which must not see our credentials: httpx drops them.
            auth = (self._account_sid, self._auth_token)
            with (
                httpx.stream("GET", media.locator, auth=auth, timeout=20, follow_redirects=True) as answer,
                metered(self._meter, "mms", NAME, answer),
            ):
                content = read_at_most(answer, _LARGEST)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelError(type(error).__name__) from None
        if not answer.is_success:
            raise ChannelError(f"HTTP {answer.status_code}", permanent=answer.status_code in (403, 404, 410))
        return content
