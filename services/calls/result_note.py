"""The job that speaks a result into a voice note, for whoever gave its code on WhatsApp and asked for one; or an answer
that is nobody's secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.render_voice import Utterance
from flows.result import verdict_of
from services.calls.notes import voice_note
from services.messaging.outbox import deliver
from services.runtime import Runtime
from services.screening.cases import told
from services.store.clock import HOUR_MS, now_ms
from services.store.files import write_sealed
from services.store.keyring import site_keys
from services.store.tables import message, screening


def prepare_note(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Speaks the result for the message `argument["message_id"]`, or the sentences of `argument["messages"]`, then asks
    for it to be sent. Raises SpeechError.

    The note is on disk between this job and its sending only.
    """
    message_id = int(argument["message_id"])
    with site.db.read() as tx:
        row = tx.execute(
            sa.select(screening, message.c.language.label("spoken"))
            .select_from(message)
            .outerjoin(screening, message.c.screening_id == screening.c.id)
            .where(message.c.id == message_id, message.c.state == "pending")
        ).first()
        if row is None or row.state == "withdrawn":
            return
        said = (
            [Utterance(each) for each in argument["messages"]]
            if "messages" in argument
            else [Utterance(tell.id, tell.params, private=True) for tell in verdict_of(told(tx, row))]
        )
    path = site.note_path(message_id)
    write_sealed(path, voice_note(site, row.spoken, said), site_keys())
    _sweep(path.parent)
    with site.db.write() as tx:
        deliver(tx, message_id)


def _sweep(directory: Path) -> None:
    """Deletes notes that were never sent: each was useful for an hour."""
    for path in directory.iterdir():
        if path.stat().st_mtime * 1000 < now_ms() - 2 * HOUR_MS:
            path.unlink(missing_ok=True)
