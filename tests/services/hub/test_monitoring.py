"""What sites saw, how far reviewers agree, and what is worth an alert."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hub_results import model_at, result_at, site_at
from hypothesis import given
from hypothesis import strategies as st

from app import main
from services.hub import alerts
from services.hub.intervals import Rate, control_limits, dispersion
from services.hub.monitoring import counted, overview
from services.hub.pages.plots import plot
from services.hub.reviewers import Reviewer, add
from services.hub.reviewing import save
from services.hub.runtime import Hub
from services.hub.tables import alert, site, week
from services.hub.weeks import median, monday_of, recount, week_of
from services.screening.opinions import EyeFinding, Opinion
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms

NORMAL = (("left", "normal"), ("right", "normal"))
POSITIVE = (("left", "referable"), ("right", "normal"))
DARK = (("left", "ungradable"), ("left", "ungradable"), ("right", "normal"))


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval(part: int, whole: int, low: float, high: float) -> None:
    assert Rate(part, whole).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share(part: int, more: int) -> None:
    rate = Rate(part, part + more)
    low, high = rate.interval
    assert 0 <= low <= high <= 1
    assert rate.share is None or low - 1e-9 <= rate.share <= high + 1e-9


def test_control_limits() -> None:
    assert control_limits(0.1, 100) == pytest.approx((0.01, 0.19))
    assert control_limits(0.1, 100, 4.0) == pytest.approx((0.0, 0.28))
    assert dispersion([Rate(10, 100), Rate(9, 100), Rate(11, 100)]) == 1.0
    assert dispersion([Rate(1, 100), Rate(30, 100)] * 3) > 10


def test_weeks_are_counted_from_results(hub: Hub) -> None:
    here, there, model = site_at(hub), site_at(hub, "Bondo"), model_at(hub)
    now = now_ms()
    for ref, (found, ago, where) in enumerate(
        [(NORMAL, 0, here), (POSITIVE, 0, here), (DARK, 0, here), (NORMAL, 7, here), (NORMAL, -40, there)], start=1
    ):
        outcome = "rescreen" if found is NORMAL else "refer"
        result_at(hub, where, model, *found, ref=ref, outcome=outcome, decided_at=now - ago * DAY_MS, received_at=now)
    result_at(hub, here, model, *POSITIVE, ref=9, withdrawn=True)
    with hub.db.write() as tx:
        assert recount(tx) == 2
        assert recount(tx) == 2, "the last hour's once more, with the same result"
        found = counted(tx)
    this = week_of(now)
    mine = found[here, model, this]
    assert (mine.screenings, mine.positives, mine.ungradables) == (3, 1, 1)
    assert mine.confidence == 0.95
    assert sum(mine.confidences) == 5, "what nobody could grade has no confidence"
    assert found[here, model, this - 1].screenings == 1
    assert found[there, model, this].screenings == 1, "a clock that is ahead puts nothing into the future"
    assert monday_of(this).weekday() == 0


def test_the_median_of_counted_photographs() -> None:
    counts = [0] * 51
    assert median(counts) is None
    counts[10], counts[20], counts[45] = 1, 1, 1
    assert median(counts) == 0.7


def test_agreement_with_reviewers(hub: Hub) -> None:
    here, model = site_at(hub), model_at(hub)
    with hub.db.write() as tx:
        add(tx, "Atieno", "reviewer")
    reviewer = Reviewer(1, "Atieno", "reviewer")
    grades: list[tuple[Any, str, int | None, str]] = [
        (POSITIVE, "refer", 3, "refer"), (POSITIVE, "refer", 2, "refer"), (POSITIVE, "refer", 0, "rescreen"),
        (NORMAL, "rescreen", 0, "rescreen"), (NORMAL, "rescreen", 2, "refer"),
        (POSITIVE, "refer", None, "refer"), (DARK, "refer", 3, "refer"), (POSITIVE, "refer", 0, "refer"),
    ]  # fmt: skip
    for ref, (found, outcome, grade, verdict) in enumerate(grades, start=1):
        number = result_at(hub, here, model, *found, ref=ref, outcome=outcome, shown=("left", "right"))
        opinion = Opinion({"left": EyeFinding(grade), "right": EyeFinding(0)}, verdict)  # type: ignore[arg-type]
        with hub.db.write() as tx:
            save(tx, reviewer, number, ref, opinion)
    with hub.db.write() as tx:
        recount(tx)
        shown = overview(tx)
    ((_, all_sites),) = shown["overall"]
    assert (all_sites.agreed_positive, all_sites.agreed_negative) == (Rate(2, 3), Rate(1, 2))
    assert (all_sites.sensitivity, all_sites.specificity) == (Rate(2, 3), Rate(1, 2))
    assert [(name, found.screenings) for name, found in shown["models"]] == [("dr 0.2.0 full", 8)]


def weekly(hub: Hub, where: int, model: int, positive: Callable[[int], int], *, of: int = 80, weeks: int = 12) -> None:
    """Weeks as they were counted, newest last."""
    this = week_of(now_ms())
    rows = [
        {"site_id": where, "model_id": model, "week": this - ago, "screenings": of, "positive": positive(ago)}
        | {"ungradable": 4, "confidence": [0] * 40 + [of] + [0] * 10, "counted_at": now_ms()}
        for ago in range(weeks)
    ]
    with hub.db.write() as tx:
        tx.execute(week.insert(), rows)


def raised(hub: Hub) -> list[tuple[str, str]]:
    with hub.db.write() as tx:
        return [(each["kind"], each["subject"]) for each in alerts.refresh(tx, hub.settings)]


def test_a_share_out_of_its_limits_is_told_once_until_it_ends(hub: Hub) -> None:
    here, there, model = site_at(hub), site_at(hub, "Bondo"), model_at(hub)
    weekly(hub, there, model, lambda ago: 8 + ago % 3)
    weekly(hub, here, model, lambda ago: 24 if ago < 2 else 8 + ago % 3)
    expected = [("positivity", "site:1"), ("positivity-unlike", "site:1")]
    assert [each for each in raised(hub) if each[1] == "site:1"] == expected
    raised(hub)
    with hub.db.write() as tx:
        rows = tx.execute(sa.select(alert.c.kind).where(alert.c.subject == "site:1")).scalars().all()
        assert list(rows) == [kind for kind, _ in expected], "one row each, however often it is looked at"
        tx.execute(week.update().values(positive=9))
    assert raised(hub) == []
    with hub.db.read() as tx:
        assert [each["closed_at"] is not None for each in alerts.ended(tx)] == [True] * len(alerts.ended(tx))
        assert len(alerts.ended(tx)) >= 2


def test_a_few_patients_and_a_varied_past_are_no_alarm(hub: Hub) -> None:
    here, there, model = site_at(hub), site_at(hub, "Bondo"), model_at(hub)
    weekly(hub, here, model, lambda ago: 3 if ago < 2 else 1, of=10)
    weekly(hub, there, model, lambda ago: 24 if ago % 2 else 4)
    assert raised(hub) == []


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ({"skew_ms": -6 * MINUTE_MS}, "clock"),
        ({"short_of": ["battery-low"], "battery_percent": 12}, "battery-low"),
        ({"short_of": ["disk-low", "memory-low"], "disk_mb": 300}, "disk-low"),
        ({"backlog": 70, "oldest_ms": 25 * HOUR_MS}, "backlog"),
        ({"skew_ms": 4 * MINUTE_MS, "short_of": [], "backlog": 900, "oldest_ms": HOUR_MS, "disk_mb": None}, None),
    ],
)
def test_what_a_site_says_of_itself(hub: Hub, report: dict[str, Any], kind: str | None) -> None:
    where = site_at(hub)
    with hub.db.write() as tx:
        tx.execute(site.update().values(report=report, reported_at=now_ms()))
    assert raised(hub) == ([(kind, f"site:{where}")] if kind else [])


def test_the_command_tells_what_is_wrong(hub: Hub) -> None:
    run = CliRunner()
    with hub.db.write() as tx:
        alert.metadata.drop_all(tx)
    hub.migrate()
    assert run.invoke(main, ["hub", "alerts"]).exit_code == 0
    site_at(hub)
    with hub.db.write() as tx:
        tx.execute(site.update().values(seen_at=now_ms() - 30 * HOUR_MS))
    told = run.invoke(main, ["hub", "alerts"])
    assert (told.exit_code, told.output) == (1, "Site not seen: Siaya, last seen 1 day ago\n")
    (line,) = run.invoke(main, ["hub", "alerts", "--json"]).output.splitlines()
    assert json.loads(line)["kind"] == "not-seen"


def test_a_plot_marks_what_is_outside(hub: Hub) -> None:
    here, model = site_at(hub), model_at(hub)
    weekly(hub, here, model, lambda ago: 40 if ago == 0 else 8)
    with hub.db.read() as tx:
        drawn = dict(overview(tx)["plots"])
    picture = plot(drawn["positivity"], title="Referable <share>")
    assert (picture.count('class="dot"'), picture.count('class="out"')) == (11, 1)
    assert "Referable &lt;share&gt;" in picture
    assert "Nothing to show yet." in plot(drawn["agreement"], title="")
