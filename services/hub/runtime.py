"""What a process of the hub works with: settings and store, each made on first use."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

from services import settings as settings_module
from services.hub.media import HubMedia
from services.settings import Settings
from services.store.database import Database
from services.store.keyring import hub_keys
from services.store.migrate import migrate

_SCRIPTS = Path(__file__).with_name("migrations")


class Hub:
    """The other end of sync. It shares the code of a site, never its store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def db(self) -> Database:
        return Database(self.settings.hub_store_url)

    @cached_property
    def media(self) -> HubMedia:
        return HubMedia(self.settings.hub_media)

    def migrate(self) -> None:
        """Brings the hub's store to the schema of this release."""
        migrate(self.db, scripts=_SCRIPTS, keys=hub_keys)


@lru_cache(maxsize=1)
def current() -> Hub:
    """The hub of this process, from its environment. Raises SettingsError."""
    return Hub(settings_module.current())
