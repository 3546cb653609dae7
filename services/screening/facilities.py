"""Where patients can be sent: the facilities that the operator lists, and which of them is nearest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.settings import current
from services.store.tables import facility

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EYE_CLINIC = "eye clinic"
_WEEK = {
    DAYS: ("open-every-day",),
    DAYS[:5]: ("open-weekdays",),
    DAYS[:6]: ("open-mon-sat",),
}
_EARTH_KM = 6371.0


@dataclass(frozen=True)
class Facility:
    """One place that people can be sent to. `phone` is what people may ring, as the operator writes it."""

    name: str
    town: str
    phone: str = ""
    services: tuple[str, ...] = (EYE_CLINIC,)
    days: tuple[str, ...] = ()
    """Opening days of `DAYS`; none: not known."""
    latitude: float | None = None
    longitude: float | None = None
    ours: bool = False
    """This clinic itself."""
    id: int | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """As people read and hear it."""
        return f"{self.name}, {self.town}"

    @property
    def opening(self) -> tuple[str, ...]:
        """Message ids of its opening days, a sentence each."""
        return _WEEK.get(self.days) or tuple(f"open-{day}" for day in self.days)


def put(tx: Connection, new: Facility) -> bool:
    """Lists a facility behind the others, or updates the one of this name and town where it stands. True
    if it is new.
    """
    if new.ours:
        tx.execute(facility.update().values(ours=False))
    values = {
        "name": new.name,
        "town": new.town,
        "phone": new.phone,
        "services": list(new.services),
        "days": list(new.days),
        "latitude": new.latitude,
        "longitude": new.longitude,
        "ours": new.ours,
        "active": True,
    }
    of_place = sa.func.lower(facility.c.name + ", " + facility.c.town) == new.place.lower()
    if tx.execute(facility.update().where(of_place).values(values)).rowcount:
        return False
    last = tx.execute(sa.select(sa.func.max(facility.c.position))).scalar() or 0
    tx.execute(facility.insert().values(values | {"position": last + 1}))
    return True


def put_all(tx: Connection, new: Sequence[Facility]) -> int:
    """Lists facilities in the order given, before all others. How many of them are new."""
    added = sum([put(tx, each) for each in new])
    places = [each.place.lower() for each in new]
    in_order = sorted(listed(tx), key=lambda each: _index(places, each.place.lower()))
    for position, each in enumerate(in_order, 1):
        tx.execute(facility.update().where(facility.c.id == each.id).values(position=position))
    return added


def listed(tx: Connection) -> list[Facility]:
    """Every facility that is not removed, in the operator's order."""
    rows = tx.execute(sa.select(facility).where(facility.c.active).order_by(facility.c.position, facility.c.id))
    return [_facility(row) for row in rows]


def remove(tx: Connection, facility_id: int) -> bool:
    """Sends nobody there any more; who was sent stays on record. False if no such facility is listed."""
    changed = tx.execute(
        facility.update().where(facility.c.id == facility_id, facility.c.active).values(active=False, ours=False)
    )
    return changed.rowcount > 0


def by_id(tx: Connection, facility_id: int | None) -> Facility | None:
    """One facility, removed or not."""
    row = tx.execute(sa.select(facility).where(facility.c.id == facility_id)).first()
    return _facility(row) if row else None


def nearest(tx: Connection) -> Facility | None:
    """Where a referred patient should go: of the facilities with an eye clinic, this one itself, or else the nearest.

    Where no distance is known, the operator's order decides. None while none is listed.
    """
    everywhere = listed(tx)
    here = _here(everywhere)
    able = [each for each in everywhere if EYE_CLINIC in each.services]

    def distance(each: Facility) -> float:
        if each.ours:
            return 0.0
        if here is None or each.latitude is None or each.longitude is None:
            return math.inf
        return kilometres(here, (each.latitude, each.longitude))

    return min(able, key=distance, default=None)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The way between two points (latitude, longitude in degrees) over the great circle, by the haversine formula."""
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(math.radians, point)) for point in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _here(everywhere: Sequence[Facility]) -> tuple[float, float] | None:
    settings = current()
    if settings.clinic_latitude is not None and settings.clinic_longitude is not None:
        return settings.clinic_latitude, settings.clinic_longitude
    for each in everywhere:
        if each.ours and each.latitude is not None and each.longitude is not None:
            return each.latitude, each.longitude
    return None


def _facility(row: Any) -> Facility:
    return Facility(
        name=row.name,
        town=row.town,
        phone=row.phone,
        services=tuple(row.services),
        days=tuple(row.days),
        latitude=row.latitude,
        longitude=row.longitude,
        ours=row.ours,
        id=row.id,
    )


def _index(places: Sequence[str], place: str) -> int:
    return places.index(place) if place in places else len(places)
