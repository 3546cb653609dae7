"""Every text that the console's pages ask for is there in three languages, with the same parameters, drafts marked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.catalogue import LANGUAGES, Counted
from services import pages
from services.channels.base import DeliveryState
from services.gateway.console import access
from services.gateway.console.words import LOCALE, WORDS
from services.people import accounts
from services.people.roles import ROLES
from services.screening import judging
from services.screening.board import VIEWS
from services.screening.decision import GRADES
from services.site.strain import SHORTAGES

HERE = Path(access.__file__).parent
SHARED = [Path(pages.__file__).parent, Path(accounts.__file__).parent]
FILES = [
    *(file for folder in SHARED for file in folder.glob("*.py")),
    *HERE.glob("*.py"),
    *(HERE / "templates").rglob("*.html"),
    Path(judging.__file__),
    Path(judging.__file__).with_name("opinions.py"),
]
COMPOSED = {
    "queue-": [*VIEWS, "title", "views", "empty", "reading", "reviewed", "opened", "photographs"],
    "outcome-": ["open", "refer", "rescreen", "retake"],
    "reading-": ["refer", "rescreen", "retake", "doubtful"],
    "choose-": ["refer", "rescreen", "retake", "same"],
    "grade-": [*map(str, GRADES), "ungradable", "oedema", "of"],
    "told-": ["called", "worker", "unchanged", "attended", "stale"],
    "delivery-": [state.value for state in DeliveryState],
    "referral-": ["open", "reminded", "unreached", "attended", "not attended", "closed", "withdrawn"],
    "role-": [*ROLES, *(f"about-{role}" for role in ROLES)],
    "short-": SHORTAGES,
    "sex-": ["female", "male", "unknown"],
    "eye-": ["left", "right"],
    "photo-": ["reading", "refused", "none", "of"],
    "facility-": ["name", "town", "phone", "services", "days", "latitude", "longitude", "ours"],
}
PARAMETER = re.compile(r"{(\w+)}")


def test_texts_and_pages_fit() -> None:
    source = "\n".join(file.read_text() for file in FILES)
    english = set(WORDS["en"].catalogue)
    asked = set(re.findall(r"""(?:\bt|words|text)\(\s*["']([a-z0-9-]+)["']\s*[,)]""", source)) - set(LANGUAGES)
    asked |= {prefix + rest for prefix, ends in COMPOSED.items() for rest in ends}
    quoted = {each for each in english if f'"{each}"' in source or f"'{each}'" in source}
    assert asked - english == set()
    assert english - asked - quoted == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    english, other = WORDS["en"].catalogue, WORDS[language].catalogue
    assert other.keys() == english.keys()
    for message_id, sentence in english.items():
        assert set(PARAMETER.findall(other[message_id])) == set(PARAMETER.findall(sentence)), message_id
        assert isinstance(other[message_id], Counted) == isinstance(sentence, Counted), message_id
        assert other[message_id].strip(), message_id


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_what_nobody_reviewed_is_marked(language: str) -> None:
    blocks = (LOCALE / f"{language}.po").read_text().split("\n\n")[1:]
    english = WORDS["en"].catalogue
    for block in blocks:
        said = re.search(r"^#\. en: (.*)$", block, re.MULTILINE)
        name = re.search(r'^msgid "(.*)"$', block, re.MULTILINE)
        assert said is not None, block
        assert name is not None
        assert re.search(r"^# review: (draft|same|\d{4}-\d\d-\d\d .+)$", block, re.MULTILINE), block
        assert said[1] == english[name[1]], f"stale: {name[1]}"
