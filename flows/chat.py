"""A text message, a pressed button or a photograph: what the conversation makes of it, and what goes back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.engine import Connection

from flows.caption import read_caption, read_programme
from flows.conversation import Caller, Step, Tell
from flows.photograph import unplaced
from flows.programmes import by_word
from flows.questions import Confirm, Invalid
from flows.render_chat import Reply, sms, whatsapp
from flows.sessions import (
    OPEN_MS,
    RESUMABLE_MS,
    Conversation,
    begin,
    latest,
    offer,
    resume,
    resume_step,
    save,
    unfinished,
)
from services import programmes
from services.channels.base import Inbound, Kind
from services.screening.asking import expect_photograph
from services.screening.people import caller_for, opt_in_to, opt_out_of
from services.settings import current
from services.store.clock import HOUR_MS, now_ms
from services.store.sealing import carrier_token

_STOP = frozenset(
    {"stop", "stop all", "stopall", "unsubscribe", "cancel", "acha", "simamisha", "komesha", "sitaki", "weo", "wene"}
)
_START = frozenset({"start", "unstop", "anza", "chaki"})
# Words that go straight to one thing.
_FLOWS = dict.fromkeys(("risk", "hatari", "hinyruok"), "risk") | dict.fromkeys(
    ("withdraw", "erase", "ondoa", "futa", "gol"), "withdraw"
)
_BACK, _MORE = "0", "98"
_HOME = frozenset({"00", "jicho", "menu", "menyu", "home", "mwanzo"})
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
    word = _word(inbound.text)
    if word in _STOP:
        return _stop(tx, inbound, channel)
    if word in _START and opt_in_to(tx, msisdn=inbound.sender, kind=channel.value)["changed"]:
        return [_notice(tx, inbound, channel, "started")]
    if word in _FLOWS:
        talk = begin(tx, inbound.sender, channel, carrier_token(inbound.provider_id), _FLOWS[word])
        return [_say(tx, talk, talk.step(tx))]
    if (called := programmes.called(word, current())) is not None and called.name in by_word():
        talk = begin(
            tx, inbound.sender, channel, carrier_token(inbound.provider_id), "programme", programme=called.name
        )
        talk.caller = _speaking(talk.caller, called.words[word])
        return [_say(tx, talk, talk.step(tx))]
    if talk is None or not _is_open(talk) or word in _HOME | _START:
        if talk is not None and _is_muted(talk) and word not in _HOME | _START:
            return []
        talk, step = _begin(tx, inbound, channel, talk)
    elif inbound.media and not (inbound.text or inbound.choice):
        step = resume_step(talk) if talk.state == "resuming" else talk.step(tx)
    else:
        talk, step = _take(tx, talk, word, inbound.choice or inbound.text)
    if inbound.media:
        # A voice note or a film: nobody may think that it was heard.
        step.tells.insert(0, Tell("voice-note-unheard"))
    return [_say(tx, talk, step)]


def _word(message: str) -> str:
    """A message as a word of ours: "Stop!", "«STOP»" and "stop jicho" are the same."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", message).casefold())
    return " ".join(words[:-1] if len(words) > 1 and words[-1] == "jicho" else words)


def _is_open(talk: Conversation) -> bool:
    return talk.state in ("active", "resuming") and talk.updated_at > now_ms() - OPEN_MS.get(talk.flow, RESUMABLE_MS)


def _is_muted(talk: Conversation) -> bool:
    return talk.state == "muted" and talk.updated_at > now_ms() - _MUTED_MS


def _begin(tx: Connection, inbound: Inbound, channel: Kind, previous: Conversation | None) -> tuple[Conversation, Step]:
    """The menu, or first whether to go on with what was left on another channel since."""
    left = unfinished(tx, inbound.sender, but=channel)
    # What moved and what it left are written in one transaction, often in the same millisecond.
    newer = previous is None or previous.state == "resuming" or (left and left.updated_at >= previous.updated_at)
    if left is not None and newer:
        talk = offer(tx, left, channel, inbound.provider_id)
        return talk, resume_step(talk)
    talk = begin(tx, inbound.sender, channel, carrier_token(inbound.provider_id))
    return talk, talk.step(tx)


