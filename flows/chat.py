"""A text message, a pressed button or a photograph: what the conversation makes of it, and what goes back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from flows.caption import read_caption
from flows.catalogue import text
from flows.conversation import Step, Tell
from flows.photograph import unplaced
from flows.render_chat import Reply, reply
from flows.sessions import RESUMABLE_MS, Conversation, begin, latest, save
from services.channels.base import Inbound, Kind
from services.screening.people import caller_for, opt_in_to, opt_out_of
from services.settings import current
from services.store.clock import HOUR_MS, now_ms

_STOP = frozenset({"stop", "acha", "simamisha", "komesha", "weo", "wene", "unsubscribe", "cancel"})
_START = frozenset({"start", "anza", "chaki", "unstop"})
_RISK = frozenset({"risk", "hatari", "hinyruok"})
_BACK = "0"
_HOME = frozenset({"00", "jicho", "menu"})
# An MMS is answered by SMS: nobody pays for pictures of words.
_CHANNEL = {Kind.WHATSAPP: Kind.WHATSAPP, Kind.SMS: Kind.SMS, Kind.MMS: Kind.SMS}
# A machine that answers our answers would go on for ever, at our cost.
_MISTAKES = 4
_MUTED_MS = HOUR_MS


def chat_turn(tx: Connection, inbound: Inbound, *, photos: Sequence[int] = ()) -> list[Reply]:
    """What to answer to one message, in the caller's transaction: nothing or one reply.

    `photos` are the ids of the photographs that came with it. Raises KeyError for a kind that is no chat.
    """
    channel = _CHANNEL[inbound.kind]
    talk = latest(tx, inbound.sender, channel)
    if photos:
        return [_photographs(tx, inbound, channel, talk, photos)]
    word = re.sub(r"[\s.,!*\"']+", " ", inbound.text).strip().casefold()
    if word in _STOP | _START:
        return [_consent_word(tx, inbound, channel, stop=word in _STOP)]
    if word in _RISK:
        talk = begin(tx, inbound.sender, channel, inbound.provider_id, "risk")
        return [_say(tx, talk, talk.step(tx))]
    if talk is None or not _is_open(talk) or word in _HOME:
        if talk is not None and _is_muted(talk) and word not in _HOME:
            return []
        talk = begin(tx, inbound.sender, channel, inbound.provider_id)
        return [_say(tx, talk, talk.step(tx))]
    if word == _BACK:
        return [_say(tx, talk, talk.back(tx))]
    return [_say(tx, talk, talk.step(tx, inbound.choice or inbound.text))]


def _is_open(talk: Conversation) -> bool:
    return talk.state == "active" and talk.updated_at > now_ms() - RESUMABLE_MS


def _is_muted(talk: Conversation) -> bool:
    return talk.state == "muted" and talk.updated_at > now_ms() - _MUTED_MS


def _photographs(
    tx: Connection, inbound: Inbound, channel: Kind, talk: Conversation | None, photos: Sequence[int]
) -> Reply:
    code, eye = read_caption(inbound.text)
    # The caption's eye is the first picture's; a second one in the same message is of the same patient.
    came = [[photo_id, code, eye if position == 0 else None] for position, photo_id in enumerate(photos)]
    waiting = []
    if talk is not None and talk.flow == "photograph" and _is_open(talk):
        if code is None:
            # The next of several waits for its turn behind the one that is asked about.
            talk.arguments["photos"] += came
            return _say(tx, talk, talk.step(tx))
        waiting = unplaced(talk.arguments["photos"], talk.journal)
    talk = begin(tx, inbound.sender, channel, inbound.provider_id, "photograph", photos=[*came, *waiting])
    return _say(tx, talk, talk.step(tx))


def _say(tx: Connection, talk: Conversation, step: Step) -> Reply:
    talk.counter = talk.counter + 1 if step.error is not None else 0
    talk.state = "ended" if step.ended else "active"
    if talk.counter >= _MISTAKES:
        step, talk.state = Step(step.language, [Tell("chat-help")]), "muted"
    said = reply(step, buttons=talk.caller.channel == Kind.WHATSAPP)
    talk.said = said.text
    save(tx, talk)
    return said


def _consent_word(tx: Connection, inbound: Inbound, channel: Kind, *, stop: bool) -> Reply:
    (opt_out_of if stop else opt_in_to)(tx, msisdn=inbound.sender, kind=channel.value)
    language = caller_for(tx, inbound.sender)["language"] or current().language
    return Reply(text(language, "stopped" if stop else "started", code=current().ussd_code))
