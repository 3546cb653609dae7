"""Call audio: which sentences exist as sound, and the expiring links that carriers play them from."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services import VERSION
from services.messaging.outbox import SPEECH, enqueue
from services.settings import Settings
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms
from services.store.database import insert_once
from services.store.tables import clip

_LINK_MS = HOUR_MS
_ASK_AGAIN_MS = 5 * MINUTE_MS


def key_of(language: str, text: str) -> str:
    """The name of one sentence's audio."""
    # A release may say the same words better: its clips are made anew.
    return hashlib.sha256(f"{VERSION}\0{language}\0{text}".encode()).hexdigest()[:32]


def ensure(tx: Connection, language: str, sentences: Sequence[tuple[str, bool]]) -> bool:
    """Whether every `(text, private)` sentence is ready to play; those that are not are asked for."""
    ready = True
    for text, private in sentences:
        key = key_of(language, text)
        state = tx.execute(sa.select(clip.c.state).where(clip.c.key == key)).scalar()
        if state == "ready":
            continue
        ready = False
        if state is None:
            row = {"key": key, "language": language, "text": text, "private": private, "state": "wanted"}
            insert_once(tx, clip, row | {"created_at": now_ms()}, key=("key",))
        # Asked for again after a while, in case the first request failed for good.
        enqueue(tx, SPEECH, "render_clip", {"key": key}, key=f"clip:{key}:{now_ms() // _ASK_AGAIN_MS}")
    return ready


def path_of(directory: Path, key: str) -> Path:
    """Where the audio of a key lies."""
    return directory / f"{key}.wav"


def link(settings: Settings, language: str, text: str) -> str:
    """A URL that plays one sentence for an hour."""
    key, until = key_of(language, text), now_ms() + _LINK_MS
    return f"{settings.base_url}/audio/{key}.wav?until={until}&signature={sign(settings, key, until)}"


def sign(settings: Settings, key: str, until: int) -> str:
    """HMAC-SHA-256 over the name and the time it ends: nobody can ask for audio that no call plays now."""
    secret = settings.audio_secret.get_secret_value().encode()
    return hmac.new(secret, f"{key}|{until}".encode(), hashlib.sha256).hexdigest()


def may_play(settings: Settings, key: str, until: str, signature: str) -> bool:
    """Whether a link is ours and still valid."""
    if not until.isascii() or not until.isdigit() or len(until) > 15 or int(until) < now_ms():
        return False
    return hmac.compare_digest(sign(settings, key, int(until)).encode(), signature.encode())
