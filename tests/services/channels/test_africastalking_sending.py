"""Sending through the genuine SDK, over a real socket, to the stand-in carrier or to one that misbehaves."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify

from services.channels.africastalking import AfricasTalkingSms, AfricasTalkingVoice
from services.channels.base import Channel, ChannelError, Kind, Outbound
from tests.services.channels.conftest import Carrier, Gateway

PATIENT = "+254722000002"
SMS = Outbound(Kind.SMS, PATIENT, "Ng’ombe – 37°")
CALL = Outbound(Kind.VOICE, PATIENT)


def sms(carrier: Carrier, **change: Any) -> AfricasTalkingSms:
    config = carrier.config
    known = {"username": config.at_username, "api_key": config.at_api_key, "sender": config.sms_sender}
    return AfricasTalkingSms(**(known | {"base_url": config.own_url} | change))


def voice(carrier: Carrier, **change: Any) -> AfricasTalkingVoice:
    config = carrier.config
    known = {"username": config.at_username, "api_key": config.at_api_key, "number": config.voice_number}
    return AfricasTalkingVoice(**(known | {"base_url": config.own_url} | change))


def refused(channel: Channel, message: Outbound) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        channel.send(message)
    return caught.value


def test_an_sms_is_taken_in_gsm7_and_reported_on(carrier: Carrier, gateway: Gateway) -> None:
    receipt = sms(carrier).send(SMS)
    assert receipt.provider_id.startswith("ATXid_")
    assert (receipt.status, receipt.cost, receipt.parts) == ("Success", "KES 0.8000", 1)
    (entry,) = carrier.ledger()
    assert (entry["text"], entry["msisdn"], entry["parts"]) == ("Ng'ombe - 37 deg", PATIENT, 1)
    (report,) = gateway.wait_for(f"/at/{carrier.config.at_token}/delivery")
    assert report.form["id"] == receipt.provider_id
    assert report.form["status"] == "Success"


def test_the_parts_of_a_long_sms_are_counted(carrier: Carrier) -> None:
    receipt = sms(carrier).send(Outbound(Kind.SMS, PATIENT, "a" * 161))
    assert (receipt.parts, receipt.cost) == (2, "KES 1.6000")


def test_an_sms_that_never_arrives(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("faults", {"sms_undelivered": 1})
    sms(carrier).send(SMS)
    (report,) = gateway.wait_for(f"/at/{carrier.config.at_token}/delivery")
    assert (report.form["status"], report.form["failureReason"]) == ("Failed", "DeliveryFailure")


@pytest.mark.parametrize(
    ("fault", "change", "permanent", "retry_after_s", "words"),
    [
        ("sms_500", {}, False, None, "Internal Server Error"),
        ("sms_no_airtime", {}, False, 1800.0, "405 InsufficientBalance"),
        # HTTP 201 and no recipients. The id may not be active yet, so not permanent.
        ("", {"sender": "OTHER"}, False, 600.0, "402 InvalidSenderId"),
        ("", {"api_key": "wrong"}, True, None, "The supplied authentication is invalid"),
        ("", {"username": "other"}, True, None, "The supplied authentication is invalid"),
    ],
)
def test_what_a_refused_sms_means(
    carrier: Carrier, fault: str, change: dict[str, str], permanent: bool, retry_after_s: float | None, words: str
) -> None:
    if fault:
        carrier.ask("faults", {fault: 1})
    error = refused(sms(carrier, **change), SMS)
    assert (error.permanent, error.unknown, error.retry_after_s) == (permanent, False, retry_after_s)
    assert words in error.reason
    assert carrier.ledger() == []


@pytest.mark.parametrize("number", ["0722000002", "+2547"])
def test_a_number_that_is_none_is_final(carrier: Carrier, number: str) -> None:
    error = refused(sms(carrier), Outbound(Kind.SMS, number, "x"))
    assert (error.permanent, error.unknown) == (True, False)


def test_an_answer_that_comes_too_late_is_unknown_since_the_sms_was_taken(carrier: Carrier) -> None:
    carrier.ask("faults", {"sms_silent": 1})
    error = refused(sms(carrier, timeout_s=(1.0, 0.3)), SMS)
    assert (error.unknown, error.permanent) == (True, False)
    assert len(carrier.ledger()) == 1


def test_nobody_there_is_not_unknown() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for channel, message in (
        (AfricasTalkingSms("sandbox", "key", "", url), SMS),
        (AfricasTalkingVoice("sandbox", "key", "+254711082000", url), CALL),
    ):
        error = refused(channel, message)
        assert (error.unknown, error.permanent) == (False, False)


def test_a_name_that_does_not_resolve_is_not_unknown() -> None:
    error = refused(AfricasTalkingSms("sandbox", "key", "", "http://carrier.invalid"), SMS)
    assert (error.unknown, error.permanent) == (False, False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_does_not_verify_is_not_unknown(tmp_path: Path) -> None:
    """As when the site's clock is wrong: nothing was written, and it is sent when the clock is right."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass

        threading.Thread(target=greet, daemon=True).start()
        error = refused(AfricasTalkingSms("sandbox", "key", "", f"https://127.0.0.1:{server.getsockname()[1]}"), SMS)
    assert (error.reason, error.unknown, error.permanent) == ("SSLError", False, False)


def test_a_connection_that_breaks_after_the_request_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        error = refused(AfricasTalkingSms("sandbox", "key", "", f"http://127.0.0.1:{server.getsockname()[1]}"), SMS)
    assert (error.unknown, error.permanent) == (True, False)


