"""The stage of golden transcripts: a clinic on one day, its phones, and all that is typed, read and heard."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from open_rows import conversations, messages
from phones import PATIENT, WORKER, Chat, Ussd, Voice, open_another

from flows.catalogue import LANGUAGES, text
from flows.programmes import anyone_menu, calling_menu, worker_menu
from flows.render_chat import Reply
from flows.render_voice import VoiceStep
from services.channels.base import Kind
from services.messaging.reminders import send_due
from services.runtime import Runtime
from services.screening.decision import Outcome
from services.screening.facilities import Facility, listed, put
from services.screening.results import announce
from services.store.tables import message, screening

USSD, SMS, WHATSAPP, VOICE = CHANNELS = (Kind.USSD, Kind.SMS, Kind.WHATSAPP, Kind.VOICE)
_MORE = {text(language, "ussd-more") for language in LANGUAGES}
_MORE_CHOICE = "voice-more"
_FIRST_DAY = datetime(2026, 11, 23, 9, tzinfo=UTC)  # noon in Nairobi


@dataclass(frozen=True)
class Scene:
    """One scene on one channel. `role` and `flow` say whose flow it shows, if it shows the whole of one."""

    play: Callable[[Stage], None]
    kind: Kind
    role: str
    flow: str

    @property
    def name(self) -> str:
        return f"{self.play.__name__}_by_{self.kind}"


SCENES: dict[str, Scene] = {}


def scene(role: str = "", flow: str = "", *, on: tuple[Kind, ...] = CHANNELS) -> Any:
    """Registers a function as a scene on each channel."""

    def register(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        for kind in on:
            found = Scene(play, kind, role, flow)
            assert found.name not in SCENES
            SCENES[found.name] = found
        return play

    return register


class Clock:
    """The time in `services.store.clock`: noon of a day, and a millisecond later each time it is looked at."""

    def __init__(self) -> None:
        self.day, self._looks = 0, itertools.count(1)

    def time_ns(self) -> int:
        return int((_FIRST_DAY + timedelta(days=self.day)).timestamp() * 10**9) + next(self._looks) * 10**6


class Stage:
    """A clinic that speaks one language, seen on one channel."""

    def __init__(self, site: Runtime, language: str, kind: Kind, clock: Clock) -> None:
        self.site, self.language, self.kind, self.clock = site, language, kind, clock
        self.lines: list[str] = []
        self._calls = itertools.count(1)

    def worker(self, kind: Kind | None = None) -> Phone:
        return Phone(self, kind or self.kind, WORKER, "worker")

    def patient(self, kind: Kind | None = None) -> Phone:
        return Phone(self, kind or self.kind, PATIENT, "patient")

    def somebody(self, number: str, who: str) -> Phone:
        return Phone(self, self.kind, number, who)

    def new_call(self) -> str:
        return f"ATVId_{next(self._calls)}"

    def open_one(self, *, urgent: bool = False) -> str:
        """The code of a screening that the worker opened for the patient, off stage."""
        code = open_another(self.site, language=self.language)
        if urgent:
            with self.site.db.write() as tx:
                tx.execute(screening.update().where(screening.c.code == code).values(priority="urgent"))
        return code

    def conclude(self, code: str, outcome: Outcome) -> None:
        """Decides a screening as readings would."""
        with self.site.db.write() as tx:
            if not listed(tx):
                put(tx, Facility("Kisumu Eye Unit", "Kisumu", days=("mon", "thu")))
            announce(tx, tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one(), outcome)

    def on_day(self, day: int) -> None:
        """That many days later, when the scheduler has sent what was due."""
        self.clock.day = day
        with self.told_by_message(f"(day {day})"):
            send_due(self.site)

    def told_by_message(self, when: str) -> Any:
        """Notes every SMS and WhatsApp message that is posted meanwhile."""
        return _Posted(self, when)

    def note(self, who: str, typed: str, answer: str | Reply | VoiceStep) -> None:
        self.lines.append(f"> {who}: {typed}")
        if isinstance(answer, Reply):
            self.lines.append(answer.text)
            self.lines += [f"[{key}: {label}]" for key, label in answer.buttons]
        elif isinstance(answer, VoiceStep):
            self.lines += [f"♪ {words}" for words in answer.texts]
            if answer.pace != "normal":
                self.lines.append(f"({answer.pace})")
            if answer.dial:
                self.lines.append(f"(is put through to {answer.dial})")
            self.lines.append("(ends)" if answer.ended else f"(waits for {answer.digits or 'any number of'} keys)")
        else:
            self.lines.append(answer)
        self.lines.append("")


class _Posted:
    def __init__(self, stage: Stage, when: str) -> None:
        self.stage, self.when, self.before = stage, when, 0

    def __enter__(self) -> None:
        with self.stage.site.db.read() as tx:
            self.before = tx.execute(sa.select(sa.func.max(message.c.id))).scalar() or 0

    def __exit__(self, *_: object) -> None:
        with self.stage.site.db.read() as tx:
            for row in messages(tx, message.c.id > self.before):
                to = "worker" if row.recipient == WORKER else "patient"
                how = {"sms": "SMS", "whatsapp": "WhatsApp", "voice": "call"}[row.kind]
                self.stage.note(f"{how} to the {to}", self.when, row.text)


class Phone:
    """Somebody on one channel. A choice is answered by its number, and everything is read to its end."""

    def __init__(self, stage: Stage, kind: Kind, number: str, who: str) -> None:
        self.stage, self.kind, self.number = stage, kind, number
        self.who = who if kind is stage.kind else f"{who} by {kind}"
        self._ussd, self._chat = Ussd(stage.site, number), Chat(stage.site, kind, number)
        self._call = Voice(stage.site, number)
        self._last: str | Reply | VoiceStep = ""

    def begin(self) -> Phone:
        """Dials, writes, or rings the clinic."""
        if self.kind is USSD:
            return self._heard("(dials)", self._ussd.dial())
        if self.kind is VOICE:
            self._call = Voice(self.stage.site, self.number, self.stage.new_call(), "inbound")
            return self._heard("(rings the clinic)", self._call.event())
        return self.write("jicho")

    def pick_up(self) -> Phone:
        """Answers a call that the clinic placed."""
        self._call = Voice(self.stage.site, self.number, self.stage.new_call())
        return self._heard("(answers)", self._call.event())

    def choose(self, *keys: str) -> Phone:
        """Begins, and goes to an entry of the menu; on a call, to one that it does not offer by continuing there."""
        menu, calling = tuple(worker_menu() if self.number == WORKER else anyone_menu()), tuple(calling_menu())
        for key in keys:
            if self.kind is VOICE and key in calling:
                self.begin().answer(str(1 + calling.index(key)))
            elif self.kind is VOICE:
                begun = Phone(self.stage, SMS, self.number, self.who)
                begun.begin().answer(str(1 + menu.index(key)))
                self.begin().answer("1")
            else:
                self.begin().answer(str(1 + menu.index(key)))
        return self

    def write(self, words: str, **more: Any) -> Phone:
        """Writes a message."""
        shown = words or ("[voice note]" if more.get("note") else "")
        photos = more.get("photos", 0)
        shown = " ".join(filter(None, ("[photo]" if photos == 1 else f"[{photos} photos]" if photos else "", shown)))
        return self._heard(shown, self._chat.write(words, **more))

    def answer(self, *answers: str) -> Phone:
        """What she types, presses or taps, one after the other. "" is silence."""
        for each in answers:
            if self.kind is USSD:
                self._heard(each, self._ussd.press(each))
            elif self.kind is VOICE:
                self._press(each)
            else:
                self._tap(each)
        return self

    def _press(self, answer: str) -> None:
        if answer.isdigit() and 8 < int(answer) < 20 and self._has_pages():
            self._heard("9", self._call.event("9"))
            answer = str(int(answer) - 8)
        self._heard(answer or "(silence)", self._call.event(answer or None))

    def _has_pages(self) -> bool:
        assert isinstance(self._last, VoiceStep)
        choices = [prompt.params["choice"].id for prompt in self._last.prompts if prompt.id == "voice-press"]
        return _MORE_CHOICE in choices

    def _tap(self, answer: str) -> None:
        buttons = self._last.buttons if isinstance(self._last, Reply) else ()
        if answer.isdigit() and 0 < int(answer) <= len(buttons):
            key, label = buttons[int(answer) - 1]
            self._heard(f"[{label}]", self._chat.write(label, choice=key))
        else:
            self.write(answer)

    def _heard(self, typed: str, answer: str | Reply | VoiceStep) -> Phone:
        self._last = answer
        self.stage.note(self.who, typed, answer)
        if isinstance(answer, Reply) and answer.more:
            return self.write("98")
        if isinstance(answer, str) and _MORE.intersection(answer.splitlines()):
            return self._heard("98", self._ussd.press("98"))
        return self


def fixed(clock: Clock) -> Any:
    """What stands for the module `time` in `services.store.clock`."""
    return SimpleNamespace(time_ns=clock.time_ns)


def reached(site: Runtime) -> Iterator[tuple[str, str, str]]:
    """`(role, flow or entry of a menu, channel)` of every conversation that was held, moved ones where they ended."""
    from services.store.tables import conversation

    with site.db.read() as tx:
        for row in conversations(tx, conversation.c.state != "moved"):
            role = "worker" if row.caller["worker"] else "patient"
            yield role, row.flow, row.channel
            for kind, name, value, *_ in row.journal:
                if kind == "answer" and name in ("ask-menu", "ask-worker-menu", "ask-call-menu"):
                    yield role, value, row.channel
