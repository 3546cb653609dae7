from __future__ import annotations

from defusedxml.ElementTree import fromstring

from services.channels.voice_xml import GetDigits, Play, Redirect, Reject, Say, render

URL = "https://clinic.example/audio/a.wav?until=1&signature=\"<x>'"


def test_prompts_wait_for_keys_and_come_back_after_silence() -> None:
    root = fromstring(render([GetDigits([Play(URL), Play("https://b")], URL, digits=1), Redirect(URL)]))
    assert [verb.tag for verb in root] == ["GetDigits", "Redirect"]
    assert root[0].attrib == {"timeout": "12", "finishOnKey": "#", "numDigits": "1", "callbackUrl": URL}
    assert [prompt.attrib for prompt in root[0]] == [{"url": URL}, {"url": "https://b"}]
    assert root[1].text == URL


def test_any_number_of_keys_until_the_hash() -> None:
    assert "numDigits" not in fromstring(render([GetDigits([], "https://b")]))[0].attrib


def test_words_are_escaped() -> None:
    assert fromstring(render([Say("<Reject/> & more")]))[0].text == "<Reject/> & more"


def test_nothing_ends_the_call_and_a_call_can_be_refused() -> None:
    assert len(fromstring(render([]))) == 0
    assert render([Reject()]) == '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>'
