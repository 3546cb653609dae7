"""A plan for people in a terminal, and for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from services.site.plan.advice import Advice
from services.site.plan.environment import as_text
from services.site.plan.estimate import Line
from services.site.plan.models import Model
from services.site.plan.recommend import Plan

_WIDTH = 100


def as_json(plan: Plan) -> dict[str, Any]:
    """Everything of a plan. MB are of 1000² bytes, money is dollars, `estimated` names what was not measured here."""
    bill = plan.bill
    return {
        "answers": asdict(plan.answers),
        "stack": plan.stack.name,
        "title": plan.stack.title,
        "runs_here": plan.stack.runs_here,
        "models": [_model(model) for model in plan.models],
        "models_not_used_here": [_model(model) for model in plan.others],
        "latency_ms": {
            each.tier: {"low": each.low_ms, "high": each.high_ms, "measured_here": each.here} for each in plan.latencies
        },
        "memory_mb": {"needed": round(plan.memory.need_mb), "there": round(plan.memory.have_mb)},
        "disk_mb": {
            "needed": round(plan.storage.need_mb),
            "there": round(plan.storage.have_mb),
            "more_a_month": round(plan.kept_mb_a_month, 1),
        },
        "month": {
            "data_mb": round(bill.megabytes, 3),
            "data_usd": round(bill.data_usd, 4),
            "carriers_usd": round(bill.carried_usd, 4),
            "lines": [_line(line) for line in (*bill.data, *bill.carried)],
        },
        "battery_hours": None if plan.battery is None else asdict(plan.battery),
        "advice": [asdict(each) for each in plan.advice],
        "env": as_text(plan.settings),
        "steps": list(plan.steps),
        "measured": None if plan.measured is None else plan.measured.as_json(),
        "estimated": [
            *(["latency_ms"] if not all(each.here for each in plan.latencies) else []),
            *("memory_mb", "disk_mb", "month", "battery_hours"),
        ],
    }


def as_lines(plan: Plan) -> Iterator[str]:
    """The plan to read."""
    yield f"Recommended: {plan.stack.title}"
    for each in plan.advice:
        yield ""
        yield from _advice(each)
    lines = (*plan.bill.data, *plan.bill.carried)
    if lines:
        yield ""
        yield f"{'A month':40}{'':>16}{'data':>10}{'dollars':>10}"
        yield from (bill_row(line) for line in lines)
        yield f"{'all':40}{'':>16}{megabytes(plan.bill.megabytes):>10}{plan.bill.usd:>10.2f}"
    if plan.settings:
        yield ""
        yield "Start with this .env:"
        yield ""
        yield from (f"    {line}" for line in as_text(plan.settings).splitlines())
    if plan.steps:
        yield ""
        yield "Then:"
        yield from (f"    {step}" for step in plan.steps)


def bill_row(line: Line) -> str:
    """One row of the month as text."""
    number = f"{line.number:,.0f} {line.unit}" if line.unit else ""
    weighs = megabytes(line.megabytes) if line.megabytes else ""
    return f"{line.name:40}{number:>16}{weighs:>10}{line.usd:>10.2f}"


def megabytes(count: float) -> str:
    """MB for people."""
    if count >= 1000:
        return f"{count / 1000:.2f} GB"
    return f"{count:.0f} MB" if count >= 10 else f"{count:.1f} MB"


def _advice(each: Advice) -> Iterator[str]:
    rows = (("", each.says), ("why", each.why), ("assumes", each.assumes), ("changes", each.changes))
    yield each.topic.upper()
    for name, text in rows:
        if text:
            first = f"  {name}: " if name else "  "
            yield from textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent="    " if name else "  ")


def _model(model: Model) -> dict[str, Any]:
    return {
        "programme": model.programme,
        "version": model.version,
        "tier": model.tier,
        "bytes": model.bytes,
        "memory_mb": None if model.memory_mb is None else round(model.memory_mb),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "number": round(line.number, 2),
        "unit": line.unit,
        "mb": round(line.megabytes, 3),
        "usd": round(line.usd, 4),
    }
