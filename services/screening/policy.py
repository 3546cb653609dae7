"""The inference worker's jobs: ask what the site can afford, use that engine and read; or hold the work back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.inference.choose import Priority
from services.messaging.holding import Held
from services.runtime import Runtime
from services.screening.engines import use
from services.screening.reading import read_photo

_PROGRAMME = "dr"


def warm(site: Runtime) -> None:
    """Loads the engine that the site can afford now. Raises ModelError."""
    use(_PROGRAMME, site.watch.strain(), "urgent", site.settings.models_dir)


def read_routine(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Reads the photograph `argument["photo_id"]`. Raises Held while the site saves its power for urgent cases."""
    _read(site, argument, "routine")


def read_urgent(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Reads the photograph `argument["photo_id"]` whatever the site is short of."""
    _read(site, argument, "urgent")


def _read(site: Runtime, argument: Mapping[str, Any], priority: Priority) -> None:
    decision = use(_PROGRAMME, site.watch.strain(), priority, site.settings.models_dir)
    if decision.tier is None:
        raise Held(decision.reason)
    read_photo(site, argument)
