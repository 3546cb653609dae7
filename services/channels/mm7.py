"""MM7, by which an operator's MMSC delivers picture messages (3GPP TS 23.140): SOAP with attachments."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import cast
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from services.channels.base import BadCallback, ChannelError, Inbound, Kind, Media, Outbound, Receipt
from services.channels.phone_numbers import from_carrier

NAME = "mm7"
SUCCESS, CLIENT_ERROR, FORMAT_CORRUPT = 1000, 2000, 2007
_VERSION = "6.8.0"
_SCHEMA = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
_RELEASES = {"5": "REL-5-MM7-1-0", "6": "REL-6-MM7-1-4"}
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTS = 40
_XML = ("text/xml", "application/soap+xml")


def parse(raw: bytes, content_type: str) -> tuple[Inbound, str, str]:
    """`(message, TransactionID, MM7Version)` of a `DeliverReq`. Raises BadCallback.

    Names of elements count, their namespaces do not: every release of the standard has another one.
    """
    if not content_type.casefold().startswith("multipart/related"):
        raise BadCallback("not multipart/related", status=415)
    head = b"MIME-Version: 1.0\r\nContent-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    try:
        parts = list(_leaves(email.message_from_bytes(head + raw, policy=email.policy.HTTP)))
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError, IndexError) as error:
        raise BadCallback(f"not MIME: {type(error).__name__}") from None
    if not parts:
        raise BadCallback("no parts")
    root = next((part for part in parts if part.get_content_type() in _XML), parts[0])
    parts.remove(root)
    envelope = _soap(_bytes(root))
    request = _find(envelope, "DeliverReq")
    transaction_id = _words(envelope, "TransactionID")
    if request is None or not transaction_id:
        raise BadCallback("no DeliverReq with a TransactionID")
    sender = _find(request, "Sender")
    number = (_words(sender, "Number") or _words(sender, "ShortCode")) if sender is not None else ""
    if not number:
        raise BadCallback("no sender")
    recipients = _find(request, "Recipients")
    texts = [_bytes(part).decode("utf-8", "replace") for part in parts if part.get_content_type() == "text/plain"]
    inbound = Inbound(
        carrier=NAME,
        kind=Kind.MMS,
        # The MMSC repeats a delivery it got no answer to with the same TransactionID.
        provider_id=transaction_id[:200],
        # Some MMSCs append the address type, as in `254711000001/TYPE=PLMN`.
        sender=from_carrier(number.split("/")[0]),
        recipient=_words(recipients, "Number") or _words(recipients, "ShortCode") if recipients is not None else "",
        text=" ".join(filter(None, (_words(request, "Subject"), *map(str.strip, texts))))[:2000].replace("\x00", ""),
        media=tuple(
            Media(part.get_content_type(), content=_bytes(part))
            for part in parts
            # SMIL only arranges the slides.
            if part.get_content_maintype() != "text" and part.get_content_type() != "application/smil"
        ),
        sent_at=_words(request, "TimeStamp"),
    )
    return inbound, transaction_id, _words(request, "MM7Version") or _VERSION


def deliver_rsp(transaction_id: str, version: str = _VERSION, status: int = SUCCESS, text: str = "Success") -> bytes:
    """The answer to a `DeliverReq`: the same TransactionID and a status of the standard, 1000 for success."""
    return _envelope("DeliverRsp", transaction_id, version, status, text)


def error_rsp(status: int, text: str, transaction_id: str = "", version: str = _VERSION) -> bytes:
    """The answer to what is no `DeliverReq`: a SOAP fault around a `VASPErrorRsp`; 2007 says that the format is bad."""
    return _envelope("VASPErrorRsp", transaction_id, version, status, text)


def _envelope(name: str, transaction_id: str, version: str, status: int, text: str) -> bytes:
    namespace = _SCHEMA + _RELEASES.get(version[:1], _RELEASES["6"])
    answer = (
        f'<mm7:{name} xmlns:mm7="{namespace}"><mm7:MM7Version>{escape(version)}</mm7:MM7Version>'
        f"<mm7:Status><mm7:StatusCode>{status}</mm7:StatusCode><mm7:StatusText>{escape(text)}</mm7:StatusText>"
        f"</mm7:Status></mm7:{name}>"
    )
    if status != SUCCESS:
        answer = (
            f"<env:Fault><faultcode>env:{'Client' if status < 3000 else 'Server'}</faultcode>"
            f"<faultstring>{escape(text)}</faultstring><detail>{answer}</detail></env:Fault>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="{_SOAP}">'
        f'<env:Header><mm7:TransactionID xmlns:mm7="{namespace}" env:mustUnderstand="1">{escape(transaction_id)}'
        f"</mm7:TransactionID></env:Header><env:Body>{answer}</env:Body></env:Envelope>"
    ).encode()


class Mm7:
    """Picture messages only come in; they are answered by SMS."""

    name = NAME
    kinds: frozenset[Kind] = frozenset()

    def send(self, message: Outbound) -> Receipt:
        """Nothing is sent this way. Raises ChannelError."""
        raise ChannelError(f"{message.kind} is not sent by MM7", permanent=True)

    def fetch(self, media: Media) -> bytes:
        """Attachments came with the message. Raises ChannelError."""
        raise ChannelError(f"no attachment {media.locator!r} to fetch", permanent=True)


def _leaves(message: object) -> Iterator[EmailMessage]:
    """The parts that hold something, in order; the picture and its text sit in a multipart of their own."""
    found = 0
    for part in cast(EmailMessage, message).walk():
        if part.is_multipart():
            continue
        found += 1
        if found > _PARTS:
            raise ValueError("too many parts")
        yield part


def _bytes(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _soap(content: bytes) -> Element:
    try:
        return fromstring(content.strip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadCallback(f"not SOAP: {type(error).__name__}") from None


def _find(root: Element, name: str) -> Element | None:
    return next((element for element in root.iter() if _local(element) == name), None)


def _words(root: Element, name: str) -> str:
    found = _find(root, name)
    return (found.text or "").strip() if found is not None else ""


def _local(element: Element) -> str:
    return re.sub(r"^\{.*\}", "", element.tag) if isinstance(element.tag, str) else ""
