from __future__ import annotations

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from services.channels.gsm7 import normalise, parts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ng’ombe", "Ng'ombe"),
        ("ngʼ ng‘ ng`", "ng' ng' ng'"),
        ("chiŋ Ŋa", "ching' Ng'a"),
        ("10–12 — 3", "10-12 - 3"),
        ("a\u00a0b\tc", "a b c"),
        ("37°", "37 deg"),
        ("wait…", "wait..."),
        ("“eye”", '"eye"'),
        ("e\u0301 é", "é é"),
        ("ā ọ", "a o"),
        ("👁️", "?"),
        ("a\u200b\ufeffb\x1b", "ab"),
        ("line\nbreak €5 [x]", "line\nbreak €5 [x]"),
    ],
)
def test_the_same_words_in_gsm7(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(st.text(max_size=200))
def test_everything_becomes_gsm7_once(text: str) -> None:
    plain = normalise(text)
    assert plain == "" or smsutil.is_valid_gsm(plain)
    assert "\x1b" not in plain
    assert normalise(plain) == plain


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # the extension takes two places
        ("€" * 81, 2),
        ("ŋ" * 70, 1),
        ("ŋ" * 71, 2),
        ("a" * 152 + "€" + "a" * 10, 2),  # an escape pair is never split
    ],
)
def test_what_a_text_costs(text: str, count: int) -> None:
    assert parts(text) == count
