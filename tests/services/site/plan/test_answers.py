"""Answers as technicians type them, and what is said about those that cannot be used."""

from __future__ import annotations

import pytest

from services.site.plan.answers import BY_NAME, QUESTIONS, BadAnswer, parse


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("internet", " Reliable ", "reliable"),
        ("phones", "smart", "smartphone"),
        ("machine", "RASPBERRY-PI-4", "raspberry-pi-4"),
        ("memory_gb", "4", 4.0),
        ("memory_gb", "4 GB", 4.0),
        ("memory_gb", "0,5gb", 0.5),
        ("battery_hours", "6h", 6.0),
        ("battery_hours", "6 hours", 6.0),
        ("battery_hours", "0", 0.0),
        ("screenings", "1200", 1200),
        ("usd_per_gb", "$0.50", 0.5),
        ("photograph_kb", "250 kB", 250),
    ],
)
def test_answers_are_understood(name: str, typed: str, value: object) -> None:
    assert BY_NAME[name].read(typed) == value


@pytest.mark.parametrize(
    ("name", "typed", "complaint"),
    [
        ("internet", "fibre", "internet: fibre is none of its answers: choose reliable | intermittent | none"),
        ("internet", "", "internet: nothing is none of its answers"),
        ("machine", "raspberry", "machine: raspberry is none of its answers: choose raspberry-pi-4 | raspberry-pi-5"),
        ("memory_gb", "512 MB", "memory-gb: 512 MB is no number of GB: write 4 for 4 GB"),
        ("memory_gb", "plenty", "memory-gb: plenty is no number of GB"),
        ("memory_gb", "0.1", "memory-gb: 0.1 is out of range: give 0.25 to 4,096 GB"),
        ("battery_hours", "-1", "battery-hours: -1 is no number of hours"),
        ("battery_hours", "inf", "battery-hours: inf is no number of hours"),
        ("outage_hours", "25", "outage-hours: 25 is out of range: give 0 to 24 hours"),
        ("screenings", "10.5", "screenings: 10.5 is no whole number: give 10"),
        ("with_phone", "101", "with-phone: 101 is out of range"),
    ],
)
def test_a_bad_answer_says_what_to_do(name: str, typed: str, complaint: str) -> None:
    with pytest.raises(BadAnswer) as problem:
        BY_NAME[name].read(typed)
    assert str(problem.value).startswith(complaint)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(BadAnswer) as problem:
        parse({"internet": "fibre", "memory_gb": "x", "phones": "mixed"})
    assert [line.split(":")[0] for line in str(problem.value).splitlines()] == ["internet", "memory-gb"]


def test_what_is_usual_is_a_good_answer_and_comes_back_as_it_was() -> None:
    usual = parse({})
    assert parse(usual.as_texts()) == usual
    assert all(question.low <= float(question.usual) <= question.high for question in QUESTIONS if not question.choices)


def test_what_makes_no_sense_is_not_asked() -> None:
    def asked(**answers: str) -> set[str]:
        return {question.name for question in QUESTIONS if question.asked and question.applies(answers)}

    assert "usd_per_gb" in asked(internet="reliable")
    assert "usd_per_gb" not in asked(internet="none")
    assert "mobile_network" in asked(internet="none")
    assert "mobile_network" not in asked(internet="reliable") | asked(internet="none", role="hub")
    assert {"phones", "accelerator"} <= asked(role="clinic")
    assert not {"phones", "accelerator"} & asked(role="hub")
