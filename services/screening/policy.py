"""The inference worker's jobs: ask what the site can afford, use that engine and read; or hold the work back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.inference.choose import Priority
from services.messaging.holding import Held
from services.programmes import installed
from services.runtime import Runtime
from services.screening.engines import use
from services.screening.questions import answer_photo
from services.screening.reading import read_photo
from services.store.tables import photo, photo_question, screening

_READ = {"case": read_photo, "question": answer_photo}


def warm(site: Runtime) -> None:
    """Loads the engine of the site's main programme that it can afford now. Raises ModelError."""
    use(site.settings.programmes[0], site.watch.strain(), "urgent", site.settings.models_dir)


def read_routine(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Reads the photograph `argument["photo_id"]`. Raises Held while the site saves its power for urgent cases."""
    _read(site, argument, "routine")


def read_urgent(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Reads the photograph `argument["photo_id"]` whatever the site is short of."""
    _read(site, argument, "urgent")


def _read(site: Runtime, argument: Mapping[str, Any], priority: Priority) -> None:
    programme = _programme_of(site, int(argument["photo_id"]))
    if programme is None:
        return
    decision = use(programme, site.watch.strain(), priority, site.settings.models_dir)
    if decision.tier is None:
        raise Held(decision.reason)
    _READ[installed()[programme].photographs](site, argument)


def _programme_of(site: Runtime, photo_id: int) -> str | None:
    """That of the photograph's case, or of what is asked about it."""
    with site.db.read() as tx:
        found: str | None = tx.execute(
            sa.select(sa.func.coalesce(screening.c.programme, photo_question.c.programme))
            .select_from(photo)
            .outerjoin(screening, screening.c.id == photo.c.screening_id)
            .outerjoin(photo_question, photo_question.c.photo_id == photo.c.id)
            .where(photo.c.id == photo_id)
        ).scalar()
    return found
