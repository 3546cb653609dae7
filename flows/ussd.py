"""A USSD turn: which answer it carries, what the conversation makes of it, and the screen that goes back."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from flows.catalogue import text
from flows.conversation import Step, Tell
from flows.questions import Confirm
from flows.render_ussd import pages
from flows.sessions import Conversation, begin, latest, offer, resume, resume_step, said_in, save, unfinished
from services.channels.base import Kind, UssdTurn
from services.store.clock import now_ms

_BACK, _HOME, _MORE = "0", "00", "98"
_RETRY_MS = 3_000
_MOST_DIALLED = 20  # answers in one deep dial; a longer text is no dialling but an attack


def ussd_turn(tx: Connection, turn: UssdTurn, *, current_only_networks: frozenset[str] = frozenset()) -> str:
    """The whole answer, beginning with `CON ` or `END `. Runs in the caller's transaction.

    The same text again is the carrier's retry and gets the stored answer: nothing advances. A caller is known by
    number, and a session id of somebody else opens nothing.
    """
    talk = latest(tx, turn.msisdn, Kind.USSD)
    if talk is None or talk.session_id != turn.session_id:
        return _new_session(tx, turn, talk)
    answer = _answer_in(talk, turn, current_only=turn.network in current_only_networks)
    if answer is None or talk.state == "ended":
        return talk.said
    talk.heard = turn.text
    if talk.state == "moved":
        return _show(tx, talk, Step(talk.language, [Tell("moved")]))
    if talk.state == "resuming":
        return _show(tx, *resume(tx, talk, "2" if answer == _HOME else answer))
    return _take(tx, talk, answer)


def _new_session(tx: Connection, turn: UssdTurn, previous: Conversation | None) -> str:
    outrun = previous and said_in(tx, turn.msisdn, Kind.USSD, turn.session_id)
    if outrun:
        return outrun  # a late repetition from an older session: its answers must not be taken for a deep dial
    left = None if turn.text else unfinished(tx, turn.msisdn)
    if left is not None:
        talk = offer(tx, left, Kind.USSD, turn.session_id)
        return _show(tx, talk, resume_step(talk))
    talk = begin(tx, turn.msisdn, Kind.USSD, turn.session_id)
    talk.heard = turn.text
    step = talk.step(tx)
    # Deep dialling, `*384*77*2#`: what was typed beyond the code answers the first questions, as far as it fits.
    # Consent is never dialled ahead: it has to be read first.
    for answer in turn.text.split("*")[:_MOST_DIALLED] if turn.text else ():
        if step.ended or isinstance(step.question, Confirm):
            break
        tried = talk.step(tx, answer)
        if tried.error is not None:
            break
        step = tried
    return _show(tx, talk, step)


def _answer_in(talk: Conversation, turn: UssdTurn, *, current_only: bool) -> str | None:
    """What the person typed this time, or None for a repeated or outrun request.

    `text` accumulates, and a person may type `*` too: the answer is what follows the previous text, never the last
    piece between stars.
    """
    if current_only:
        repeated = turn.text == talk.heard and talk.updated_at > now_ms() - _RETRY_MS
        return None if repeated else turn.text
    if turn.text == talk.heard:
        return None
    if not talk.heard or turn.text.startswith(f"{talk.heard}*"):
        return turn.text[len(talk.heard) :].removeprefix("*") if talk.heard else turn.text
    if talk.heard.startswith(f"{turn.text}*") or not turn.text:
        return None
    return turn.text  # neither longer nor older: this network sends only what was typed last


def _take(tx: Connection, talk: Conversation, answer: str) -> str:
    more = text(talk.language, "ussd-more") in talk.said.splitlines()
    if more and answer not in (_HOME, _BACK):
        step = talk.step(tx)
        # Nobody consents to what she has not read to its end. Who knows the menu need not turn its pages.
        if answer == _MORE or step.ended or isinstance(step.question, Confirm):
            return _show(tx, talk, step, page=talk.counter + (answer == _MORE))
    if answer == _HOME:
        return _restart(tx, talk)
    if answer == _BACK:
        if talk.counter > 0:
            return _show(tx, talk, talk.step(tx), page=talk.counter - 1)
        return _show(tx, talk, talk.back(tx))
    return _show(tx, talk, talk.step(tx, answer))


def _restart(tx: Connection, talk: Conversation) -> str:
    fresh = begin(tx, talk.caller.msisdn, Kind.USSD, talk.session_id)
    fresh.id, fresh.began_at, fresh.heard = talk.id, talk.began_at, talk.heard
    return _show(tx, fresh, fresh.step(tx))


def _show(tx: Connection, talk: Conversation, step: Step, *, page: int = 0) -> str:
    screens = pages(step, first=not talk.journal)
    talk.counter = min(page, len(screens) - 1)
    over = step.ended and talk.counter == len(screens) - 1
    if over:
        talk.state = "ended"
    talk.said = f"{'END' if over else 'CON'} {screens[talk.counter]}"
    save(tx, talk)
    return talk.said