def answering(answer: Callable[[], Any]) -> Callable[[str], Flask]:
    def make(_url: str) -> Flask:
        application = Flask("odd-carrier")
        application.add_url_rule("/version1/messaging", view_func=answer, methods=["POST"], endpoint="sms")
        application.add_url_rule("/call", view_func=answer, methods=["POST"], endpoint="call")
        return application

    return make


RECIPIENT = {"cost": "KES 0.8000", "messageId": "ATXid_1", "number": PATIENT}


@pytest.mark.parametrize(
    ("code", "status", "permanent", "retry_after_s"),
    [
        (401, "RiskHold", True, None),
        (402, "InvalidSenderId", False, 600.0),
        (403, "InvalidPhoneNumber", True, None),
        (404, "UnsupportedNumberType", True, None),
        (405, "InsufficientBalance", False, 1800.0),
        (406, "UserInBlacklist", True, None),
        (407, "CouldNotRoute", True, None),
        (409, "DoNotDisturb", True, None),
        (500, "InternalServerError", False, None),
        (501, "GatewayError", False, None),
        (502, "RejectedByGateway", False, None),
    ],
)
def test_every_code(serve: Any, code: int, status: str, permanent: bool, retry_after_s: float | None) -> None:
    recipients = [RECIPIENT | {"status": status, "statusCode": code}]
    url = serve(answering(lambda: (jsonify(SMSMessageData={"Message": "Sent to 0/1", "Recipients": recipients}), 201)))
    error = refused(AfricasTalkingSms("sandbox", "key", "", url), SMS)
    assert (error.permanent, error.unknown, error.retry_after_s) == (permanent, False, retry_after_s)
    assert error.reason == f"{code} {status}"


@pytest.mark.parametrize(("code", "status"), [(100, "Processed"), (101, "Sent"), (102, "Queued"), ("101", "Success")])
def test_every_code_that_means_taken(serve: Any, code: int | str, status: str) -> None:
    recipients = [RECIPIENT | {"status": status, "statusCode": code}]
    url = serve(answering(lambda: jsonify(SMSMessageData={"Message": "", "Recipients": recipients})))
    assert AfricasTalkingSms("sandbox", "key", "", url).send(SMS).provider_id == "ATXid_1"


def test_an_answer_with_a_charset_which_the_sdk_leaves_as_text(serve: Any) -> None:
    body = '{"SMSMessageData":{"Message":"","Recipients":[{"statusCode":101,"messageId":"ATXid_2"}]}}'
    url = serve(answering(lambda: Response(body, content_type="application/json; charset=utf-8")))
    assert AfricasTalkingSms("sandbox", "key", "", url).send(SMS).provider_id == "ATXid_2"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("<html>", "text/html"), ("{", "application/json"), ("[]", "application/json"), ('{"a":1}', "application/json")],
)
def test_an_answer_that_is_not_understood_is_unknown(serve: Any, body: str, content_type: str) -> None:
    url = serve(answering(lambda: Response(body, content_type=content_type)))
    assert refused(AfricasTalkingSms("sandbox", "key", "", url), SMS).unknown


@pytest.mark.parametrize("recipients", [None, [], ["odd"], "odd"])
def test_an_answer_without_recipients_is_a_refusal(serve: Any, recipients: object) -> None:
    url = serve(answering(lambda: jsonify(SMSMessageData={"Message": "Something", "Recipients": recipients})))
    error = refused(AfricasTalkingSms("sandbox", "key", "", url), SMS)
    assert (error.permanent, error.reason) == (True, "Something")


def test_a_call_is_queued_and_rings(carrier: Carrier) -> None:
    receipt = voice(carrier).send(CALL)
    assert receipt.provider_id.startswith("ATVId_")
    (call,) = carrier.ask("calls?msisdn=%2B254722000002")["calls"]
    assert (call["id"], call["state"], call["direction"]) == (receipt.provider_id, "ringing", "Outbound")


def test_a_call_with_a_wrong_key_is_final(carrier: Carrier) -> None:
    assert refused(voice(carrier, api_key="wrong"), CALL).permanent


def test_a_call_without_airtime_is_tried_slowly(carrier: Carrier) -> None:
    carrier.ask("faults", {"call_no_airtime": 1})
    error = refused(voice(carrier), CALL)
    assert (error.permanent, error.retry_after_s) == (False, 1800.0)
    assert carrier.ledger() == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"entries": [], "errorMessage": "Invalid callerId: +254"}, "Invalid callerId: +254"),
        ({"entries": [], "errorMessage": "None"}, "no call in the answer"),
        ({"entries": [{"status": "InvalidPhoneNumber"}], "errorMessage": "None"}, "InvalidPhoneNumber"),
    ],
)
def test_a_call_that_is_refused(serve: Any, answer: dict[str, Any], reason: str) -> None:
    url = serve(answering(lambda: jsonify(answer)))
    error = refused(AfricasTalkingVoice("sandbox", "key", "+254711082000", url), CALL)
    assert (error.permanent, error.reason) == (True, reason)


def test_a_busy_number_ends_the_call_with_its_cause(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("faults", {"call_busy": 1})
    receipt = voice(carrier).send(CALL)
    (ended,) = gateway.wait_for(f"/at/{carrier.config.at_token}/voice")
    assert (ended.form["sessionId"], ended.form["isActive"]) == (receipt.provider_id, "0")
    assert (ended.form["hangupCause"], ended.form["durationInSeconds"]) == ("USER_BUSY", "0")


def test_the_sdk_is_not_loaded_until_something_is_sent() -> None:
    heavy = ("africastalking", "httpx", "requests")
    program = f"import sys, services.channels.registry; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
