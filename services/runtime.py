"""What a process of Jicho works with: settings, store, photographs, carriers, site; each made on first use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from services import settings as settings_module
from services.ledger.tally import Tally
from services.screening.media import MediaStore
from services.settings import Settings
from services.site.strain import Limits
from services.site.watch import Watch
from services.store.database import Database
from services.store.keyring import site_keys

if TYPE_CHECKING:
    from services.channels.registry import Channels


class Runtime:
    """Everything is made when it is first asked for: the gateway never pays for what only workers use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def db(self) -> Database:
        return Database(self.settings.store_url)

    @cached_property
    def media(self) -> MediaStore:
        return MediaStore(self.settings.data_dir / "photographs", site_keys())

    @cached_property
    def clips_dir(self) -> Path:
        return self.settings.data_dir / "clips"

    def note_path(self, message_id: int) -> Path:
        """Where the voice note of a message lies until it is sent."""
        return self.settings.data_dir / "notes" / f"{message_id}.ogg"

    def personal_files(self) -> Iterator[Path]:
        """Everything on the disk, beside the store, that is of a person and therefore sealed."""
        data = self.settings.data_dir
        for folder in ("photographs/received", "photographs/clean", "outgoing", "notes"):
            yield from (path for path in (data / folder).rglob("*") if path.is_file() and path.name[0] != ".")

    @cached_property
    def watch(self) -> Watch:
        limits = Limits(
            battery_low=self.settings.battery_low_percent,
            battery_half=self.settings.battery_half_percent,
            battery_margin=self.settings.battery_margin_percent,
            memory_low=self.settings.low_memory_mb,
            disk_low=self.settings.low_disk_mb,
        )
        return Watch(self.settings.own_dir, limits, ups=self.settings.ups, data_dir=self.settings.data_dir)

    @cached_property
    def channels(self) -> Channels:
        from services.channels.registry import Channels

        return Channels(self.settings, self.tally)

    @cached_property
    def tally(self) -> Tally:
        """What this process moves over the wide-area link."""
        return Tally(lambda: self.db)


@lru_cache(maxsize=1)
def current() -> Runtime:
    """The runtime of this process, from its environment. Raises SettingsError."""
    return Runtime(settings_module.current())
