"""Call audio: which utterances exist as sound, and the expiring links that carriers play a step of a call from.

A step is played as one sound. Its utterances are rendered one by one, so that those which every call says are there
before anybody rings; the gateway puts them together when the carrier fetches them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.render_voice import Utterance
from services import VERSION
from services.calls.playback import TYPES
from services.messaging.outbox import SPEECH, enqueue
from services.settings import Settings
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.database import insert_once
from services.store.keyring import site_keys
from services.store.rows import opened_json
from services.store.sealing import seal_json
from services.store.tables import clip

_LINK_MS = HOUR_MS
_ASK_AGAIN_MS = 5 * MINUTE_MS
_KEPT_MS = 30 * DAY_MS
_LARGEST_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Clips:
    """The sounds of one step, by key, in the order in which they are played."""

    keys: tuple[str, ...]
    ready: bool


def key_of(settings: Settings, language: str, utterance: Utterance, *, pace: str = "normal", call: str = "") -> str:
    """The name of one utterance's audio. What is said in one `call` only has a name of its own."""
    # A release may say the same words better: its clips are made anew.
    parts = (VERSION, settings.call_audio, language, utterance.id, utterance.text(language), pace, call)
    if call:
        # Of a plain hash, a code that is said to one caller could be guessed.
        return site_keys().ring.digest("clip", "\0".join(parts)).hex()
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def ensure(
    tx: Connection,
    settings: Settings,
    language: str,
    utterances: Sequence[Utterance],
    *,
    pace: str = "normal",
    call: str = "",
) -> Clips:
    """The clips of a step, at a pace of "normal" or "slow"; those that are not ready are asked for.

    A private utterance is rendered for its call alone and forgotten with it, unless it is one of the sentences that are
    rendered for everybody beforehand: a verdict without anything personal in it tells nothing of whom it was said to.
    """
    shared = [key_of(settings, language, each, pace=pace) for each in utterances]
    own = [key_of(settings, language, each, pace=pace, call=call if each.private else "") for each in utterances]
    rows = tx.execute(sa.select(clip.c.key, clip.c.state, clip.c.private).where(clip.c.key.in_({*shared, *own}))).all()
    public = {row.key for row in rows if not row.private}
    ready = {row.key for row in rows if row.state == "ready"}
    keys = [key if key in public else mine for key, mine in zip(shared, own, strict=True)]
    for key, utterance in zip(keys, utterances, strict=True):
        if key not in ready:
            _ask_for(tx, key, language, utterance, pace, call)
    return Clips(tuple(keys), ready.issuperset(keys))


def _ask_for(tx: Connection, key: str, language: str, utterance: Utterance, pace: str, call: str) -> None:
    row = {
        "key": key,
        "language": language,
        "message": utterance.id,
        "params": seal_json(clip.c.params, key, utterance.to_json()["params"]),
        "private": utterance.private,
        "pace": pace,
        "call": call if utterance.private else "",
        "state": "wanted",
        "created_at": now_ms(),
    }
    insert_once(tx, clip, row, key=("key",))
    # Asked for again after a while, in case the first request failed for good.
    enqueue(tx, SPEECH, "render_clip", {"key": key}, key=f"clip:{key}:{now_ms() // _ASK_AGAIN_MS}")


def renew(tx: Connection, language: str, *, recorded: str | None = None) -> int:
    """Has the clips of a language made anew, or those in which the message `recorded` of a pack is heard. How many."""
    rows = tx.execute(sa.select(clip).where(clip.c.language == language)).all()
    keys = [row.key for row in rows if recorded is None or _is_heard(recorded, utterance_of(row))]
    if keys:
        tx.execute(clip.update().where(clip.c.key.in_(keys)).values(state="wanted"))
    for key in keys:
        enqueue(tx, SPEECH, "render_clip", {"key": key}, key=f"clip:{key}:new:{now_ms()}")
    return len(keys)


def _is_heard(recorded: str, utterance: Utterance) -> bool:
    if recorded.partition("[")[0] == utterance.id:
        return True
    for value in utterance.params.values():
        if isinstance(value, Utterance):
            found = _is_heard(recorded, value)
        else:
            found = str(value)[:1].isdigit() if recorded.startswith("number-") else value == recorded
        if found:
            return True
    return False


def utterance_of(row: Any) -> Utterance:
    """What a row of `clip` says."""
    params = opened_json(clip.c.params, row) or {}
    return Utterance.from_json({"id": row.message, "params": params, "private": row.private})


def forget(tx: Connection, settings: Settings, directory: Path, *, call: str | None = None) -> None:
    """Deletes what was rendered for one call alone, or for any call whose links have all expired."""
    of_calls = clip.c.private.is_(True)
    which = clip.c.call == call if call is not None else clip.c.created_at < now_ms() - _LINK_MS
    for key in tx.execute(clip.delete().where(of_calls, which).returning(clip.c.key)).scalars().all():
        path_of(settings, directory, key).unlink(missing_ok=True)


def keep_within_bounds(tx: Connection, settings: Settings, directory: Path) -> None:
    """Deletes clips that are a month old, those beyond the bound of the disk, and files that no clip has any more. What
    is still said is rendered again."""
    tx.execute(clip.delete().where(clip.c.created_at < now_ms() - _KEPT_MS))
    kept: set[Path] = set()
    size = 0
    for row in tx.execute(sa.select(clip.c.id, clip.c.key).order_by(clip.c.id.desc())).all():
        path = path_of(settings, directory, row.key)
        size += path.stat().st_size if path.exists() else 0
        if size > _LARGEST_BYTES:
            tx.execute(clip.delete().where(clip.c.id <= row.id))
            break
        kept.add(path)
    for path in set(directory.glob("*")) - kept:
        path.unlink(missing_ok=True)


def path_of(settings: Settings, directory: Path, key: str) -> Path:
    """Where the audio of a key lies."""
    return directory / f"{key}.{settings.call_audio}"


def link(settings: Settings, keys: Sequence[str]) -> str:
    """A URL that plays these clips as one sound, for an hour."""
    name, until = "-".join(keys), now_ms() + _LINK_MS
    ending, _ = TYPES[settings.call_audio]
    return f"{settings.base_url}/audio/{name}.{ending}?until={until}&signature={sign(settings, name, until)}"


def sign(settings: Settings, name: str, until: int) -> str:
    """HMAC-SHA-256 over the name and the time it ends: nobody can ask for audio that no call plays now."""
    secret = settings.audio_secret.get_secret_value().encode()
    return hmac.new(secret, f"{name}|{until}".encode(), hashlib.sha256).hexdigest()


def may_play(settings: Settings, name: str, until: str, signature: str) -> bool:
    """Whether a link is ours and still valid."""
    if not until.isascii() or not until.isdigit() or len(until) > 15 or int(until) < now_ms():
        return False
    return hmac.compare_digest(sign(settings, name, int(until)).encode(), signature.encode())
