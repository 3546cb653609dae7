"""The stand-in's own side: what it posts to the gateway, and what a hand on the phone can do."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from services.channels.africastalking import parse_sms, parse_ussd, parse_ussd_end, parse_voice
from services.channels.mm7 import parse as parse_mm7
from services.channels.voice_xml import GetDigits, Play, Redirect, Reject, Say, Verb, render
from tests.services.channels.conftest import Callback, Carrier, Gateway

WORKER, PATIENT = "+254711000001", "+254722000002"
AT = "/at/at-token-of-128-bits-"


def echo(callback: Callback) -> str:
    return f"CON You typed {callback.form['text']!r}"


def test_ussd_accumulates_what_is_typed(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = echo
    first = carrier.ask("ussd", {"msisdn": WORKER})
    assert (first["screen"], first["ended"]) == ("You typed ''", False)
    for typed, text in (("1", "1"), ("2", "1*2"), ("a*b", "1*2*a*b")):
        assert carrier.ask("ussd", {"msisdn": WORKER, "input": typed})["text"] == text
    turns = [parse_ussd(callback.form) for callback in gateway.at(f"{AT}/ussd")]
    assert [turn.text for turn in turns] == ["", "1", "1*2", "1*2*a*b"]
    assert {turn.session_id for turn in turns} == {first["session_id"]}
    assert set(gateway.at(f"{AT}/ussd")[0].form) == {"sessionId", "serviceCode", "phoneNumber", "networkCode", "text"}


def test_ussd_sends_exactly_a_text_when_asked(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = echo
    opened = carrier.ask("ussd", {"msisdn": WORKER})
    for _ in range(2):
        assert carrier.ask("ussd", {"msisdn": WORKER, "text": "1"})["session_id"] == opened["session_id"]
    other = carrier.ask("ussd", {"msisdn": WORKER, "text": "1", "session_id": "ATUid_mine"})
    assert other["session_id"] == "ATUid_mine"


@pytest.mark.parametrize(("dialled", "text"), [("*384*77#", ""), ("*384*77*2#", "2"), ("*384*77*2*5#", "2*5")])
def test_ussd_deep_dialling(carrier: Carrier, gateway: Gateway, dialled: str, text: str) -> None:
    gateway.answers[f"{AT}/ussd"] = echo
    assert carrier.ask("ussd", {"msisdn": WORKER, "dial": dialled})["text"] == text


@pytest.mark.parametrize("dialled", ["*100#", "*384*77", "*384*778#", "0711000001"])
def test_another_code_is_nobodys(carrier: Carrier, gateway: Gateway, dialled: str) -> None:
    assert "*384*77#" in carrier.ask("ussd", {"msisdn": WORKER, "dial": dialled}, status=404)["error"]
    assert gateway.callbacks == []


@pytest.mark.parametrize("how", ["answered", "hung up", "dialled again"])
def test_the_end_of_a_session_is_reported(carrier: Carrier, gateway: Gateway, how: str) -> None:
    gateway.answers[f"{AT}/ussd"] = (
        "END Asante" if how == "answered" else ("CON Menu", 200, {"at-ussd-hop-metadata": "m"})
    )
    opened = carrier.ask("ussd", {"msisdn": WORKER})
    if how == "hung up":
        carrier.ask("ussd/end", {"msisdn": WORKER})
    if how == "dialled again":
        assert carrier.ask("ussd", {"msisdn": WORKER})["session_id"] != opened["session_id"]
    form = gateway.wait_for(f"{AT}/ussd-end")[0].form
    end = parse_ussd_end(form)
    assert (end.session_id, end.msisdn, end.hops) == (opened["session_id"], WORKER, 1)
    assert end.status == ("Success" if how == "answered" else "Incomplete")
    assert form["hopsMetadata"] == ("" if how == "answered" else "m")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (("", 200), "ends the session"),
        ((" CON Menu", 200), "ends the session"),
        (("CON Menu", 400), "HTTP 400"),
        (("CON " + "a" * 161, 200), "161 characters"),
        (("CON Menu", 200, {"at-ussd-hop-metadata": "a|b"}), "hop header"),
        (("CON Menu", 200, {"at-ussd-hop-metadata": "a" * 100}), "hop header"),
    ],
)
def test_an_answer_that_a_network_would_not_show_fails_the_session(
    carrier: Carrier, gateway: Gateway, answer: Any, words: str
) -> None:
    gateway.answers[f"{AT}/ussd"] = answer
    assert words in carrier.ask("ussd", {"msisdn": WORKER}, status=502)["error"]
    end = gateway.wait_for(f"{AT}/ussd-end")[0].form
    assert (end["status"], words in end["errorMessage"]) == ("Failed", True)


def test_a_screen_of_160_characters_is_shown(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = "CON " + "a" * 160
    assert carrier.ask("ussd", {"msisdn": WORKER})["screen"] == "a" * 160


def test_an_sms_is_repeated_with_its_id_until_thanked(carrier: Carrier, gateway: Gateway) -> None:
    times = iter([503, 500, 200])
    gateway.answers[f"{AT}/sms"] = lambda _callback: ("", next(times))
    assert carrier.ask("sms", {"msisdn": WORKER, "text": "JICHO"}) == {"taken": True}
    messages = [parse_sms(callback.form) for callback in gateway.at(f"{AT}/sms")]
    assert len(messages) == 3
    assert len({message.provider_id for message in messages}) == 1
    assert (messages[0].sender, messages[0].text, messages[0].recipient) == (WORKER, "JICHO", "JICHO")


def test_a_gateway_that_never_thanks_is_told_of(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/sms"] = ("", 403)
    assert "HTTP 403" in carrier.ask("sms", {"msisdn": WORKER, "text": "x"}, status=502)["error"]
    assert len(gateway.at(f"{AT}/sms")) == 4


def test_opting_out(carrier: Carrier, gateway: Gateway) -> None:
    carrier.ask("optout", {"msisdn": PATIENT})
    assert gateway.at(f"{AT}/optout")[0].form == {"senderId": "JICHO", "phoneNumber": PATIENT}


def test_a_picture_message_is_mm7(carrier: Carrier, gateway: Gateway) -> None:
    picture = bytes(range(256)) * 3
    form = {"msisdn": WORKER, "caption": "482913 kushoto", "via": "mm7"}
    files = {"file": ("eye.jpg", io.BytesIO(picture), "image/jpeg")}
    carrier.http.post(f"{carrier.config.own_url}/phone/api/picture", data=form, files=files).raise_for_status()
    (callback,) = gateway.at("/mm7/mm7-token-of-128-bits")
    inbound, _transaction, _version = parse_mm7(callback.raw, callback.headers["Content-Type"])
    assert (inbound.sender, inbound.text) == (WORKER, "482913 kushoto")
    assert [(media.mime_type, media.content) for media in inbound.media] == [("image/jpeg", picture)]


@pytest.mark.parametrize(("form", "words"), [({"via": "pigeon", "msisdn": WORKER}, "via is"), ({}, "needs msisdn")])
def test_a_picture_that_cannot_be_sent(carrier: Carrier, form: dict[str, str], words: str) -> None:
    files = {"file": ("eye.jpg", io.BytesIO(b"x"), "image/jpeg")}
    answer = carrier.http.post(f"{carrier.config.own_url}/phone/api/picture", data=form, files=files)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def ring(carrier: Carrier) -> str:
    answer = carrier.http.post(
        f"{carrier.config.own_url}/call",
        data={"username": "sandbox", "from": "+254711082000", "to": PATIENT},
        headers={"apiKey": "at-key"},
    )
    identity: str = answer.json()["entries"][0]["sessionId"]
    return identity


def script(gateway: Gateway) -> Callable[[Callback], str]:
    """A call that asks for a code, says it back, and ends."""

    def answer(callback: Callback) -> str:
        voice = f"{gateway.url}{AT}/voice"
        digits = callback.form.get("dtmfDigits")
        if callback.form["isActive"] == "0":
            return render([])
        verbs: list[Verb] = [
            GetDigits([Play(f"{gateway.url}/audio/ask.wav")], voice, digits=2),
            Redirect(f"{voice}?again"),
        ]
        if digits is not None:
            verbs = [Play(f"{gateway.url}/audio/{digits}.wav"), Play(f"{gateway.url}/audio/missing.wav"), Say("Bye")]
        return render(verbs)

    return answer


def test_a_call_from_ringing_to_its_price(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers |= {
        f"{AT}/voice": script(gateway),
        "/audio/ask.wav": b"ask",
        "/audio/42.wav": b"forty-two",
        "/audio/missing.wav": ("", 404),
    }
    identity = ring(carrier)
    asked = carrier.ask(f"calls/{identity}/answer", {})["call"]
    assert (asked["state"], asked["waits_for_keys"], asked["digits"]) == ("active", True, 2)
    assert asked["plays"] == [f"{gateway.url}/audio/ask.wav"]
    assert carrier.ask(f"calls/{identity}/answer", {})["call"]["round"] == asked["round"], "answered once"
    again = carrier.ask(f"calls/{identity}/silence", {})["call"]
    assert again["plays"] == asked["plays"]
    done = carrier.ask(f"calls/{identity}/digits", {"digits": "42"})["call"]
    assert (done["state"], done["plays"][-1]) == ("ended", "say:Bye")
    assert done["heard"] == [f"{gateway.url}/audio/{name}.wav" for name in ("ask", "ask", "42")]
    audio = f"{carrier.config.own_url}/phone/api/audio"
    assert carrier.http.get(audio, params={"url": done["heard"][-1]}).content == b"forty-two"
    missing = carrier.http.get(audio, params={"url": f"{gateway.url}/audio/missing.wav"})
    assert (missing.status_code, missing.json()["error"]) == (502, "the audio cannot be had (HTTP 404)")

    events = [parse_voice(callback.form) for callback in gateway.at(f"{AT}/voice")]
    assert [(event.active, event.digits) for event in events] == [
        (True, None),
        (True, None),
        (True, "42"),
        (False, None),
    ]
    assert {(event.session_id, event.caller, event.direction) for event in events} == {(identity, PATIENT, "outbound")}
    assert events[-1].duration_s == 1
    assert events[-1].cost == "KES 0.05"
    assert events[-1].hangup_cause == "NORMAL_CLEARING"


@pytest.mark.parametrize(("answered", "cause"), [(True, "NORMAL_CLEARING"), (False, "NO_ANSWER")])
def test_hanging_up_is_reported_once(carrier: Carrier, gateway: Gateway, answered: bool, cause: str) -> None:
    gateway.answers[f"{AT}/voice"] = script(gateway)
    identity = ring(carrier)
    if answered:
        carrier.ask(f"calls/{identity}/answer", {})
    for _ in range(2):
        assert carrier.ask(f"calls/{identity}/hangup", {})["call"]["state"] == "ended"
    ends = [callback.form for callback in gateway.at(f"{AT}/voice") if callback.form["isActive"] == "0"]
    assert [(end["hangupCause"], end["durationInSeconds"]) for end in ends] == [(cause, "1" if answered else "0")]


def test_a_call_that_is_rejected_costs_nothing(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/voice"] = render([Reject()])
    call = carrier.ask("calls", {"msisdn": PATIENT})["call"]
    assert (call["state"], call["direction"]) == ("ended", "Inbound")
    first, last = [parse_voice(callback.form) for callback in gateway.at(f"{AT}/voice")]
    assert (first.active, first.direction, first.caller) == (True, "inbound", PATIENT)
    assert (last.active, last.duration_s, last.cost, last.hangup_cause) == (False, 0, "KES 0.00", "CALL_REJECTED")


def test_a_call_waits_through_redirects_and_gives_up_on_endless_ones(carrier: Carrier, gateway: Gateway) -> None:
    asked = iter([1, 2])

    def answer(_callback: Callback) -> str:
        voice = f"{gateway.url}{AT}/voice"
        return render([Say("One moment"), Redirect(voice)] if next(asked, None) else [Say("Done")])

    gateway.answers[f"{AT}/voice"] = answer
    call = carrier.ask(f"calls/{ring(carrier)}/answer", {})["call"]
    assert (call["state"], call["plays"]) == ("ended", ["say:One moment", "say:One moment", "say:Done"])


@pytest.mark.parametrize("answer", [("", 500), ("<Response><Play/>", 200), ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', 200)])
def test_a_bad_answer_to_a_call_is_told(carrier: Carrier, gateway: Gateway, answer: Any) -> None:
    gateway.answers[f"{AT}/voice"] = answer
    assert carrier.ask(f"calls/{ring(carrier)}/answer", {}, status=502)["error"]


def test_audio_of_strangers_is_not_fetched(carrier: Carrier) -> None:
    answer = carrier.http.get(f"{carrier.config.own_url}/phone/api/audio", params={"url": carrier.config.own_url})
    assert (answer.status_code, answer.json()["error"]) == (502, "that audio is not the gateway's")


def test_the_carriers_interfaces_refuse_strangers(carrier: Carrier) -> None:
    own = carrier.config.own_url
    for path in ("version1/messaging", "call", "queueStatus", "mediaUpload"):
        answer = carrier.http.post(f"{own}/{path}", data={"username": "sandbox", "to": PATIENT})
        assert (answer.status_code, answer.text) == (401, "The supplied authentication is invalid")
        assert answer.headers["Content-Type"].startswith("text/plain")
    for path in ("v23.0/1066/messages", "v23.0/some-media", "whatsapp-media/some-media"):
        method = "POST" if path.endswith("messages") else "GET"
        assert carrier.http.request(method, f"{own}/{path}").status_code == 401
    assert carrier.http.get(f"{own}/twilio-media/some-media").status_code == 401
    assert carrier.ledger() == []


def test_the_sdks_other_calls(carrier: Carrier) -> None:
    from africastalking.Voice import VoiceService

    service = VoiceService("sandbox", "at-key")
    service._baseUrl = carrier.config.own_url
    ring(carrier)
    assert service.fetch_queued_calls("+254711082000")["entries"][0]["numCalls"] == 1
    assert "fulfilled" in service.media_upload("+254711082000", "https://clinic.example/a.wav")


@pytest.mark.parametrize("faults", [{"sms_500": "many"}, {"earthquake": 1}, []])
def test_unknown_faults_are_refused(carrier: Carrier, faults: Any) -> None:
    assert carrier.ask("faults", faults, status=400)["error"]


def test_the_page_and_its_drawn_eyes(carrier: Carrier) -> None:
    own = carrier.config.own_url
    page = carrier.http.get(own, follow_redirects=True)
    assert (str(page.url), page.status_code) == (f"{own}/phone", 200)
    for name in ("clear", "signs"):
        answer = carrier.http.get(f"{own}/phone/samples/{name}-7.jpg")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (800, 800))
    small = carrier.http.get(f"{own}/phone/samples/clear-7.jpg?size=160").content
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (160, 160)
    assert carrier.http.get(f"{own}/phone/samples/other-7.jpg").status_code == 404


def test_no_gateway_is_a_clear_error(carrier: Carrier) -> None:
    object.__setattr__(carrier.config, "gateway_url", "http://127.0.0.1:9")
    assert carrier.ask("ussd", {"msisdn": WORKER}, status=502)["error"] == "the gateway does not answer (ConnectError)"
