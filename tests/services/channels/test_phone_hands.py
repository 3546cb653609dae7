"""What hands can do on the trial phones, in headless Chromium, against a gateway that says what it was told."""

from __future__ import annotations

import io
import shutil
import wave
from collections.abc import Iterator

import pytest
from flask import Response
from playwright.sync_api import Browser, Page, expect, sync_playwright

from services.channels.africastalking import AfricasTalkingSms, AfricasTalkingVoice
from services.channels.base import Kind, Outbound
from services.channels.voice_xml import GetDigits, Play, render
from services.channels.whatsapp import WhatsApp
from tests.services.channels.conftest import Callback, Carrier, Gateway

WORKER, PATIENT = "+254711000001", "+254722000002"
AT = "/at/at-token-of-128-bits-"
CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
QUIET += ["--disable-component-update", "--autoplay-policy=no-user-gesture-required"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="`make test` installs Debian's chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, carrier: Carrier, gateway: Gateway) -> Iterator[Page]:
    gateway.answers[f"{AT}/ussd"] = lambda callback: f"CON You typed {callback.form['text']!r}"
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    opened.set_default_timeout(15_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{carrier.config.own_url}/phone")
    yield opened
    opened.close()
    assert errors == []


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.click("#key-" + {"*": "star", "#": "hash"}.get(key, key))


def shows(page: Page, words: str) -> None:
    expect(page.locator("#ussd-screen")).to_contain_text(words)


def test_dial_answer_correct_and_hang_up(page: Page, gateway: Gateway) -> None:
    shows(page, "Press Call to dial *384*77#")
    page.click("#call-button")
    shows(page, "You typed ''")
    press(page, "19")
    page.click("#delete-key")
    expect(page.locator("#typed")).to_have_text("1")
    page.click("#send-key")
    shows(page, "You typed '1'")
    expect(page.locator("#typed")).to_have_text("")
    page.click("#end-button")
    shows(page, "Press Call")
    expect(page.locator("#send-key")).to_be_disabled()
    assert gateway.wait_for(f"{AT}/ussd-end")[0].form["status"] == "Incomplete"


def test_any_code_can_be_dialled(page: Page) -> None:
    press(page, "*384*77*2*1#")
    page.click("#call-button")
    shows(page, "You typed '2*1'")
    page.click("#end-button")
    press(page, "*100#")
    page.click("#call-button")
    expect(page.locator("#problem")).to_have_text("Nobody answers that code. Dial *384*77#.")


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("Enter")
    shows(page, "You typed ''")
    page.keyboard.type("12")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    shows(page, "You typed '1'")


def test_each_phone_keeps_its_own_screen(page: Page) -> None:
    page.click("#call-button")
    shows(page, "You typed ''")
    page.click("#tab-patient")
    shows(page, "Press Call")
    expect(page.locator("#msisdn")).to_have_value(PATIENT)
    page.click("#tab-worker")
    shows(page, "You typed ''")


def test_trouble_stays_until_the_next_thing_is_done(page: Page, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = ("", 500)
    page.click("#call-button")
    shows(page, "Connection problem")
    with page.expect_response(lambda response: "/phone/api/calls?" in response.url):
        pass  # the page has asked for news since
    expect(page.locator("#problem")).to_contain_text("HTTP 500")
    gateway.answers[f"{AT}/ussd"] = "CON Menu"
    page.click("#call-button")
    shows(page, "Menu")
    expect(page.locator("#problem")).to_be_hidden()


def test_sms_both_ways(page: Page, carrier: Carrier, gateway: Gateway) -> None:
    page.fill("#sms-text", "STOP")
    page.click("#sms-form button")
    assert gateway.wait_for(f"{AT}/sms")[0].form["text"] == "STOP"
    AfricasTalkingSms("sandbox", "at-key", "JICHO", carrier.config.own_url).send(Outbound(Kind.SMS, WORKER, "Sawa."))
    expect(page.locator("#sms-list li")).to_have_text(["STOP", "Sawa."])
    expect(page.locator("#sms-list li.mine")).to_have_text("STOP")


@pytest.mark.parametrize("labels", [("Left eye", "Right eye"), ("One", "Two", "Three", "Four", "Five")])
def test_whatsapp_choices(page: Page, carrier: Carrier, gateway: Gateway, labels: tuple[str, ...]) -> None:
    buttons = tuple((f"id-{number}", label) for number, label in enumerate(labels))
    channel = WhatsApp("1066", "access-token", f"{carrier.config.own_url}/v23.0")
    channel.send(Outbound(Kind.WHATSAPP, WORKER, "Which eye?", buttons=buttons))
    page.click(f"text={labels[1]}")
    expect(page.locator("#whatsapp-log li.mine")).to_have_text(labels[1])
    raw = b"".join(callback.raw for callback in gateway.at("/whatsapp"))
    assert b'"id": "id-1"' in raw


@pytest.mark.parametrize(
    ("via", "path"),
    [
        ("whatsapp", "/whatsapp"),
        ("document", "/whatsapp"),
        ("mm7", "/mm7/mm7-token-of-128-bits"),
        ("twilio", "/twilio/mms"),
    ],
)
def test_a_photograph_of_ones_own(page: Page, gateway: Gateway, via: str, path: str) -> None:
    page.set_input_files("#photo-file", {"name": "eye.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8 an eye"})
    page.fill("#photo-caption", "482913 left")
    page.select_option("#photo-via", via)
    with page.expect_response(lambda response: response.url.endswith("/api/picture")) as answer:
        page.click("#send-photo")
    assert answer.value.ok
    assert gateway.at(path)


def test_a_photograph_is_needed(page: Page) -> None:
    page.click("#send-photo")
    expect(page.locator("#problem")).to_have_text("Choose a photograph or a drawn eye first.")


def sound() -> Response:
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(b"\0\0" * 8000)
    return Response(file.getvalue(), mimetype="audio/wav")


def call_script(gateway: Gateway, *, timeout_s: int) -> None:
    def answer(callback: Callback) -> str:
        if callback.form["isActive"] == "0" or callback.form.get("dtmfDigits") == "42":
            return render([])
        prompts = [Play(f"{gateway.url}/audio/one.wav"), Play(f"{gateway.url}/audio/two.wav")]
        return render([GetDigits(prompts, f"{gateway.url}{AT}/voice", digits=2, timeout_s=timeout_s)])

    gateway.answers |= {f"{AT}/voice": answer, "/audio/one.wav": sound(), "/audio/two.wav": sound()}


def ring(carrier: Carrier) -> None:
    AfricasTalkingVoice("sandbox", "at-key", "+254711082000", carrier.config.own_url).send(Outbound(Kind.VOICE, WORKER))


def test_answer_hear_and_press_keys_which_silence_the_prompt(page: Page, carrier: Carrier, gateway: Gateway) -> None:
    call_script(gateway, timeout_s=30)
    ring(carrier)
    expect(page.locator("#call-state")).to_have_text("Jicho is calling …")
    with page.expect_response(lambda response: "/phone/api/audio" in response.url) as audio:
        page.click("#answer")
    assert audio.value.body()[:4] == b"RIFF"
    press(page, "4")
    assert page.evaluate("document.getElementById('player').paused")
    with page.expect_response(lambda response: response.url.endswith("/digits")):
        press(page, "2")
    expect(page.locator("#incoming-call")).to_be_hidden()
    ended = gateway.wait_for(f"{AT}/voice", 3)[-1]
    assert (ended.form["isActive"], ended.form["hangupCause"]) == ("0", "NORMAL_CLEARING")


def test_silence_is_reported_when_the_time_is_over(page: Page, carrier: Carrier, gateway: Gateway) -> None:
    call_script(gateway, timeout_s=1)
    ring(carrier)
    page.click("#answer")
    asked_again = gateway.wait_for(f"{AT}/voice", 2)[1]
    assert (asked_again.form["isActive"], "dtmfDigits" in asked_again.form) == ("1", False)
    page.click("#hang-up")
    expect(page.locator("#incoming-call")).to_be_hidden()


def test_a_call_can_be_refused(page: Page, carrier: Carrier, gateway: Gateway) -> None:
    ring(carrier)
    page.click("#hang-up")
    expect(page.locator("#incoming-call")).to_be_hidden()
    assert gateway.wait_for(f"{AT}/voice")[0].form["hangupCause"] == "NO_ANSWER"


@pytest.mark.parametrize("width", [360, 700, 1100])
def test_nothing_sticks_out(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_carrier_that_is_away_is_said_and_forgotten_when_it_is_back(page: Page) -> None:
    page.route("**/phone/api/**", lambda route: route.abort())
    expect(page.locator("#problem")).to_contain_text("is Jicho still running?")
    page.unroute("**/phone/api/**")
    expect(page.locator("#problem")).to_be_hidden()


def test_every_control_has_a_name(page: Page) -> None:
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")]
             .filter((control) => !(control.textContent.trim() || control.ariaLabel || control.labels?.length))
             .map((control) => control.id)"""
    )
    assert unnamed == []


def test_nothing_comes_from_elsewhere(page: Page, carrier: Carrier) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    assert len(asked) >= 3, "the page, its style and its script"
    assert [url for url in asked if not url.startswith((carrier.config.own_url, "data:"))] == []
