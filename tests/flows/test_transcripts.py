"""Golden transcripts: every flow, on every channel that it is offered on, in three languages.

`pytest tests/flows --regenerate` writes them anew; the diff is then for a person to read. The scenes are in
`tests/support/scenes`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from scenes import SCENES, Stage
from scenes.stage import CHANNELS, SMS, VOICE, WHATSAPP, Clock, fixed, reached

from flows.catalogue import LANGUAGES
from flows.programmes import anyone_menu, calling_menu, worker_menu
from flows.sessions import EVERYWHERE, FLOWS
from services.channels.base import Kind
from services.runtime import Runtime

Clinic = Callable[[str], Runtime]
GOLDEN = Path(__file__).with_name("golden")
# Flows that go on nowhere else, and where they begin: by a word, by a message of ours, in a call.
ONLY_ON: dict[str, tuple[Kind, ...]] = {
    "withdraw": (SMS, WHATSAPP),
    "visit": (SMS, VOICE),
    "attended": (SMS, VOICE),
    "invited": (SMS, VOICE),
    "result": (VOICE,),
    "risk-answer": (VOICE,),
    "person": (VOICE,),
}
# What begins at photographs without a case: the programmes that have such show it in `tests/flows/programmes`.
OF_QUESTIONS = ("programme", "photograph-asked")


def offered() -> set[tuple[str, str, Kind]]:
    """`(role, flow or entry of a menu, channel)`. A menu's entries go on everywhere, so that they are offered there."""
    found = {("worker", key, kind) for key, kind in product(worker_menu(), CHANNELS)}
    found |= {("patient", key, kind) for key, kind in product(anyone_menu(), CHANNELS)}
    found |= {("patient", key, VOICE) for key in calling_menu()}
    for flow in FLOWS.keys() - {"menu", *OF_QUESTIONS}:
        role = "worker" if flow == "photograph" else "patient"
        found |= {(role, flow, kind) for kind in (CHANNELS if flow in EVERYWHERE else ONLY_ON[flow])}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCENES)
def test_transcript(
    clinic: Clinic, name: str, language: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, clock = SCENES[name], Clock()
    monkeypatch.setattr("services.store.clock.time", fixed(clock))
    stage = Stage(clinic(language), language, scene.kind, clock)
    scene.play(stage)
    path = GOLDEN / f"{name}.{language}.txt"
    if pytestconfig.getoption("--regenerate"):
        path.write_text("\n".join(stage.lines))
    assert "\n".join(stage.lines) == path.read_text()
    if scene.flow:
        assert (scene.role, scene.flow, scene.kind) in set(reached(stage.site)), "it shows what it says it shows"


@pytest.mark.usefixtures("site")
def test_every_flow_has_a_transcript_on_every_channel_that_it_is_offered_on() -> None:
    shown = {(scene.role, scene.flow, scene.kind) for scene in SCENES.values()}
    assert offered() - shown == set()


def test_no_transcript_is_of_a_scene_that_is_gone() -> None:
    expected = {f"{name}.{language}.txt" for name, language in product(SCENES, LANGUAGES)}
    assert {path.name for path in GOLDEN.iterdir()} == expected
