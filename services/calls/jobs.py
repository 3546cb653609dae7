"""The speech worker's jobs: sentences become audio, and a call is placed when all it needs can be played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.calls.clips import ensure, path_of
from services.calls.script import sentences_of
from services.durable import write_durably
from services.messaging.outbox import deliver
from services.runtime import Runtime
from services.speech.say import Piece, speak
from services.store.tables import clip, message, screening


def render_clip(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Synthesises the sentence `argument["key"]`. Raises SpeechError."""
    with site.db.read() as tx:
        row = tx.execute(sa.select(clip).where(clip.c.key == argument["key"])).first()
    if row is not None and row.state != "ready":
        _render(site, row)


def prepare_call(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Synthesises what the call `argument["message_id"]` will say, then asks for it to be placed."""
    message_id = int(argument["message_id"])
    with site.db.write() as tx:
        sentences = _sentences(tx, site, message_id)
        ensure(tx, sentences[0], sentences[1])
        keys = _missing(tx)
    for row in keys:
        _render(site, row)
    with site.db.write() as tx:
        deliver(tx, message_id)


def _render(site: Runtime, row: Any) -> None:
    cache = None if row.private else site.settings.data_dir / "speech-cache"
    audio = speak(row.language, [Piece(row.text, private=row.private)], cache_dir=cache)
    write_durably(path_of(site.clips_dir, row.key), audio.wav())
    with site.db.write() as tx:
        tx.execute(clip.update().where(clip.c.key == row.key).values(state="ready"))
