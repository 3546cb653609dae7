"""A text message, a pressed button or a photograph: what the conversation makes of it, and what goes back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from flows.caption import read_caption
from flows.catalogue import text
from flows.conversation import go_back
from flows.render_chat import Reply, reply
from flows.sessions import Conversation, begin, can_resume, latest, save
from services.channels.base import Inbound, Kind
from services.screening.people import caller_for, opt_in_to, opt_out_of
from services.settings import current

_STOP = frozenset({"stop", "acha", "simamisha", "komesha", "wene", "unsubscribe", "cancel"})
_START = frozenset({"start", "anza", "chaki", "unstop"})
_BACK, _HOME = "0", "00"
# An MMS is answered by SMS: nobody pays for pictures of words.
_CHANNEL = {Kind.WHATSAPP: Kind.WHATSAPP, Kind.SMS: Kind.SMS, Kind.MMS: Kind.SMS}


def chat_turn(tx: Connection, inbound: Inbound, *, photos: Sequence[int] = ()) -> list[Reply]:
    """What to answer to one message, in the caller's transaction: nothing or one reply."""
    channel = _CHANNEL[inbound.kind]
    if photos:
        return [_photographs(tx, inbound, channel, list(photos))]
    word = inbound.text.strip().casefold()
    if word in _STOP | _START:
        return [_consent_word(tx, inbound, channel, stop=word in _STOP)]
    talk = latest(tx, inbound.sender, channel)
    if talk is None or not _still_open(talk) or word == _HOME:
        talk = begin(tx, inbound.sender, channel, inbound.provider_id)
        return [_say(tx, talk)]
    if word == _BACK:
        go_back(talk.journal)
        return [_say(tx, talk)]
    return [_say(tx, talk, inbound.choice or inbound.text)]


def _still_open(talk: Conversation) -> bool:
    return can_resume(talk) or (talk.state == "active" and talk.journal == [] and bool(talk.said))


def _photographs(tx: Connection, inbound: Inbound, channel: Kind, photos: list[int]) -> Reply:
    code, eye = read_caption(inbound.text)
    talk = latest(tx, inbound.sender, channel)
    waiting = talk is not None and talk.state == "active" and talk.flow == "photograph"
    if talk is not None and waiting and code is None:
        # The next of several: it waits for its turn behind the one that is asked about.
        talk.arguments["photos"] += photos
        return _say(tx, talk)
    talk = begin(tx, inbound.sender, channel, inbound.provider_id, "photograph", photos=photos, code=code, eye=eye)
    return _say(tx, talk)


def _say(tx: Connection, talk: Conversation, answer: str | None = None) -> Reply:
    step = talk.step(tx, answer)
    said = reply(step, buttons=talk.caller.channel == Kind.WHATSAPP)
    talk.state = "ended" if step.ended else "active"
    talk.said = said.text
    save(tx, talk, step)
    return said


def _consent_word(tx: Connection, inbound: Inbound, channel: Kind, *, stop: bool) -> Reply:
    (opt_out_of if stop else opt_in_to)(tx, msisdn=inbound.sender, kind=channel.value)
    language = caller_for(tx, inbound.sender)["language"] or current().language
    return Reply(text(language, "stopped" if stop else "started", code=current().ussd_code))
