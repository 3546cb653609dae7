"""All pages of the console."""

from __future__ import annotations

from services.gateway.console import (
    access,
    configured,
    facilities,
    log,
    me,
    messages,
    outbox,
    people,
    pictures,
    queue,
    recording,
    screenings,
    site,
    workers,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        access,
        queue,
        screenings,
        pictures,
        outbox,
        site,
        facilities,
        workers,
        messages,
        recording,
        configured,
        people,
        log,
        me,
    )
)
