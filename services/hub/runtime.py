"""What a process of the hub works with: settings and store, each made on first use."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

from services import settings as settings_module
from services.hub.media import HubMedia
from services.hub.tables import media_keys
from services.settings import Settings
from services.store.database import Database
from services.store.keyring import Keyring, keyring_at
from services.store.lock import SEAL_FILES, has_note, take_note
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
        return HubMedia(self.settings.hub_media, self.keys)

    @property
    def keys(self) -> Keyring:
        """What the hub's store and photographs are sealed with."""
        return keyring_at(self.settings.hub_keyring_path)

    def migrate(self) -> None:
        """Brings the hub's store to the schema of this release, and seals photographs of before."""
        migrate(self.db, scripts=_SCRIPTS, keys=lambda: self.keys)
        with self.db.read() as tx:
            keys = list(media_keys(tx)) if has_note(tx, SEAL_FILES) else None
        if keys is None:
            return
        for key in keys:
            self.media.seal_again(key)
        with self.db.write() as tx:
            take_note(tx, SEAL_FILES)


@lru_cache(maxsize=1)
def current() -> Hub:
    """The hub of this process, from its environment. Raises SettingsError."""
    return Hub(settings_module.current())
