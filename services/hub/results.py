"""Results as sites send them, kept by site and number of the screening there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from services.sync.batch import Event


def store_results(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Keeps the newest result of each screening with its readings."""


def delete_withdrawn(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Deletes all that is known of screenings whose consent was taken back."""


def store_visits(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Notes whether referred patients went."""
