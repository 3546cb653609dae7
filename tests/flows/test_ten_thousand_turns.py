"""Ten thousand turns of random and hostile input, over every flow, channel and language: nothing raises, nothing is
longer than its channel takes, and from wherever it led, good answers end it in at most twelve turns."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import smsutil
from phones import decide, open_another
from sqlalchemy.engine import Connection

from flows.catalogue import LANGUAGES, text
from flows.chat import chat_turn
from flows.conversation import Step
from flows.questions import Choice, Code, Confirm, Number
from flows.render_chat import Reply
from flows.render_ussd import LIMIT, length, pages
from flows.render_voice import VoiceStep
from flows.sessions import FLOWS, Conversation, begin, latest, save
from flows.ussd import ussd_turn
from flows.voice import voice_turn
from services.channels.base import Inbound, Kind, Media, UssdTurn, VoiceEvent
from services.runtime import Runtime
from services.screening.follow_up import due_in_a_year
from services.screening.people import add_worker, set_language
from services.screening.referral import open_referral

Clinic = Callable[[str], Runtime]
TURNS = 10_000
CHANNELS = (Kind.USSD, Kind.SMS, Kind.WHATSAPP, Kind.VOICE)
MOST_TO_THE_END = 12
NATURAL = 6  # of them, before the way out by the menu is taken
CODES = ["482918", "482926"]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "photograph": {"photos": [[1, None, None], [2, None, "left"]]},
    "photograph-asked": {"photos": [1, 2], "programme": "maize"},
    "programme": {"programme": "maize"},
    "attended": {"referral": 1},
    "invited": {"follow_up": 1},
}
USUAL = [*"1122345679", "0", "00", "98", "30", "70", "170", "1961", "0722000002", *CODES]
HOSTILE = [
    *("", "*", "**", "#", " 1 ", "-1", "1e3", "\u0663", "{code}", "%s", "%(x)s", "\0", "'; DROP TABLE screening"),
    *("STOP", "START", "JICHO", "RISK", "WITHDRAW", "1*1*1961", "100009", "\n\n", "ng\u2019ombe", "\u202e98"),
    *("9" * 400, "\N{SLIGHTLY SMILING FACE}" * 60, "x" * 2000),
]


class Person:
    """Somebody who takes one turn after the other on one channel."""

    def __init__(self, tx: Connection, number: str, channel: Kind, chance: random.Random) -> None:
        self.tx, self.number, self.channel, self.chance = tx, number, channel, chance
        self.session, self.text, self.ids, self.turns = "S0", "", count(1), 0

    def start(self, flow: str) -> None:
        """A conversation that is at the beginning of this flow, as a menu, a word, a call or a reminder begins it."""
        talk = begin(self.tx, self.number, self.channel, self.session, flow, **ARGUMENTS.get(flow, {}))
        step = talk.step(self.tx)
        if not step.ended:
            talk.said = f"CON {pages(step)[0]}"
            save(self.tx, talk)

    def turn(self, typed: str) -> None:
        self.turns += 1
        if self.channel is Kind.USSD:
            self.text = f"{self.text}*{typed}" if self.text else typed
            turn = UssdTurn(self.session, "*384*77#", self.number, "63902", self.text)
            check_screen(ussd_turn(self.tx, turn))
        elif self.channel is Kind.VOICE:
            digits = "".join(key for key in typed if key in "0123456789*")[:20]
            event = VoiceEvent(self.session, "inbound", self.number, "+254711082000", True, digits or None)
            check_call(voice_turn(self.tx, event, person=self.number))
        else:
            media = (Media("audio/ogg", locator="1"),) if not typed and self.chance.random() < 0.5 else ()
            message = Inbound("test", self.channel, f"{self.number}-{next(self.ids)}", self.number, "", typed, media)
            for reply in chat_turn(self.tx, message):
                check_reply(self.channel, reply)

    def again(self) -> None:
        """A new session."""
        self.session, self.text = f"S{next(self.ids)}", ""
        self.turn("")

    def talk(self) -> Conversation | None:
        return latest(self.tx, self.number, self.channel)

    def finish(self) -> int:
        """Good answers until nothing is asked any more; how many it took."""
        for turns in range(MOST_TO_THE_END + 1):
            talk = self.talk()
            if talk is None or talk.state not in ("active", "resuming"):
                return turns
            self.turn(self._good(talk, turns))
        return MOST_TO_THE_END + 1

    def _good(self, talk: Conversation, turns: int) -> str:
        if talk.state == "resuming":
            return "2" if turns >= NATURAL else "1"
        more = text(talk.language, "ussd-more") in talk.said.splitlines() or "page" in talk.notes
        if self.channel is Kind.VOICE:
            return "" if turns >= NATURAL else "1" if "aside" in talk.notes else good_answer(talk.step(self.tx))
        if turns >= NATURAL and (talk.flow, len(talk.journal)) != ("menu", 0):
            on_the_way_out = talk.flow == "menu" and talk.journal[-1][:3] == ["answer", _menu_of(talk), "help"]
            if not on_the_way_out and not (more and talk.step(self.tx).ended):
                return "00"
        if more:
            return "98"
        if turns >= NATURAL and talk.flow == "menu":
            return "help" if self.channel is not Kind.USSD and not talk.journal else _help_key(self.tx, talk)
        return good_answer(talk.step(self.tx))


def _menu_of(talk: Conversation) -> str:
    return "ask-worker-menu" if talk.caller.worker else "ask-menu"


def _help_key(tx: Connection, talk: Conversation) -> str:
    question = talk.step(tx).question
    assert isinstance(question, Choice)
    wanted = {"ask-language": "sw", "ask-help": "about"}.get(question.id, "help")
    return str(1 + question.keys.index(wanted))


def good_answer(step: Step) -> str:
    """An answer that fits, one that leads on rather than round."""
    question = step.question
    if isinstance(question, Confirm):
        return "2"
    if isinstance(question, Choice):
        return str(len(question.keys))
    if isinstance(question, Number):
        return str(question.low)
    return CODES[0] if isinstance(question, Code) else "0722000002"


def check_screen(screen: str) -> None:
    assert screen[:4] in ("CON ", "END ")
    assert screen[4:].strip()
    assert smsutil.is_valid_gsm(screen[4:])
    assert length(screen[4:]) <= LIMIT


def check_reply(channel: Kind, reply: Reply) -> None:
    assert reply.text.strip()
    if channel is Kind.SMS:
        assert reply.buttons == ()
        assert len(smsutil.split(reply.text).parts) == 1
        assert smsutil.is_valid_gsm(reply.text)
    assert len(reply.text) <= 1024
    assert len(reply.buttons) <= 10
    assert all(0 < len(label) <= 24 for _, label in reply.buttons)
    assert len({key for key, _ in reply.buttons}) == len(reply.buttons)


def check_call(step: VoiceStep) -> None:
    assert step.prompts
    assert all(words.strip() for words in step.texts)
    assert step.digits in ((0,) if step.ended else (0, 1, 6))
    keys = [int(prompt.params["key"]) for prompt in step.prompts if prompt.id == "voice-press"]
    assert keys == list(range(1, len(keys) + 1))
    assert len(keys) <= 9


@pytest.fixture
def busy(clinic: Clinic) -> Runtime:
    site = clinic("en")
    assert [open_another(site) for _ in CODES] == CODES
    with site.db.write() as tx:
        open_referral(tx, 1, "routine")
        due_in_a_year(tx, 2)
    decide(site, CODES[0], "refer")
    return site


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_breaks_and_everything_ends(busy: Runtime, channel: Kind, language: str) -> None:
    chance = random.Random(f"{channel}-{language}")
    share, done = TURNS // (len(CHANNELS) * len(LANGUAGES)) + 1, 0
    flows = sorted(FLOWS)
    for number in count(1):
        if done >= share and number > 2 * len(flows):
            break
        with busy.db.write() as tx:
            msisdn = f"+2547{number:08}"
            if number % 2:
                add_worker(tx, msisdn=msisdn, name="Ng'ong'o [A]", language=language)
            else:
                set_language(tx, msisdn=msisdn, language=language)
            person = Person(tx, msisdn, channel, chance)
            person.start(flows[number // 2 % len(flows)])
            for _ in range(chance.randint(0, 18)):
                move = chance.random()
                if move < 0.05 and channel in (Kind.USSD, Kind.VOICE):
                    person.again()
                elif move < 0.2:
                    person.turn(chance.choice(HOSTILE))
                else:
                    talk = person.talk()
                    asked = talk is not None and talk.state == "active" and move < 0.6
                    person.turn(good_answer(talk.step(tx)) if asked and talk else chance.choice(USUAL))
            turns = person.finish()
            talk = person.talk()
            assert turns <= MOST_TO_THE_END, (talk and (talk.flow, talk.journal, talk.said), msisdn)
            done += person.turns
    assert done >= share
