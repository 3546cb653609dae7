"""What the speech worker renders beforehand, and when it does not."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa

from flows.catalogue import LANGUAGES
from flows.render_voice import Utterance
from services.calls import jobs
from services.calls.clips import ensure, path_of
from services.calls.playback import Form, joined
from services.calls.repertoire import about_results, repertoire
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.referral import destination
from services.site.probes import TOLD
from services.speech.audio import Audio
from services.store.tables import clip, outbox


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that are rendered; a quick sound stands for the voice."""
    found: list[str] = []

    def say(_settings: object, _language: str, utterances: list[Utterance], **_how: Any) -> Audio:
        found.extend(utterance.id for utterance in utterances)
        return Audio(np.ones(160, np.int16))

    monkeypatch.setattr(jobs, "say", say)
    return found


def asked(site: Runtime) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).where(outbox.c.task == "render_clip")).scalar_one())


def test_with_power_everything_is_asked_for_in_every_language(site: Runtime, said: list[str]) -> None:
    jobs.warm()
    with site.db.read() as tx:
        everything = repertoire(site.settings, destination(tx))
        slowly = about_results(site.settings, destination(tx))
        kept = tx.execute(sa.select(clip.c.language, clip.c.private, clip.c.pace)).all()
    assert said == ["goodbye"], "the voice is loaded"
    assert len(kept) == asked(site) == len(LANGUAGES) * (len(everything) + len(slowly))
    assert sum(row.pace == "slow" for row in kept) == len(LANGUAGES) * len(slowly)
    assert not any(row.private for row in kept)


@pytest.mark.parametrize(
    "found", [{"battery_percent": 15, "on_mains": False}, {"memory_mb": 100}, {"disk_mb": 50}], ids=str
)
def test_a_site_that_is_short_renders_nothing_beforehand(
    site: Runtime, said: list[str], tmp_path: Path, found: dict[str, object]
) -> None:
    (tmp_path / "data" / TOLD).write_text(json.dumps(found))
    jobs.warm()
    assert (said, asked(site)) == ([], 0)


def test_a_call_is_placed_when_its_audio_is_there(site: Runtime, said: list[str]) -> None:
    with site.db.write() as tx:
        call = post(tx, Kind.VOICE, "+254722000002", "", key="c", purpose="result", language="sw", prepare=True)
    jobs.prepare_call(site, {"message_id": call})
    assert "result-refer" in said
    assert "ask-risk-age" not in said
    with site.db.read() as tx:
        assert set(tx.execute(sa.select(clip.c.state)).scalars()) == {"ready"}
        keys = tx.execute(sa.select(clip.c.key)).scalars().all()
        assert tx.execute(sa.select(outbox.c.task).where(outbox.c.task == "send_message")).scalars().all()
    assert all(path_of(site.settings, site.clips_dir, key).stat().st_size == 320 for key in keys)


def test_a_clip_is_rendered_once(site: Runtime, said: list[str]) -> None:
    with site.db.write() as tx:
        (key,) = ensure(tx, site.settings, "sw", [Utterance("voice-wait")]).keys
    for _ in range(2):
        jobs.render_clip(site, {"key": key})
    jobs.render_clip(site, {"key": "unknown"})
    assert said == ["voice-wait"]


@pytest.mark.parametrize("form", ["mulaw", "mp3"])
def test_a_clip_is_rendered_in_the_form_that_calls_are_served_in(site: Runtime, said: list[str], form: Form) -> None:
    site.settings = site.settings.model_copy(update={"call_audio": form})
    with site.db.write() as tx:
        (key,) = ensure(tx, site.settings, "sw", [Utterance("voice-wait")]).keys
    jobs.render_clip(site, {"key": key})
    content = joined([path_of(site.settings, site.clips_dir, key)], form)
    assert soundfile.info(io.BytesIO(content)).subtype == {"mulaw": "ULAW", "mp3": "MPEG_LAYER_III"}[form]
    assert said == ["voice-wait"]
