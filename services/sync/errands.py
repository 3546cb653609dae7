"""What else the sync process carries once results are in: photographs up, models and voices down. Each in small steps,
so that a result never waits for more than one of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from services.runtime import Runtime
from services.sync.client import HubClient

Step = Callable[[Runtime, HubClient], bool]

ERRANDS: dict[str, str] = {
    "photographs": "services.sync.upload:step",
    "models": "services.updates.fetch:step",
}
"""Purpose → "module:function" of a `step(site, client)` that does a few seconds' work at most and says whether there is
more to do now. It may raise HubError. In order of importance. Not run on low battery."""


def step_of(purpose: str) -> Step:
    """The step behind a purpose."""
    module, function = ERRANDS[purpose].split(":")
    found: Step = getattr(import_module(module), function)
    return found