def _take(tx: Connection, talk: Conversation, word: str, answer: str) -> tuple[Conversation, Step]:
    if talk.state == "resuming":
        return resume(tx, talk, answer)
    if word == _BACK:
        talk.notes.pop("page", None)
        return talk, talk.back(tx)
    page = talk.notes.get("page")
    if page is not None:
        step = talk.step(tx)
        if word == _MORE:
            talk.notes["page"] = page + 1
            return talk, step
        if isinstance(step.question, Confirm):
            # Nobody consents to what she has not read to its end.
            talk.notes["page"], step.error = 0, Invalid("error-more")
            return talk, step
    talk.notes.pop("page", None)
    return talk, talk.step(tx, answer)


def _photographs(
    tx: Connection, inbound: Inbound, channel: Kind, talk: Conversation | None, photos: Sequence[int]
) -> Reply:
    code, eye = read_caption(inbound.text)
    asked = None if code else read_programme(inbound.text) or _expected(talk)
    if asked is not None:
        programme, language = asked
        arguments = {"photos": list(photos), "programme": programme}
        talk = begin(tx, inbound.sender, channel, carrier_token(inbound.provider_id), "photograph-asked", **arguments)
        talk.caller = _speaking(talk.caller, language)
        return _say(tx, talk, talk.step(tx))
    # The caption's eye is the first picture's; a second one in the same message is of the same patient.
    came = [[photo_id, code, eye if position == 0 else None] for position, photo_id in enumerate(photos)]
    waiting = []
    if talk is not None and talk.flow == "photograph" and _is_open(talk):
        if code is None:
            # The next of several waits for its turn behind the one that is asked about.
            talk.arguments["photos"] += came
            return _say(tx, talk, talk.step(tx))
        waiting = unplaced(talk.arguments["photos"], talk.journal)
    talk = begin(
        tx, inbound.sender, channel, carrier_token(inbound.provider_id), "photograph", photos=[*came, *waiting]
    )
    return _say(tx, talk, talk.step(tx))


def _expected(talk: Conversation | None) -> tuple[str, str] | None:
    """The programme of a photograph without a word, from somebody who was just told how to send one."""
    if talk is None or talk.updated_at <= now_ms() - RESUMABLE_MS:
        return None
    told = [entry[2]["programme"] for entry in talk.journal if entry[:2] == ["effect", expect_photograph.__name__]]
    return (told[-1], talk.language) if told else None


def _speaking(caller: Caller, language: str) -> Caller:
    """Who chose no language yet is answered in that of the word that she wrote."""
    return caller if caller.language else replace(caller, language=language)


def _say(tx: Connection, talk: Conversation, step: Step) -> Reply:
    """`notes["page"]` is there while the page on the phone is not the last."""
    talk.counter = talk.counter + 1 if step.error is not None else 0
    if talk.counter >= _MISTAKES:
        step, talk.state = Step(step.language, [Tell("chat-help")]), "muted"
    said = _rendered(talk.caller.channel, step, page=talk.notes.get("page", 0))
    if said.more:
        talk.notes.setdefault("page", 0)
    else:
        talk.notes.pop("page", None)
        if step.ended and talk.state != "muted":
            talk.state = "ended"
    talk.said = said.text
    save(tx, talk)
    return said


def _rendered(channel: str, step: Step, *, page: int = 0) -> Reply:
    return whatsapp(step, page=page) if channel == Kind.WHATSAPP else sms(step, page=page)


def _stop(tx: Connection, inbound: Inbound, channel: Kind) -> list[Reply]:
    """Confirmed once: who says it again, or a machine that does, hears nothing more."""
    if not opt_out_of(tx, msisdn=inbound.sender, kind=channel.value)["changed"]:
        return []
    return [_notice(tx, inbound, channel, "stopped")]


def _notice(tx: Connection, inbound: Inbound, channel: Kind, message_id: str) -> Reply:
    language = caller_for(tx, inbound.sender)["language"] or current().language
    return _rendered(channel, Step(language, [Tell(message_id, {"code": current().ussd_code})]))
