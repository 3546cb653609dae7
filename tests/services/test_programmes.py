"""What a programme's folder says of it, and what a folder that says it wrongly gets to hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.caption import read_programme
from services import programmes
from services.programmes import BadProgramme, installed
from services.runtime import Runtime


@pytest.fixture(name="programmes")
def _offered() -> str:
    return "dr,maize"


def test_the_folders_are_found() -> None:
    found = installed()
    assert next(iter(found)) == "dr"
    assert {name: each.photographs for name, each in found.items()} == {"dr": "case", "maize": "question"}
    assert found["dr"].parts == ("left", "right")
    assert programmes.shared() == ("dr",), "a leaf is no patient"


def test_a_site_has_cases_and_questions(site: Runtime) -> None:
    assert [each.name for each in programmes.cases(site.settings)] == ["dr"]
    assert [each.name for each in programmes.questions(site.settings)] == ["maize"]


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("maize", ("maize", "en")),
        ("MAHINDI yangu!", ("maize", "sw")),
        ("it oduma", ("maize", "luo")),
        ("maizes", None),
        ("left eye", None),
        ("", None),
    ],
)
@pytest.mark.usefixtures("site")
def test_a_word_of_a_caption_asks_for_a_programme(caption: str, found: tuple[str, str] | None) -> None:
    assert read_programme(caption) == found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"parts": ["left"]}', "photographs"),
        ('{"photographs": "film"}', "a case or are a question, not 'film'"),
        ('{"photographs": "case"}', "which parts of a case"),
        ('{"photographs": "question", "words": {"en": ["a"]}}', "what is said when nothing was found"),
        ('{"photographs": "question", "says": {"": ["a"]}}', "needs words that begin it"),
        ('{"photographs": "case", "parts": ["left"], "shade": 1}', "shade"),
    ],
)
def test_a_folder_that_describes_no_programme_says_why(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "cassava").mkdir()
    (tmp_path / "cassava" / "programme.json").write_text(content)
    with pytest.raises(BadProgramme, match=reason):
        programmes._in(tmp_path)
