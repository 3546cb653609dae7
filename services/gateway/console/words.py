"""What the console's pages say, in three languages. Those that no native speaker has reviewed are drafts."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from flask import g, request

from flows.catalogue import LANGUAGES
from services import runtime
from services.pages import words as shared
from services.pages.words import Words

LOCALE = Path(__file__).with_name("locale")
WORDS = {language: Words(LOCALE / f"{language}.po") for language in LANGUAGES}
DRAFTS = frozenset(LANGUAGES) - {"en"}
COOKIE = "jicho-language"


def language() -> str:
    """That of whoever is signed in, else the one chosen in this browser, else what the browser asks for."""
    account = g.get("account")
    chosen: str | None = (account.language if account else None) or request.cookies.get(COOKIE)
    if chosen in WORDS:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or runtime.current().settings.language


def words(message_id: str, **params: object) -> str:
    """One text. Raises KeyError for an id that is none, or a missing parameter."""
    return WORDS[language()].text(message_id, **params)


def age(at_ms: int | None) -> str:
    """How long ago, in words."""
    return WORDS[language()].age(at_ms)


def span(milliseconds: int | None) -> str:
    """So long, in words."""
    return WORDS[language()].span(milliseconds)


def when(at_ms: int | None) -> str:
    """The time at the clinic, to the minute."""
    return shared.when(at_ms, ZoneInfo(runtime.current().settings.timezone))
