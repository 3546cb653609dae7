"""How speech is scored, without the recogniser: distances, sentences, and the speaker that it is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voices.lab.intelligibility import figures, recordings, score, sentences
from voices.lab.recogniser import character_error, edits
from voices.lab.speakers import Wave, formant, telephoned


@pytest.mark.parametrize(
    ("one", "other", "count"), [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("macho", "moto", 3), ("sita", "tisa", 2)]
)
def test_edits(one: str, other: str, count: int) -> None:
    assert edits(one, other) == edits(other, one) == count


@pytest.mark.parametrize(
    ("said", "heard", "error"),
    [
        ("Habari ng'ombe.", "habari, Ng’ombe", 0),
        ("Miezi kumi na miwili.", "miezi 12", 0),
        ("macho", "mato", 2 / 5),
        ("maji", "", 1),
    ],
)
def test_a_character_error_ignores_case_punctuation_and_how_numbers_are_written(
    said: str, heard: str, error: float
) -> None:
    assert character_error("sw", said, heard) == pytest.approx(error)


def test_no_sentence_is_reported_on_that_was_chosen_on() -> None:
    sets = [set(sentences(kind)) for kind in ("choose", "confirm", "report")]
    assert min(map(len, sets)) >= 20
    assert len(set.union(*sets)) == sum(map(len, sets))
    assert all("{" not in sentence for sentence in sentences("results"))


def test_a_sentence_said_several_times_counts_once_and_a_loop_as_one_lost_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = {0: "macho", 1: "mato", 2: "macho " * 20}  # by the length of the sound

    def hear(_models: Path, _language: str, wave: Wave) -> str:
        return heard[len(wave[0])]

    monkeypatch.setattr("voices.lab.intelligibility.hear", hear)
    monkeypatch.setattr("voices.lab.intelligibility.telephoned", lambda wave: wave)
    waves = [(np.zeros(length, np.float32), 8_000) for length in range(3)]
    errors = score(Path(), [("Macho.", waves), ("macho", waves[:1])], show=False)
    assert errors["clean"] == errors["mulaw_8khz"] == [pytest.approx((0 + 2 / 5 + 1) / 3), 0]
    found = figures(errors)
    assert (found["sentences"], found["clean_median"], found["clean_mean"]) == (2, 0.233, 0.233)


def test_a_recording_is_read_with_what_was_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.full((1600, 2), 0.25, np.float32), 16_000)
    (tmp_path / "transcripts.tsv").write_text("one.wav\tHabari.\n")
    ((said, (samples, rate)),) = recordings(tmp_path)
    assert (said, rate, samples.shape) == ("Habari.", 16_000, (1600,))


def test_espeak_speaks_each_text_and_says_so_where_it_cannot() -> None:
    short, long = formant("sw", ["Habari.", "Habari ya asubuhi, daktari wa macho."])
    assert len(long[0]) > 2 * len(short[0]) > 2 * 0.3 * short[1]
    assert np.abs(short[0]).max() > 0.1
    narrow, rate = telephoned(short)
    assert rate == 8_000
    assert len(narrow) / rate == pytest.approx(len(short[0]) / short[1], abs=0.01)
    with pytest.raises(RuntimeError, match="cannot speak"):
        formant("no-such-language", [])
