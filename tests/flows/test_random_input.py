"""Whatever people, networks and attackers send: no exception, no text over a limit, no call without an end."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

import pytest
import smsutil
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phones import WORKER, Chat, decide

from flows.caption import read_caption
from flows.chat import chat_turn
from flows.render_ussd import LIMIT, length
from flows.ussd import ussd_turn
from flows.voice import voice_turn
from services.channels.base import Inbound, Kind, UssdTurn, VoiceEvent
from services.runtime import Runtime
from services.screening import cases
from services.screening.people import add_worker, set_language

Clinic = Callable[[str], Runtime]
CODES = ["482918", "482926"]  # of the screenings in `crowd`: random digits would hardly meet them
USUAL = st.sampled_from(
    ["0", "00", "98", "1", "2", "3", "4", "5", "9", "70", "170", "1961", "0722000002", "100009", *CODES]
)
HOSTILE = st.sampled_from(
    ["", "*", "**", "#", " 1 ", "-1", "1e3", "٣", "{code}", "%s", "\0", "'; DROP TABLE screening"]
)
TYPED = st.one_of(USUAL, USUAL, HOSTILE, st.text(st.characters(exclude_categories=["Cs"]), max_size=90))
LANGUAGE = st.sampled_from(["en", "sw", "luo", None])
RANDOM = settings(
    derandomize=True,
    deadline=None,
    max_examples=80,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Crowd:
    """A site with two screenings, and a fresh number for everybody who comes."""

    def __init__(self, site: Runtime) -> None:
        self.site, self._numbers = site, count(1)

    def somebody(self, language: str | None, *, worker: bool) -> str:
        number = f"+2547{next(self._numbers):08}"
        with self.site.db.write() as tx:
            if worker:
                add_worker(tx, msisdn=number, name="Ng'ong'o [A]", language=language)
            elif language:
                set_language(tx, msisdn=number, language=language)
        return number


@pytest.fixture
def crowd(clinic: Clinic) -> Crowd:
    site = clinic("en")
    with site.db.write() as tx:
        opened = [
            cases.open_screening(
                tx,
                worker=WORKER,
                sex="male",
                birth_year=1950,
                phone=None,
                language="en",
                consent_version="test",
                channel="ussd",
            )["code"]
            for _ in CODES
        ]
    assert opened == CODES
    decide(site, CODES[0], "refer")
    return Crowd(site)


@given(
    worker=st.booleans(),
    language=LANGUAGE,
    grows=st.booleans(),
    moves=st.lists(st.one_of(TYPED, st.sampled_from(["<dial>", "<again>", "<older>"])), max_size=16),
)
@RANDOM
def test_ussd(crowd: Crowd, worker: bool, language: str | None, grows: bool, moves: list[str]) -> None:
    number = crowd.somebody(language, worker=worker)
    session, sent, screen = 0, [""], ""
    for move in ["<dial>", *moves]:
        if move == "<dial>":
            session, sent = session + 1, [""]
        elif move == "<again>":
            sent.append(sent[-1])
        elif move == "<older>":
            sent.append(sent[len(sent) // 2])
        else:
            sent.append(f"{sent[-1]}*{move}" if grows and sent[-1] else move)
        turn = UssdTurn(f"S{session}", "*384*77#", number, "63902" if grows else "63903", sent[-1])
        before = screen
        with crowd.site.db.write() as tx:
            screen = ussd_turn(tx, turn, current_only_networks=frozenset({"63903"}))
        assert re.match(r"(CON|END) \S", screen)
        assert smsutil.is_valid_gsm(screen[4:])
        assert length(screen[4:]) <= LIMIT
        if move == "<again>" and grows:
            assert screen == before


@given(
    worker=st.booleans(),
    language=LANGUAGE,
    kind=st.sampled_from([Kind.SMS, Kind.WHATSAPP]),
    moves=st.lists(
        st.tuples(
            st.one_of(TYPED, st.sampled_from(["STOP", "START", "JICHO", "RISK", f"{CODES[1]} L", "left"])),
            st.sampled_from(["", "", "open", "yes", "left", "result", "no such"]),
            st.sampled_from([0, 0, 0, 1, 2]),
        ),
        min_size=1,
        max_size=12,
    ),
)
@RANDOM
def test_chat(crowd: Crowd, worker: bool, language: str | None, kind: Kind, moves: list[tuple[str, str, int]]) -> None:
    number = crowd.somebody(language, worker=worker)
    chat = Chat(crowd.site, kind, number)
    chat.ids = (f"{number}-{each}" for each in count())  # type: ignore[assignment]
    for text, choice, photos in moves:
        if photos:
            replies = [chat.write(text, photos=photos, kind=Kind.MMS if kind is Kind.SMS else kind)]
        else:
            with crowd.site.db.write() as tx:
                replies = chat_turn(tx, Inbound("test", kind, "", number, "", text, choice=choice))
        assert len(replies) <= 1
        for reply in replies:
            assert 0 < len(reply.text) <= 1024
            assert len(reply.buttons) <= 10
            assert all(0 < len(label) <= 24 for _, label in reply.buttons)
            if kind is Kind.SMS:
                assert reply.buttons == ()
                assert smsutil.is_valid_gsm(reply.text)
                assert length(reply.text) <= LIMIT


@given(
    language=LANGUAGE,
    direction=st.sampled_from(["outbound", "inbound"]),
    keys=st.lists(st.one_of(st.none(), TYPED), max_size=25),
)
@RANDOM
def test_voice(crowd: Crowd, language: str | None, direction: str, keys: list[str | None]) -> None:
    number = crowd.somebody(language, worker=False)
    for pressed in [None, *keys]:
        event = VoiceEvent("C1", direction, number, "+254711082000", True, pressed)
        with crowd.site.db.write() as tx:
            step = voice_turn(tx, event, person=number)
        assert step.prompts
        assert all(step.texts)
        assert step.digits in ((0,) if step.ended else (0, 1, 6))


@given(
    press=st.sampled_from([None, "", "0", "1", "2", "9", "12", "100", "100009", *CODES]),
    direction=st.sampled_from(["outbound", "inbound"]),
)
@RANDOM
def test_every_call_ends_whatever_is_pressed_again_and_again(crowd: Crowd, press: str | None, direction: str) -> None:
    number = crowd.somebody("en", worker=False)
    event = VoiceEvent("C1", direction, number, "+254711082000", True, press)
    ended = False
    for _ in range(24):
        with crowd.site.db.write() as tx:
            ended = ended or voice_turn(tx, event, person=number).ended
    assert ended


@given(st.text(max_size=200))
@settings(derandomize=True, deadline=None, database=None)
def test_captions(caption: str) -> None:
    code, eye = read_caption(caption)
    assert code is None or re.fullmatch(r"[1-9][0-9]{5}", code)
    assert eye in (None, "left", "right")
