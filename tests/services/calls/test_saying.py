"""Messages cut around their parameters: recorded pieces, and what is left to the synthetic voice."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from flows import catalogue
from flows.catalogue import Counted
from flows.render_voice import Utterance, press
from services.calls.notes import voice_note
from services.calls.saying import Part, pieces, recordable
from services.runtime import Runtime
from services.speech.timing import BREATH_S, JOINT_S, PAUSE_S

SENTENCES = {
    "whole": "Thank you. Goodbye.",
    "refer": "Please go to {place} soon. This is a screening.",
    "place-clinic": "the eye clinic",
    "points": "{points} of {most} points.",
    "voice-press": "{choice}: press {key}.",
    "yes": "Yes",
    "code": "Your code is {code}.",
    "months": Counted.of(("In {count} month.", "In {count} months, not before."), "count", lambda n: int(n != 1)),
}


@pytest.fixture(autouse=True)
def _small_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (catalogue, __import__("services.calls.saying", fromlist=["messages"])):
        monkeypatch.setattr(module, "messages", lambda _language: SENTENCES)


def said(utterance: Utterance, *recorded: str) -> list[tuple[str, bool, float]]:
    """Text, whether recorded, and the pause, of each piece, where the words of some messages are recorded."""
    heard = {(message, int(piece)): words for message, piece, words in (each.split("/") for each in recorded)}

    def find(message: str, piece: int, text: str) -> np.ndarray | None:
        return np.ones(8, np.int16) if heard.get((message, piece)) == text else None

    return [(each.text, each.recording is not None, each.pause_s) for each in pieces("en", utterance, find)]


REFER = Utterance("refer", {"place": "place-clinic"})


@pytest.mark.parametrize(
    ("utterance", "recorded", "expected"),
    [
        (Utterance("whole"), (), [("Thank you. Goodbye.", False, PAUSE_S)]),
        (Utterance("whole"), ("whole/1/Thank you. Goodbye.",), [("Thank you. Goodbye.", True, PAUSE_S)]),
        # Stale: the words have changed since.
        (Utterance("whole"), ("whole/1/Thanks. Goodbye.",), [("Thank you. Goodbye.", False, PAUSE_S)]),
        (REFER, (), [("Please go to the eye clinic soon. This is a screening.", False, PAUSE_S)]),
        (
            REFER,
            ("refer/1/Please go to",),
            [("Please go to ", True, JOINT_S), ("the eye clinic soon. This is a screening.", False, PAUSE_S)],
        ),
        (
            REFER,
            ("refer/1/Please go to", "refer/2/soon. This is a screening.", "place-clinic/1/the eye clinic"),
            [
                ("Please go to ", True, JOINT_S),
                ("the eye clinic", True, JOINT_S),
                ("soon. This is a screening.", True, PAUSE_S),
            ],
        ),
        (
            Utterance("points", {"points": 14, "most": 26}),
            ("number-fourteen/1/fourteen", "points/1/of"),
            [("fourteen", True, JOINT_S), ("of ", True, JOINT_S), ("26 points.", False, PAUSE_S)],
        ),
        # A number is recorded in all its words, or not at all.
        (
            Utterance("points", {"points": 21, "most": 26}),
            ("number-one/1/one",),
            [("21 of 26 points.", False, PAUSE_S)],
        ),
        (
            press("yes", 1),
            ("yes/1/Yes", "voice-press/1/: press", "number-one/1/one"),
            [("Yes", True, JOINT_S), ("press ", True, JOINT_S), ("one.", True, PAUSE_S)],
        ),
        (
            Utterance("code", {"code": "482913"}),
            tuple(f"number-{word}/1/{word}" for word in ("four", "eight", "two", "nine", "one", "three")),
            [
                ("Your code is ", False, JOINT_S),
                ("four", True, JOINT_S),
                ("eight", True, JOINT_S),
                ("two,", True, BREATH_S),
                ("nine", True, JOINT_S),
                ("one", True, JOINT_S),
                ("three.", True, PAUSE_S),
            ],
        ),
        (Utterance("months", {"count": 1}), (), [("In 1 month.", False, PAUSE_S)]),
        (
            Utterance("months", {"count": 6}),
            ("months[1]/2/months, not before.", "months[0]/1/In"),
            [("In 6", False, JOINT_S), ("months, not before.", True, PAUSE_S)],
        ),
        (
            Utterance("refer", {"place": "Siaya, Yala"}),
            (),
            [("Please go to Siaya, Yala soon. This is a screening.", False, PAUSE_S)],
        ),
    ],
)
def test_a_recording_wins_piece_by_piece(
    utterance: Utterance, recorded: tuple[str, ...], expected: list[tuple[str, bool, float]]
) -> None:
    assert said(utterance, *recorded) == expected


def test_what_is_private_stays_private_in_every_piece() -> None:
    utterance = Utterance("refer", {"place": "Siaya"}, private=True)
    assert [piece.private for piece in pieces("en", utterance, lambda *_: None)] == [True]


def test_what_can_be_recorded_lies_between_the_parameters() -> None:
    assert recordable("en", "refer") == [
        Part("Please go to", "refer", 1),
        Part("soon. This is a screening.", "refer", 2),
    ]
    assert recordable("en", "months") == [
        Part("In", "months[0]", 1),
        Part("month.", "months[0]", 2),
        Part("In", "months[1]", 1),
        Part("months, not before.", "months[1]", 2),
    ]


def test_a_voice_note_is_ogg_opus_and_private_in_it_stays_nowhere(site: Runtime) -> None:
    note = voice_note(site, "en", [Utterance("refer", {"place": "Siaya"}, private=True)])
    assert note[:4] == b"OggS"
    assert b"OpusHead" in note[:64]
    sound, rate = soundfile.read(io.BytesIO(note))
    assert 2 < len(sound) / rate < 8
    assert np.abs(sound[: rate // 2]).max() > 0.05, "no call's silence in front"
    assert not list((site.settings.data_dir / "speech-cache").rglob("*.pcm"))
