"""The work that queues carry, by name. A worker imports only what its own queue needs.

Every task takes the runtime and the argument from its outbox row, may run twice, and has one effect all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from services.runtime import Runtime

Task = Callable[[Runtime, Mapping[str, Any]], None]

TASKS = {
    "fetch_photo": "services.screening.fetching:fetch_photo",
    "read_photo": "services.screening.policy:read_routine",
    "read_urgent_photo": "services.screening.policy:read_urgent",
    "prepare_photograph": "services.sync.preparing:prepare_photograph",
    "assess_symptoms": "services.screening.symptoms:assess_symptoms",
    "prepare_call": "services.calls.jobs:prepare_call",
    "prepare_note": "services.calls.result_note:prepare_note",
    "render_clip": "services.calls.jobs:render_clip",
    "erase_screening": "services.screening.withdrawal:erase_screening",
    "send_message": "services.messaging.delivery:send_message",
    "reach_otherwise": "services.messaging.unreached:reach_otherwise",
}


def task(name: str) -> Task:
    """The function behind a name. Raises KeyError for a name no release ever had."""
    module, function = TASKS[name].split(":")
    found: Task = getattr(import_module(module), function)
    return found
