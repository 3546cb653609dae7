"""The Twilio-shaped webhook. The signature's example is Twilio's own, from its page on request validation."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels.base import BadCallback, Inbound, Kind, Media
from services.channels.twilio_mms import check_signature, parse, sign

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
SIGNED = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
TOKEN, SIGNATURE = "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8="
FORM = {
    "MessageSid": "MM800f449d0399ed014aae2bcc0cc2f2ec",
    "From": "+254711000001",
    "To": "+15005550006",
    "Body": "482913 left",
    "NumMedia": "2",
    "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM8/Media/ME1",
    "MediaContentType0": "image/jpeg",
    "MediaUrl1": "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM8/Media/ME2",
    "MediaContentType1": "image/png",
}


def test_a_picture_message() -> None:
    assert parse(FORM) == Inbound(
        carrier="twilio",
        kind=Kind.MMS,
        provider_id="MM800f449d0399ed014aae2bcc0cc2f2ec",
        sender="+254711000001",
        recipient="+15005550006",
        text="482913 left",
        media=(
            Media("image/jpeg", locator=FORM["MediaUrl0"]),
            Media("image/png", locator=FORM["MediaUrl1"]),
        ),
    )


@pytest.mark.parametrize(
    ("count", "pictures"), [("0", 0), ("1", 1), ("2", 2), ("99", 2), ("", 0), ("-1", 0), ("many", 0), ("9" * 999, 0)]
)
def test_as_many_pictures_as_there_are(count: str, pictures: int) -> None:
    assert len(parse(FORM | {"NumMedia": count}).media) == pictures


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
def test_a_message_says_which_it_is_and_from_whom(missing: str) -> None:
    with pytest.raises(BadCallback, match=missing):
        parse(FORM | {missing: ""})


@given(st.dictionaries(st.sampled_from(sorted(FORM)), st.text(max_size=40)))
def test_nothing_but_bad_callback_comes_of_hostile_forms(hostile: dict[str, str]) -> None:
    with suppress(BadCallback):
        parse(FORM | hostile)


def test_the_published_example_of_a_signature() -> None:
    assert sign(URL, SIGNED, TOKEN) == SIGNATURE
    check_signature(URL, SIGNED, SIGNATURE, TOKEN)


@pytest.mark.parametrize(
    ("url", "form", "header", "token"),
    [
        (URL, SIGNED, "", TOKEN),
        (URL, SIGNED, SIGNATURE.lower(), TOKEN),
        (URL, SIGNED, "é", TOKEN),
        (URL, SIGNED | {"Digits": "1235"}, SIGNATURE, TOKEN),
        (URL.replace("https", "http"), SIGNED, SIGNATURE, TOKEN),
        (URL, SIGNED, SIGNATURE, "another"),
        (URL, SIGNED, sign(URL, SIGNED, ""), ""),  # without a token nothing is let in
    ],
)
def test_a_bad_signature(url: str, form: dict[str, str], header: str, token: str) -> None:
    with pytest.raises(BadCallback) as refused:
        check_signature(url, form, header, token)
    assert refused.value.status == 403
