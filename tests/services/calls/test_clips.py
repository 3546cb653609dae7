"""What is rendered for everybody, what for one call alone, and when it goes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from flows.render_voice import Utterance
from services.calls import clips
from services.calls.clips import Clips, ensure, forget, keep_within_bounds, key_of, path_of, renew
from services.runtime import Runtime
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.tables import clip, outbox

WAIT = Utterance("voice-wait")
POINTS = Utterance("risk-points", {"points": 14, "most": 26}, private=True)
VERDICT = Utterance("result-rescreen", private=True)


def ask(site: Runtime, *said: Utterance, call: str = "call-1", pace: str = "normal") -> Clips:
    with site.db.write() as tx:
        return ensure(tx, site.settings, "sw", said, call=call, pace=pace)


def rendered(site: Runtime) -> None:
    site.clips_dir.mkdir(exist_ok=True)
    with site.db.write() as tx:
        for key in tx.execute(clip.update().values(state="ready").returning(clip.c.key)).scalars().all():
            path_of(site.settings, site.clips_dir, key).write_bytes(b"\0\0")


def files(site: Runtime) -> set[str]:
    return {path.stem for path in site.clips_dir.iterdir()}


def rows(site: Runtime) -> dict[str, sa.Row[tuple[object, ...]]]:
    with site.db.read() as tx:
        return {row.key: row for row in tx.execute(sa.select(clip))}


def test_a_private_utterance_has_a_clip_for_its_call_alone(site: Runtime) -> None:
    first, again = ask(site, WAIT, POINTS), ask(site, WAIT, POINTS)
    other = ask(site, WAIT, POINTS, call="call-2")
    assert first == again
    assert first.keys[0] == other.keys[0]
    assert first.keys[1] != other.keys[1]
    kept = rows(site)
    assert [kept[key].private for key in first.keys] == [False, True]
    assert [kept[key].call for key in (*first.keys, other.keys[1])] == ["", "call-1", "call-2"]


def test_a_verdict_that_is_rendered_for_everybody_is_not_rendered_again(site: Runtime) -> None:
    with site.db.write() as tx:
        (key,) = ensure(tx, site.settings, "sw", [Utterance("result-rescreen")]).keys
    rendered(site)
    assert ask(site, VERDICT) == Clips((key,), ready=True)
    assert len(rows(site)) == 1


def test_a_step_is_ready_when_all_of_it_is(site: Runtime) -> None:
    assert not ask(site, WAIT).ready
    rendered(site)
    assert ask(site, WAIT).ready
    assert not ask(site, WAIT, POINTS).ready
    with site.db.read() as tx:
        asked = tx.execute(sa.select(outbox.c.argument).where(outbox.c.task == "render_clip")).scalars().all()
    assert [each["key"] for each in asked] == list(ask(site, WAIT, POINTS).keys)


@pytest.mark.parametrize("change", [{"pace": "slow"}, {"call": "c"}], ids=["the pace", "the call"])
def test_the_name_of_a_clip_tells_what_could_change_its_sound(site: Runtime, change: dict[str, str]) -> None:
    assert key_of(site.settings, "sw", WAIT) != key_of(site.settings, "sw", WAIT, **change)
    assert key_of(site.settings, "sw", WAIT) != key_of(site.settings, "luo", WAIT)
    mp3 = site.settings.model_copy(update={"call_audio": "mp3"})
    assert key_of(site.settings, "sw", WAIT) != key_of(mp3, "sw", WAIT)


def test_what_one_call_heard_goes_with_it(site: Runtime) -> None:
    ours, theirs = ask(site, WAIT, POINTS), ask(site, POINTS, call="call-2")
    rendered(site)
    with site.db.write() as tx:
        forget(tx, site.settings, site.clips_dir, call="call-1")
    assert files(site) == rows(site).keys() == {ours.keys[0], theirs.keys[0]}


def test_a_call_whose_end_nobody_reported_is_forgotten_with_its_links(site: Runtime) -> None:
    young, old = ask(site, POINTS), ask(site, WAIT, POINTS, call="call-2")
    rendered(site)
    with site.db.write() as tx:
        aged = clip.update().where(clip.c.key.in_(old.keys))
        tx.execute(aged.values(created_at=now_ms() - HOUR_MS - 1))
        forget(tx, site.settings, site.clips_dir)
    assert files(site) == {young.keys[0], old.keys[0]}


def test_what_nobody_asked_for_in_a_month_goes_and_so_do_stray_files(site: Runtime) -> None:
    kept, old = ask(site, WAIT), ask(site, Utterance("goodbye"))
    rendered(site)
    (site.clips_dir / "of-an-older-release.wav").write_bytes(b"")
    with site.db.write() as tx:
        tx.execute(clip.update().where(clip.c.key.in_(old.keys)).values(created_at=now_ms() - 31 * DAY_MS))
        keep_within_bounds(tx, site.settings, site.clips_dir)
    assert files(site) == {kept.keys[0]}


def test_the_disk_has_a_bound_and_the_newest_stay(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "_LARGEST_BYTES", 5)  # two clips of two bytes
    asked = ask(site, WAIT, Utterance("goodbye"), Utterance("voice-hash"))
    rendered(site)
    with site.db.write() as tx:
        keep_within_bounds(tx, site.settings, site.clips_dir)
    assert files(site) == rows(site).keys() == set(asked.keys[1:])


@pytest.mark.parametrize(
    ("recorded", "renewed"),
    [
        ("voice-wait", {"voice-wait"}),
        ("answer-yes", {"voice-press"}),
        ("number-12", {"voice-press", "risk-points"}),
        ("place-eye-clinic", {"result-refer"}),
        ("goodbye", set()),
        (None, {"voice-wait", "voice-press", "risk-points", "result-refer"}),
    ],
)
def test_a_recording_renews_what_it_is_heard_in(site: Runtime, recorded: str | None, renewed: set[str]) -> None:
    press = Utterance("voice-press", {"choice": Utterance("answer-yes"), "key": 1})
    ask(site, WAIT, press, POINTS, Utterance("result-refer", {"place": "place-eye-clinic"}))
    rendered(site)
    with site.db.write() as tx:
        assert renew(tx, "luo") == 0
        assert renew(tx, "sw", recorded=recorded) == len(renewed)
    assert {row.message for row in rows(site).values() if row.state == "wanted"} == renewed
