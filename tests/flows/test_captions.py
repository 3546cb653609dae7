"""What health workers write under photographs."""

from __future__ import annotations

import pytest

from flows.caption import read_caption


@pytest.mark.parametrize(
    ("caption", "code", "eye"),
    [
        ("482918 left", "482918", "left"),
        ("482918 L", "482918", "left"),
        ("482918R", "482918", "right"),
        ("R482918", "482918", "right"),
        ("OS 482918", "482918", "left"),
        ("od: 482918", "482918", "right"),
        ("LE 482918", "482918", "left"),
        ("482 918 right eye", "482918", "right"),
        ("482-918, Left", "482918", "left"),
        ("482.918/R", "482918", "right"),
        ("jicho la kushoto 482918", "482918", "left"),
        ("JICHO LA KULIA\n482918", "482918", "right"),
        ("wang' koracham 482918", "482918", "left"),
        ("wang' korachwich 482918", "482918", "right"),
        ("482918", "482918", None),
        ("left", None, "left"),
        ("", None, None),
        ("482917 left", None, "left"),
        ("482918 482918 left", "482918", "left"),
        ("482918 482926 left", None, "left"),
        ("482918 born 1961, 0722000002, left", "482918", "left"),
        ("0722482918 left", None, "left"),
        ("left or right? 482918", "482918", None),
        ("leftover 482918", "482918", None),
        ("٤٨٢٩١٨ left", None, "left"),
        ("👁️ 482918 ⬅️", "482918", None),
    ],
)
def test_captions(caption: str, code: str | None, eye: str | None) -> None:
    assert read_caption(caption) == (code, eye)
