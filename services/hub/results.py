"""Results as sites send them, one row for each screening of a site. What comes twice, late or in another order leaves
the same rows: the event with the higher number wins, and a withdrawal wins for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from services.hub.tables import eye, model, result
from services.store.clock import now_ms
from services.sync.batch import BatchError, Event

OnWithdrawn = Callable[[Connection, int, Sequence[int]], None]

ON_WITHDRAWN: dict[str, str] = {
    "photographs": "services.hub.photographs:erase_withdrawn",
    "reviews": "services.hub.reviewing:forget",
}
"""What else is deleted with a result: a name, and "module:function" of a `function(tx, site_id, result_ids)`."""

_CONTENT = ("programme", "sex", "birth_year", "priority", "outcome", "opened_at", "decided_at")
_OF_RESULT = ("seq", *_CONTENT, "patient_key", "worker_ref", "received_at")
_OF_VISIT = ("visit_seq", "visit", "visit_reason", "visit_told_by", "visit_answered_at")
_MODEL = ("tier", "name", "version", "sha256", "threshold", "doubt", "oedema_threshold")


class _Visit(msgspec.Struct):
    """Did a referred patient go? `answer` is "yes", "not-yet" or "cannot", said `by` a "patient" or a "worker"."""

    answer: str
    by: str
    answered_at: int
    reason: str | None = None


def store_results(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Keeps the newest result of each screening with its readings."""
    newest = _newest(events)
    models = _model_ids(tx, [reading["model"] for event in newest for reading in event.content["readings"]])
    now = now_ms()
    rows = [
        {
            "site_id": site_id,
            "screening_ref": event.ref,
            "seq": event.seq,
            "patient_key": event.patient,
            "worker_ref": event.content["worker"],
            "received_at": now,
            **{name: event.content[name] for name in _CONTENT},
        }
        for event in newest
    ]
    kept = _merge(tx, rows, _OF_RESULT, lambda new: result.c.seq < new.seq)
    tx.execute(eye.delete().where(eye.c.result_id.in_(list(kept.values()))))
    eyes = [
        {
            "result_id": kept[event.ref],
            "position": position,
            "quality_score": reading["quality"],
            "oedema_probability": reading["oedema"],
            "model_id": models[_fingerprint(reading["model"])],
            **{name: reading[name] for name in ("eye", "outcome", "gradable", "probability")},
        }
        for event in newest
        if event.ref in kept
        for position, reading in enumerate(event.content["readings"])
    ]
    if eyes:
        # With RETURNING, many rows go in one statement instead of one each.
        tx.execute(eye.insert().returning(eye.c.id), eyes)


def delete_withdrawn(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Deletes all that is known of screenings whose consent was taken back. An empty row stays, so that an older batch
    that comes again does not bring them back."""
    nothing = dict.fromkeys((*_CONTENT, "patient_key", "worker_ref", *_OF_VISIT)) | {"visit_seq": 0}
    rows = [
        {"site_id": site_id, "screening_ref": event.ref, "seq": event.seq, "withdrawn": True, "received_at": now_ms()}
        | nothing
        for event in _newest(events)
    ]
    columns = ("seq", "withdrawn", "received_at", *nothing)
    ids = list(_merge(tx, rows, columns, lambda _new: sa.true()).values())
    tx.execute(eye.delete().where(eye.c.result_id.in_(ids)))
    for target in ON_WITHDRAWN.values():
        module, name = target.split(":")
        function: OnWithdrawn = getattr(import_module(module), name)
        function(tx, site_id, ids)


def store_visits(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Notes whether referred patients went. Raises BatchError for an event that does not say so."""
    rows = []
    for event in _newest(events):
        try:
            said = msgspec.convert(event.content, _Visit)
        except msgspec.ValidationError as error:
            raise BatchError(f"not a visit: {error}") from None
        rows.append(
            {
                "site_id": site_id,
                "screening_ref": event.ref,
                "visit_seq": event.seq,
                "visit": said.answer,
                "visit_reason": said.reason,
                "visit_told_by": said.by,
                "visit_answered_at": said.answered_at,
                "received_at": now_ms(),
            }
        )
    _merge(tx, rows, _OF_VISIT, lambda new: result.c.visit_seq < new.visit_seq)


def _merge(
    tx: Connection, rows: list[dict[str, Any]], columns: Iterable[str], newer: Callable[[Any], Any]
) -> dict[int | None, int]:
    """Writes rows where they are `newer` than what is there, and nothing over what was withdrawn. The ids of those
    written, by their screening."""
    if not rows:
        return {}
    insert: Any = sqlite.insert(result) if tx.dialect.name == "sqlite" else postgresql.insert(result)
    statement = insert.on_conflict_do_update(
        index_elements=["site_id", "screening_ref"],
        set_={name: insert.excluded[name] for name in columns},
        where=sa.and_(~result.c.withdrawn, newer(insert.excluded)),
    ).returning(result.c.screening_ref, result.c.id)
    return {row.screening_ref: row.id for row in tx.execute(statement, rows)}


def _newest(events: Sequence[Event]) -> list[Event]:
    """Of each screening the newest event, by number of the screening: rows are locked in one order. Raises BatchError
    for an event without one."""
    found: dict[int, Event] = {}
    for event in sorted(events, key=lambda event: event.seq):
        if not event.ref:
            raise BatchError(f"a {event.kind} that says of no screening")
        found[event.ref] = event
    return [found[ref] for ref in sorted(found)]


def _model_ids(tx: Connection, models: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    wanted = {_fingerprint(each): each for each in models}
    query = sa.select(model.c.fingerprint, model.c.id).where(model.c.fingerprint.in_(list(wanted)))
    found = {row.fingerprint: row.id for row in tx.execute(query)}
    missing = sorted(set(wanted) - set(found))
    if missing:
        insert: Any = sqlite.insert(model) if tx.dialect.name == "sqlite" else postgresql.insert(model)
        rows = [{"fingerprint": each} | {name: wanted[each][name] for name in _MODEL} for each in missing]
        tx.execute(insert.on_conflict_do_nothing(index_elements=["fingerprint"]), rows)
        found = {row.fingerprint: row.id for row in tx.execute(query)}
    return found


def _fingerprint(each: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr([each[name] for name in _MODEL]).encode()).hexdigest()[:32]
