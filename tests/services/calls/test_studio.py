"""From a printed script to recordings that calls play."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa

from flows import catalogue
from flows.catalogue import messages
from flows.render_voice import Utterance
from services.calls import saying, script
from services.calls.clips import ensure
from services.calls.coverage import coverage
from services.calls.script import Line, line_of
from services.calls.studio import Pack, take, take_folder
from services.runtime import Runtime
from services.speech.recording import Unusable
from services.store.tables import clip

ACHIENG = Pack("luo", "achieng", "Achieng", "agreed on 2026-11-24")


def spoken(text: str, rate: int = 16_000) -> bytes:
    time = np.arange(int((0.4 + len(text) / 13) * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * 200 * time) * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time))
    content = io.BytesIO()
    soundfile.write(content, sound, rate, format="WAV")
    return content.getvalue()


def number_of(lines: list[Line], message: str) -> Line:
    return next(line for line in lines if line.message == message)


@pytest.fixture
def reworded(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Changes of the Dholuo catalogue, made after the script was printed."""
    changes: dict[str, str] = {}

    def changed(language: str) -> dict[str, str]:
        return messages(language) | changes if language == "luo" else messages(language)

    for module in (catalogue, saying, script):
        monkeypatch.setattr(module, "messages", changed)
    return changes


def test_the_script_holds_every_piece_once_and_the_words_of_numbers(site: Runtime) -> None:
    lines = script.script(site.settings, "luo")
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert len({(line.message, line.piece) for line in lines}) == len(lines)
    texts = {line.text for line in lines}
    assert {messages("luo")["goodbye"], messages("luo")["answer-yes"], "apar", "ang'wen", "gachiel"} <= texts
    assert not any("{" in text for text in texts)
    assert len(script.script(site.settings, "luo", everything=True)) > len(lines)


def test_a_number_stays_with_its_words(site: Runtime, reworded: dict[str, str]) -> None:
    before = script.script(site.settings, "luo")
    old = number_of(before, "goodbye")
    reworded["goodbye"] = "Oriti uru."
    after = script.script(site.settings, "luo")
    new = number_of(after, "goodbye")
    assert (new.number, new.text) == (len(before) + 1, "Oriti uru.")
    assert [line for line in after if line != new] == [line for line in before if line != old]
    with pytest.raises(LookupError, match="said differently now"):
        line_of(site.settings, "luo", old.number)
    with pytest.raises(LookupError, match="no number of the script"):
        line_of(site.settings, "luo", 9999)


def test_a_folder_of_recordings_is_taken_and_heard(site: Runtime, tmp_path: Path) -> None:
    lines = script.script(site.settings, "luo")
    line, word = number_of(lines, "goodbye"), number_of(lines, "number-apar")
    with site.db.write() as tx:
        ensure(tx, site.settings, "luo", [Utterance("goodbye"), Utterance("voice-wait")])
        tx.execute(clip.update().values(state="ready"))
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / f"{line.number}.wav").write_bytes(spoken(line.text))
    (folder / f"{word.number:03}.WAV").write_bytes(spoken(word.text))
    (folder / "1.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (folder / "9999.wav").write_bytes(spoken("x"))
    (folder / "goodbye.wav").write_bytes(spoken("x"))
    (folder / "notes.txt").write_text("not a sound")
    taken = list(take_folder(site, ACHIENG, folder))
    assert {each.file for each in taken if not each.problem} == {f"{line.number}.wav", f"{word.number:03}.WAV"}
    problems = {each.file: each.problem for each in taken if each.problem}
    assert problems.keys() == {"1.m4a", "9999.wav", "goodbye.wav"}
    assert "ffmpeg" in problems["1.m4a"]
    assert "no number of the script" in problems["9999.wav"]
    assert "by the number" in problems["goodbye.wav"]

    found = coverage(site.settings, "luo")
    assert found.recorded == sorted([line, word], key=lines.index)
    assert len(found.missing) == len(lines) - 2
    with site.db.read() as tx:
        states = dict(tx.execute(sa.select(clip.c.message, clip.c.state)).all())
    assert states == {"goodbye": "wanted", "voice-wait": "ready"}
    audio = saying.say(site.settings, "luo", [Utterance("goodbye")], lead_s=0)
    assert audio.seconds == pytest.approx(len(line.text) / 13 + 0.4 + 0.25, abs=0.3)
    assert not (site.settings.data_dir / "speech-cache").exists(), "nothing had to be synthesised"


def test_a_stale_recording_is_told_and_not_counted(site: Runtime, reworded: dict[str, str]) -> None:
    line = number_of(script.script(site.settings, "luo"), "goodbye")
    take(site, ACHIENG, line.number, spoken(line.text), "take.wav")
    reworded["goodbye"] = "Oriti uru."
    found = coverage(site.settings, "luo")
    assert [each.text for each in found.stale] == [line.text]
    assert found.recorded == []


def test_a_damaged_recording_is_told(site: Runtime) -> None:
    line = number_of(script.script(site.settings, "luo"), "goodbye")
    take(site, ACHIENG, line.number, spoken(line.text), "take.wav")
    (path,) = (site.settings.voices_dir / "luo" / "achieng").glob("*.wav")
    path.write_bytes(b"RIFF")
    assert [each.message for each in coverage(site.settings, "luo").damaged] == ["goodbye"]


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        (Pack("luo", "../sw", "Achieng", "yes"), "cannot be the name of a pack"),
        (Pack("luo", "", "Achieng", "yes"), "cannot be the name of a pack"),
        (Pack("luo", "achieng", " ", "yes"), "say who speaks"),
        (Pack("luo", "achieng", "Achieng", ""), "say what the speaker agreed to"),
    ],
)
def test_nothing_is_kept_without_speaker_and_consent(site: Runtime, pack: Pack, reason: str) -> None:
    script.script(site.settings, "luo")
    with pytest.raises(Unusable, match=reason):
        take(site, pack, 1, spoken("x"), "1.wav")


def test_a_number_is_checked_against_its_words_not_its_digits(site: Runtime) -> None:
    line = next(line for line in script.script(site.settings, "en") if " 12 " in line.text)
    take(site, Pack("en", "achieng", "Achieng", "yes"), line.number, spoken(line.text), "take.wav")
