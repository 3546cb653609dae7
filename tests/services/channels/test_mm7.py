"""MM7 deliveries as MMSCs of several makers write them, byte for byte."""

from __future__ import annotations

from contextlib import suppress

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from services.channels.base import BadCallback, Kind
from services.channels.mm7 import FORMAT_CORRUPT, deliver_rsp, error_rsp, parse

JPEG = b"\xff\xd8\xff\xe0\r\n\x00\r\r\n\n--not-a-boundary\xff\xd9\r\n"
REL = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

REL_6 = f"""<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="{SOAP}">
 <env:Header>
  <mm7:TransactionID xmlns:mm7="{REL}REL-6-MM7-1-4" env:mustUnderstand="1">vas00324-dem</mm7:TransactionID></env:Header>
 <env:Body><DeliverReq xmlns="{REL}REL-6-MM7-1-4"><MM7Version>6.8.0</MM7Version><LinkedID>wthwe838</LinkedID>
  <Sender><Number>254711000001</Number></Sender>
  <Recipients><To><ShortCode>38477</ShortCode></To></Recipients>
  <TimeStamp>2026-11-24T09:30:00+03:00</TimeStamp><Priority>Normal</Priority><Subject>482913 left</Subject>
  <Content href="cid:mms-1" allowAdaptations="true"/></DeliverReq></env:Body>
</env:Envelope>"""
REL_5 = f"""<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Header>
<ns1:TransactionID soapenv:actor="" soapenv:mustUnderstand="1" xmlns:ns1="{REL}REL-5-MM7-1-0">1795511565.11
</ns1:TransactionID>
</soapenv:Header><soapenv:Body><ns1:DeliverReq xmlns:ns1="{REL}REL-5-MM7-1-0"><ns1:MM7Version>5.3.0</ns1:MM7Version>
<ns1:Sender><ns1:Number>+254711000001/TYPE=PLMN</ns1:Number></ns1:Sender>
<ns1:Recipients><ns1:To><ns1:Number>254711082000</ns1:Number></ns1:To></ns1:Recipients>
<ns1:Content href="cid:mms-1"/></ns1:DeliverReq></soapenv:Body></soapenv:Envelope>"""
BARE = """<Envelope><Header><TransactionID>t1</TransactionID></Header><Body><DeliverReq><Sender>
<ShortCode>22345</ShortCode></Sender><Content href="cid:mms-1"/></DeliverReq></Body></Envelope>"""
TYPE = 'multipart/related; boundary="outer"; type="text/xml"; start="</cmvt256/mm7-submit>"'


def part(headers: str, content: bytes) -> bytes:
    return headers.replace("\n", "\r\n").encode() + b"\r\n\r\n" + content + b"\r\n"


def multipart(boundary: str, *parts: bytes) -> bytes:
    return b"".join(b"--" + boundary.encode() + b"\r\n" + each for each in parts) + f"--{boundary}--\r\n".encode()


def picture(content: bytes = JPEG, mime_type: str = "image/jpeg") -> bytes:
    return part(f"Content-Type: {mime_type}\nContent-ID: <eye>\nContent-Transfer-Encoding: binary", content)


def words(text: str, charset: str = "utf-8") -> bytes:
    return part(f'Content-Type: text/plain; charset="{charset}"\nContent-ID: <words>', text.encode(charset))


SMIL = part("Content-Type: application/smil\nContent-ID: <0>", b"<smil><body/></smil>")


def delivery(soap: str, *inner: bytes, soap_type: str = "text/xml; charset=utf-8") -> bytes:
    nested = part("Content-Type: multipart/mixed; boundary=inner\nContent-ID: <mms-1>", multipart("inner", *inner))
    return multipart(
        "outer", part(f"Content-Type: {soap_type}\nContent-ID: </cmvt256/mm7-submit>", soap.encode()), nested
    )


@pytest.mark.parametrize(
    ("soap", "transaction", "version", "sender", "recipient", "subject"),
    [
        (REL_6, "vas00324-dem", "6.8.0", "+254711000001", "38477", "482913 left"),
        (REL_5, "1795511565.11", "5.3.0", "+254711000001", "254711082000", ""),
        (REL_5.replace("MM7-1-0", "MM7-1-2"), "1795511565.11", "5.3.0", "+254711000001", "254711082000", ""),
        (BARE, "t1", "6.8.0", "22345", "", ""),
    ],
)
def test_every_release(soap: str, transaction: str, version: str, sender: str, recipient: str, subject: str) -> None:
    inbound, given_transaction, given_version = parse(delivery(soap, SMIL, words("kulia"), picture()), TYPE)
    assert (given_transaction, given_version) == (transaction, version)
    assert (inbound.carrier, inbound.kind, inbound.provider_id) == ("mm7", Kind.MMS, transaction)
    assert (inbound.sender, inbound.recipient) == (sender, recipient)
    assert inbound.text == f"{subject} kulia".strip()
    assert [(media.mime_type, media.content) for media in inbound.media] == [("image/jpeg", JPEG)]


