"""Every text that the pages ask for is there, and every one that is there is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services import pages
from services.hub import opinions
from services.hub.alerts import _SHORTAGES
from services.hub.monitoring import RATES
from services.hub.words import age, catalogue, percent, span, words
from services.screening import opinions as rules
from services.screening.decision import GRADES
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms

HERE = Path(opinions.__file__).parent
SHARED = Path(pages.__file__).parent
FILES = [
    Path(rules.__file__),
    *SHARED.glob("*.py"),
    *HERE.glob("*.py"),
    *(HERE / "pages").glob("*.py"),
    *(HERE / "pages/templates").glob("*.html"),
]
COMPOSED = {
    "grade-": [*map(str, GRADES), "ungradable", "oedema", "of"],
    "alert-": [*RATES, *(f"{name}-unlike" for name in RATES), *_SHORTAGES, "not-seen", "clock", "backlog", "since"],
    "detail-": [*_SHORTAGES, "not-seen", "clock-ahead", "clock-behind", "backlog", "limits"],
    "plot-": [*RATES, "empty", "point"],
    "why-": ["referable", "doubtful", "ungradable", "other", "drawn"],
    "outcome-": ["refer", "rescreen", "retake"],
    "reading-": ["refer", "rescreen", "retake", "doubtful"],
    "choose-": ["agree", "refer", "rescreen", "retake"],
    "verdict-": ["reviewed", "agreed", "settled", "disputed", "legend", "goes"],
    "told-": ["called", "worker", "unchanged", "attended", "stale"],
    "site-": ["ok", "late", "never", "revoked"],
    "sex-": ["female", "male", "unknown"],
    "eye-": ["left", "right"],
}


def test_texts_and_pages_fit() -> None:
    source = "\n".join(file.read_text() for file in FILES)
    asked = set(re.findall(r"""(?:\bt|words)\(\s*["']([a-z0-9-]+)["']\s*[,)]""", source))
    asked |= {prefix + rest for prefix, ends in COMPOSED.items() for rest in ends}
    quoted = {each for each in catalogue() if f'"{each}"' in source or f"'{each}'" in source}
    assert asked - set(catalogue()) == set()
    assert set(catalogue()) - asked - quoted == set()


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "less than a minute"),
        (MINUTE_MS, "1 minute"),
        (59 * MINUTE_MS, "59 minutes"),
        (HOUR_MS, "1 hour"),
        (47 * HOUR_MS, "1 day"),
        (3 * DAY_MS, "3 days"),
        (-2 * HOUR_MS, "2 hours"),
        (None, "–"),
    ],
)
def test_spans_in_words(milliseconds: int | None, expected: str) -> None:
    assert span(milliseconds) == expected


def test_other_words() -> None:
    assert age(None) == "never"
    assert age(now_ms() - 3 * DAY_MS) == "3 days ago"
    assert percent(0.1234) == "12.3 %"
    assert words("queue-waiting", n=1) == "1 screening waits for a reviewer."
