"""For every combination of answers there is a plan that holds: its settings start, its models fit, its costs grow."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings import Settings, load
from services.site.plan.answers import QUESTIONS, Answers, Question, parse
from services.site.plan.environment import as_text
from services.site.plan.figures import figures
from services.site.plan.models import shipped
from services.site.plan.probe import Measured, TierTime
from services.site.plan.recommend import Plan, measured_answers, recommend

CHOICES = [question for question in QUESTIONS if question.choices]
NUMBERS = [question for question in QUESTIONS if not question.choices]


def number(question: Question) -> st.SearchStrategy[str]:
    """Any that may be answered, small ones more often."""
    usual = max(float(question.usual), question.low)
    if question.whole:
        return st.integers(int(question.low), int(question.high)).map(str) | st.just(question.usual)
    return (
        st.floats(question.low, min(question.high, 4 * usual + 8))
        .map(lambda value: f"{value:.2f}")
        .filter(lambda typed: question.low <= float(typed) <= question.high)
    )


ANSWERS = st.fixed_dictionaries(
    {question.name: st.sampled_from(list(question.choices or {})) for question in CHOICES}
    | {question.name: number(question) for question in NUMBERS}
).map(parse)


def started(plan: Plan, folder: Path, *, live: bool = False) -> Settings:
    """The settings that the recommended file gives; `live`: with everything that it leaves to the operator."""
    text = as_text(plan.settings)
    if live:
        text = "\n".join(line.removeprefix("#") if line.startswith("#JICHO_") else line for line in text.splitlines())
    file = folder / "recommended.env"
    file.write_text(text)
    assert set(dotenv_values(file)) == {each.name for each in plan.settings if live or not each.later}
    return load({"JICHO_DATA_DIR": str(folder)}, dotenv=file)


def check(plan: Plan) -> None:
    """What holds of every plan."""
    assert plan.advice[0].topic == "stack"
    assert all(each.says and each.why for each in plan.advice)
    assert all(each.assumes or each.changes for each in plan.advice if each.topic == "stack")
    if plan.models:
        assert plan.memory.fits
        assert plan.storage.fits
        assert [each.tier for each in plan.latencies] == [each.tier for each in plan.models if each.programme == "dr"]
    else:
        assert plan.latencies == ()
    assert {*plan.models, *plan.others} == set(shipped({t: r.memory_mb for t, r in figures().readings.items()}))
    assert (plan.bill.megabytes > 0) <= (plan.answers.internet != "none")
    if plan.stack.runs_here and plan.stack.name != "hub":
        assert plan.models


def test_every_combination_has_a_plan_whose_settings_start(tmp_path: Path) -> None:
    """All choices, on machines from too small to plenty; the files that come of them are few and are all started."""
    files: dict[str, Plan] = {}
    seen = set()
    for chosen in itertools.product(*(list(question.choices or {}) for question in CHOICES)):
        answers = parse(dict(zip((question.name for question in CHOICES), chosen, strict=True)))
        for memory, storage, battery in ((0.25, 0.5, 0.0), (0.5, 8, 6), (1, 16, 0), (2, 16, 3), (64, 1000, 24)):
            plan = recommend(replace(answers, memory_gb=memory, storage_gb=storage, battery_hours=battery))
            check(plan)
            seen.add(plan.stack.name)
            files[as_text(plan.settings)] = plan
    assert seen == {"online", "edge", "island", "elsewhere", "pocket", "files", "nothing", "hub"}
    for plan in files.values():
        started(plan, tmp_path)
        started(plan, tmp_path, live=True)


@settings(max_examples=150, deadline=None)
@given(ANSWERS, st.integers(0, 1_000_000))
def test_costs_grow_with_screenings_and_everything_holds(answers: Answers, more: int) -> None:
    plan = recommend(answers)
    check(plan)
    larger = recommend(replace(answers, screenings=min(1_000_000, answers.screenings + more)))
    assert larger.stack == plan.stack
    assert larger.bill.megabytes >= plan.bill.megabytes
    assert larger.bill.data_usd >= plan.bill.data_usd
    assert larger.bill.carried_usd >= plan.bill.carried_usd
    assert larger.kept_mb_a_month >= plan.kept_mb_a_month


@settings(max_examples=100, deadline=None)
@given(ANSWERS, st.floats(1, 20))
def test_a_larger_machine_never_fits_less(answers: Answers, times: float) -> None:
    small = recommend(answers)
    large = recommend(replace(answers, memory_gb=answers.memory_gb * times, storage_gb=answers.storage_gb * times))
    assert set(small.models) <= set(large.models) or large.stack.name == "hub"


def test_the_price_of_data_is_the_one_that_was_given(tmp_path: Path) -> None:
    plan = recommend(parse({"internet": "intermittent", "usd_per_gb": "0.75"}))
    assert started(plan, tmp_path).price_megabyte == "USD 0.00075"
    assert plan.bill.data_usd == pytest.approx(plan.bill.megabytes / 1000 * 0.75)


def test_prices_are_those_of_the_site() -> None:
    answers = parse({"internet": "reliable"})
    usual = recommend(answers)
    dear = Settings.model_construct(
        price_sms_part="USD 1",
        price_modem_part="USD 1",
        price_call_minute="USD 0",
        price_ussd_session="USD 0",
        price_whatsapp_message="USD 0",
        kes_per_usd=129.0,
    )
    (texts,) = [line for line in recommend(answers, settings=dear).bill.carried if line.name == "SMS"]
    assert texts.usd == pytest.approx(texts.number)
    (usual_texts,) = [line for line in usual.bill.carried if line.name == "SMS"]
    assert usual_texts.usd == pytest.approx(texts.number * 0.80 / 129)


def test_sms_need_no_internet_where_there_is_a_mobile_network(tmp_path: Path) -> None:
    modem = recommend(parse({"internet": "none", "mobile_network": "yes"}))
    alone = recommend(parse({"internet": "none", "mobile_network": "no"}))
    assert [line.name for line in modem.bill.carried] == ["SMS by modem"]
    assert modem.bill.megabytes == alone.bill.usd == 0
    assert started(modem, tmp_path, live=True).sms_carriers == ("modem",)
    assert [each.topic for each in modem.advice if each.topic == "SMS"] == ["SMS"]
    assert "SMS" not in {each.topic for each in alone.advice}
    assert "/phone page" in alone.advice[0].assumes


MEASURED = Measured(
    system="Linux aarch64",
    processor="Raspberry Pi 4 Model B Rev 1.4",
    cores=4,
    load=0.2,
    memory_mb=3980,
    disk_free_mb=20_000,
    battery_percent=50,
    battery_hours=3,
    on_mains=False,
    flush_ms=80,
    flush_worst_ms=200,
    providers=("CPUExecutionProvider",),
    tiers={"full": TierTime(412, 160), "medium": TierTime(260, 150), "light": TierTime(180, 120)},
    links={"hub": 310.0},
)


def test_what_was_measured_takes_the_place_of_answers_and_figures() -> None:
    found = measured_answers({"internet": "intermittent", "memory_gb": "64"}, MEASURED)
    assert found["machine"] == "raspberry-pi-4"
    assert found["memory_gb"] == "3.98"
    assert float(found["storage_gb"]) == pytest.approx(20 + figures().program_mb / 1000, abs=0.05)
    assert found["battery_hours"] == "6.0"
    plan = recommend(parse(found), MEASURED)
    assert [(each.tier, each.high_ms, each.here) for each in plan.latencies] == [
        ("full", 412, True),
        ("medium", 260, True),
        ("light", 180, True),
    ]
    topics = {each.topic: each for each in plan.advice}
    assert "beyond the 200 ms wanted" in topics["speed"].says
    assert "SSD" in topics["disk flush"].says


def test_an_accelerator_is_not_promised() -> None:
    answers = parse({"accelerator": "gpu"})
    (told,) = [each for each in recommend(answers).advice if each.topic == "accelerator"]
    assert "the processor reads" in told.says
    assert "no GPU was measured" in told.assumes
    there = replace(MEASURED, providers=("CUDAExecutionProvider", "CPUExecutionProvider"))
    (told,) = [each for each in recommend(answers, there).advice if each.topic == "accelerator"]
    assert told.says.startswith("ONNX Runtime here offers CUDAExecutionProvider")


def test_no_figure_is_taken_to_another_kind_of_machine() -> None:
    (told,) = [e for e in recommend(parse({"machine": "raspberry-pi-5"})).advice if e.topic == "speed"]
    assert "on the reference machine" in told.says
    assert "no ARM processor at all, was measured" in told.assumes
