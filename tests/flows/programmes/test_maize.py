"""Golden transcripts of the maize programme, on every channel and in three languages.

`pytest tests/flows --regenerate` writes them anew; the diff is then for a person to read.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from scenes import Stage
from scenes.stage import CHANNELS, SMS, USSD, VOICE, WHATSAPP, Clock, Phone, fixed, reached

from flows.catalogue import LANGUAGES
from services.channels.base import Kind
from services.runtime import Runtime

Clinic = Callable[[str], Runtime]
GOLDEN = Path(__file__).with_name("golden")
STRANGER = "+254733000003"


def send(phone: Phone, caption: str = "") -> Phone:
    """By WhatsApp, or by MMS, which is answered by SMS."""
    return phone.write(caption, photos=1, kind=Kind.MMS if phone.kind is SMS else phone.kind)


def described(stage: Stage) -> None:
    with stage.told_by_message("(told)"):
        stage.patient().choose("maize").answer("1", "1", "2", "1")


def eaten(stage: Stage) -> None:
    with stage.told_by_message("(told)"):
        stage.patient().choose("maize").answer("1", "2", "2")


def nothing_seen(stage: Stage) -> None:
    stage.patient().choose("maize").answer("1", "4", "2")


def about(stage: Stage) -> None:
    stage.patient().choose("maize").answer("3")


def how_to_photograph(stage: Stage) -> None:
    with stage.told_by_message("(told)"):
        stage.patient().choose("maize").answer("2")


def rings_twice(stage: Stage) -> None:
    with stage.told_by_message("(told)"):
        for _ in range(2):
            stage.patient().choose("maize").answer("1", "3", "1")


def helped(stage: Stage) -> None:
    stage.patient().choose("help").answer("1")


def by_its_word(stage: Stage) -> None:
    stage.somebody(STRANGER, "farmer").write("Mahindi!").answer("1", "1", "3", "2")


def word_goes_on(stage: Stage) -> None:
    """What a word began goes on on another channel."""
    stage.patient(SMS).write("maize").answer("1")
    stage.patient().begin().answer("1", "1", "1", "2")


def photograph_with_its_word(stage: Stage) -> None:
    send(stage.somebody(STRANGER, "farmer"), "oduma")
    send(stage.worker(), "MAIZE leaf")


def photograph_without_a_word(stage: Stage) -> None:
    send(stage.patient()).answer("2")
    send(stage.patient()).answer("1")


def photograph_that_was_announced(stage: Stage) -> None:
    send(stage.patient().choose("maize").answer("2"))


def photograph_with_a_code_and_a_word(stage: Stage) -> None:
    send(stage.worker(), f"maize {stage.open_one()} L")


SCENES = {
    f"{play.__name__}_by_{kind}": (play, kind)
    for play, kinds in (
        *((play, CHANNELS) for play in (described, eaten, nothing_seen, about, how_to_photograph, rings_twice, helped)),
        (word_goes_on, (USSD, VOICE)),
        *((play, (SMS, WHATSAPP)) for play in (by_its_word, photograph_with_its_word, photograph_without_a_word)),
        (photograph_that_was_announced, (WHATSAPP,)),
        (photograph_with_a_code_and_a_word, (WHATSAPP,)),
    )
    for kind in kinds
}
SHOWN = {"described": ("patient", "maize"), "photograph_with_its_word": ("worker", "photograph-asked")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCENES)
def test_transcript(
    clinic: Clinic, name: str, language: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    (play, kind), clock = SCENES[name], Clock()
    monkeypatch.setattr("services.store.clock.time", fixed(clock))
    stage = Stage(clinic(language), language, kind, clock)
    play(stage)
    path = GOLDEN / f"{name}.{language}.txt"
    if pytestconfig.getoption("--regenerate"):
        path.write_text("\n".join(stage.lines))
    assert "\n".join(stage.lines) == path.read_text()
    if play.__name__ in SHOWN:
        assert (*SHOWN[play.__name__], kind) in set(reached(stage.site)), "it shows what it says it shows"


def test_no_transcript_is_of_a_scene_that_is_gone() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}.{each}.txt" for name, each in product(SCENES, LANGUAGES)
    }
