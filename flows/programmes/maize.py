"""Maize-leaf disease: a farmer says what she sees, or learns how to send a photograph; an adviser may ring her.

What is said is never more than "looks like", and never a poison or a dose: what helps without harm, and whom to ask.
"""

from __future__ import annotations

from collections.abc import Mapping

from flows.conversation import Caller, Do, Flow, Tell
from flows.programmes import Offer
from flows.questions import Choice, Confirm
from flows.result import until_heard
from services.channels.base import Kind
from services.screening.asking import ask_adviser, expect_photograph, has_adviser, send_words
from services.settings import current

NAME = "maize"
_KEPT = (Kind.SMS, Kind.WHATSAPP)
# What is seen on the leaves, and the sentences about it; those of a photograph stand in models/maize/programme.json.
ADVICE: Mapping[str, tuple[str, ...]] = {
    "blight": ("maize-blight", "maize-blight-do"),
    "rust": ("maize-rust", "maize-rust-do"),
    "grey": ("maize-grey", "maize-grey-do"),
    "other": ("maize-many",),
    "holes": ("maize-holes",),
    "yellow": ("maize-yellow",),
    "none": ("maize-nothing", "maize-limits"),
}


def maize(caller: Caller) -> Flow:
    """What she sees, how to send a photograph, or what this can tell at all."""
    wish = yield Choice("ask-maize", keys=("signs", "photo", "about"), labels="maize-menu")
    if wish == "about":
        yield Tell("maize-about")
        return Tell("maize-limits")
    if wish == "photo":
        return (yield from _photograph(caller))
    seen = yield Choice("ask-maize-signs", keys=("spots", "holes", "yellow", "none"), labels="maize-signs")
    if seen == "spots":
        seen = yield Choice("ask-maize-spots", keys=("blight", "rust", "grey", "other"), labels="maize-spots")
    return (yield from _advised(caller, ADVICE[seen]))


def _photograph(caller: Caller) -> Flow:
    if caller.channel == Kind.WHATSAPP:
        yield Do(expect_photograph, undoable=True, programme=NAME)
        yield Tell("maize-photo-here")
        return Tell("maize-about")
    if caller.channel != Kind.SMS:
        yield Do(send_words, msisdn=caller.msisdn, messages=["maize-photo-how"], language=_language(caller))
    return Tell("maize-photo-how")


def _advised(caller: Caller, advice: tuple[str, ...]) -> Flow:
    """On a screen and in a call the first sentence is enough to know what it is: all of it comes by SMS, to be kept."""
    said = [Tell(each) for each in advice]
    if caller.channel not in _KEPT:
        sent = yield Do(send_words, msisdn=caller.msisdn, messages=list(advice), language=_language(caller))
        if sent["state"] == "sent":
            said = [*(said if caller.channel == Kind.VOICE else said[:1]), Tell("maize-sent")]
    adviser = yield Do(has_adviser, undoable=True, programme=NAME)
    if not adviser["known"]:
        if caller.channel == Kind.VOICE:
            return (yield from until_heard(*said))
        yield from said
        return Tell("maize-officer")
    yield from said
    if not (yield Confirm("ask-adviser")):
        return Tell("maize-officer")
    asked = yield Do(ask_adviser, msisdn=caller.msisdn, programme=NAME)
    return Tell(f"adviser-{asked['state']}")


def _language(caller: Caller) -> str:
    return caller.language or current().language


OFFER = Offer(
    anyone={NAME: maize},
    calling={NAME: maize},
    by_word=maize,
    help_anyone=("help-maize",),
    spoken=(
        *("ask-maize", "ask-maize-signs", "ask-maize-spots", "maize-about", "maize-limits", "maize-photo-how"),
        *dict.fromkeys(sentence for advice in ADVICE.values() for sentence in advice),
        *("maize-sent", "maize-officer", "ask-adviser", "adviser-asked", "adviser-limit", "adviser-unreachable"),
        "help-maize",
    ),
    menus=(
        ("maize-menu-signs", "maize-menu-photo", "maize-menu-about"),
        ("maize-signs-spots", "maize-signs-holes", "maize-signs-yellow", "maize-signs-none"),
        ("maize-spots-blight", "maize-spots-rust", "maize-spots-grey", "maize-spots-other"),
    ),
)