def test_several_pictures_keep_their_order() -> None:
    inbound, *_ = parse(delivery(REL_6, picture(b"one"), picture(b"two", "image/png"), picture(b"three")), TYPE)
    assert [media.content for media in inbound.media] == [b"one", b"two", b"three"]


def test_base64_and_another_type_of_soap() -> None:
    encoded = part("Content-Type: image/jpeg\nContent-Transfer-Encoding: base64", b"/9j/4A0K\r\n")
    inbound, *_ = parse(delivery(REL_6, encoded, soap_type="application/soap+xml"), TYPE)
    assert inbound.media[0].content == b"\xff\xd8\xff\xe0\r\n"


def test_the_picture_beside_the_soap_without_nesting_and_before_it() -> None:
    raw = multipart("outer", picture(), part("Content-Type: text/xml", REL_6.encode()), words("left"))
    inbound, *_ = parse(raw, TYPE)
    assert inbound.media[0].content == JPEG
    assert inbound.text == "482913 left left"


def test_a_message_without_a_picture() -> None:
    inbound, *_ = parse(multipart("outer", part("Content-Type: text/xml", REL_6.encode())), TYPE)
    assert (inbound.media, inbound.text) == ((), "482913 left")


@given(st.binary(max_size=400))
def test_every_byte_of_a_picture_survives(content: bytes) -> None:
    inbound, *_ = parse(delivery(REL_6, picture(content)), TYPE)
    assert inbound.media[0].content == content


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (delivery(REL_6, picture()), "application/json", 415),
        (delivery(REL_6, picture()), "", 415),
        (delivery(REL_6, picture()), "multipart/related", 400),
        (delivery(REL_6, picture()), 'multipart/related; boundary="another"', 400),
        (b"", TYPE, 400),
        (multipart("outer", part("Content-Type: text/xml", b"<not-closed>")), TYPE, 400),
        (delivery(REL_6.replace("DeliverReq", "SubmitReq"), picture()), TYPE, 400),
        (delivery(BARE.replace("TransactionID", "Other"), picture()), TYPE, 400),
        (delivery(BARE.replace("22345", ""), picture()), TYPE, 400),
        (delivery('<!DOCTYPE x [<!ENTITY a "b">]>' + BARE, picture()), TYPE, 400),
        (multipart("outer", *[picture()] * 60), TYPE, 400),
    ],
)
def test_what_is_no_delivery(raw: bytes, content_type: str, status: int) -> None:
    with pytest.raises(BadCallback) as refused:
        parse(raw, content_type)
    assert refused.value.status == status


@given(start=st.integers(0, 1200), junk=st.binary(max_size=30), cut=st.integers(0, 1200))
def test_nothing_but_bad_callback_comes_of_broken_deliveries(start: int, junk: bytes, cut: int) -> None:
    raw = delivery(REL_6, words("left"), picture())
    with suppress(BadCallback):
        parse(raw[:start] + junk + raw[start + len(junk) : max(start, cut)], TYPE)


@given(st.text(max_size=60))
def test_nothing_but_bad_callback_comes_of_hostile_content_types(tail: str) -> None:
    with suppress(BadCallback):
        parse(delivery(REL_6, picture()), "multipart/related" + tail)


@pytest.mark.parametrize(("version", "release"), [("6.8.0", "REL-6-MM7-1-4"), ("5.3.0", "REL-5-MM7-1-0")])
def test_the_answer_is_of_the_release_that_asked(version: str, release: str) -> None:
    answer = fromstring(deliver_rsp("a<b&c", version))
    namespace = f"{{{REL}{release}}}"
    assert answer.findtext(f".//{namespace}TransactionID") == "a<b&c"
    body = answer.find(f"{{{SOAP}}}Body/{namespace}DeliverRsp")
    assert body is not None
    assert body.findtext(f"{namespace}MM7Version") == version
    assert body.findtext(f"{namespace}Status/{namespace}StatusCode") == "1000"


def test_a_refusal_is_a_soap_fault() -> None:
    fault = fromstring(error_rsp(FORMAT_CORRUPT, "no sender")).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    assert fault is not None
    assert fault.findtext("faultcode") == "env:Client"
    assert fault.findtext(f"detail/{{{REL}REL-6-MM7-1-4}}VASPErrorRsp//{{{REL}REL-6-MM7-1-4}}StatusCode") == "2007"
