"""The speech worker's jobs: utterances become audio, and a call is placed when all it needs can be played."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from flows.catalogue import LANGUAGES
from flows.render_voice import Utterance
from services import runtime
from services.calls.clips import ensure, forget, keep_within_bounds, path_of, utterance_of
from services.calls.repertoire import about_results, about_risk_and_visits, about_visits, repertoire
from services.calls.saying import say
from services.durable import write_durably
from services.messaging.outbox import deliver
from services.runtime import Runtime
from services.screening.referral import VISIT_CALL, destination
from services.screening.risk import RISK_CALL
from services.store.files import write_sealed
from services.store.keyring import site_keys
from services.store.tables import clip, message

_LOG = logging.getLogger(__name__)


def warm() -> None:
    """Loads the voice, and asks for everything that calls say to everybody, so that no caller waits for it.

    A site that is short of power, memory or disk leaves it: each call has its own prepared before it is placed.
    """
    site = runtime.current()
    short_of = site.watch.strain()
    with site.db.write() as tx:
        forget(tx, site.settings, site.clips_dir)
        keep_within_bounds(tx, site.settings, site.clips_dir)
    if short_of:
        _LOG.info("nothing is rendered beforehand", extra={"short_of": sorted(short_of)})
        return
    say(site.settings, site.settings.language, [Utterance("goodbye")])
    with site.db.write() as tx:
        to = destination(tx)
        languages = dict.fromkeys((site.settings.language, *LANGUAGES))
        for language in languages:
            ensure(tx, site.settings, language, repertoire(site.settings, to))
        # Slowly only what is about a result: who asks for slower speech most needs to understand that. All of the
        # repertoire would be 50 MB more and four minutes of a processor at each start, and is rendered when asked for.
        for language in languages:
            ensure(tx, site.settings, language, about_results(site.settings, to), pace="slow")


def render_clip(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Renders the clip `argument["key"]`. Raises SpeechError."""
    with site.db.read() as tx:
        row = tx.execute(sa.select(clip).where(clip.c.key == argument["key"])).first()
    if row is not None:
        _render(site, row)


def prepare_call(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Renders what the call `argument["message_id"]` will say, then asks for it to be placed. Raises SpeechError."""
    message_id = int(argument["message_id"])
    with site.db.write() as tx:
        row = tx.execute(sa.select(message.c.language, message.c.purpose).where(message.c.id == message_id)).one()
        said = about_results(site.settings, destination(tx))
        if row.purpose in (RISK_CALL, "call-back"):
            # What is asked for less often is rendered while she hears "one moment, please": she waits for this call.
            said += about_risk_and_visits(site.settings)
        elif row.purpose == VISIT_CALL:
            said += about_visits(site.settings)
        clips = ensure(tx, site.settings, row.language, said)
        wanted = tx.execute(sa.select(clip).where(clip.c.state == "wanted", clip.c.key.in_(clips.keys))).all()
    for each in wanted:
        _render(site, each)
    with site.db.write() as tx:
        deliver(tx, message_id)


def _render(site: Runtime, row: Any) -> None:
    path = path_of(site.settings, site.clips_dir, row.key)
    if row.state == "ready" and path.exists():
        return
    audio = say(site.settings, row.language, [utterance_of(row)], pace=row.pace, lead_s=0)
    sound = audio.headerless(site.settings.call_audio)
    if row.private:  # it may say a code
        write_sealed(path, sound, site_keys())
    else:
        write_durably(path, sound)
    with site.db.write() as tx:
        tx.execute(clip.update().where(clip.c.key == row.key).values(state="ready"))
