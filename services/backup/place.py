"""What is copied: the store of a site or a hub and the files beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values

from services.settings import Settings

Role = Literal["site", "hub"]
_MADE_ANEW = frozenset({"backup", "queue", "speech-cache"})
"""Folders of what can be made again: older copies, the disposable queue, rendered sounds."""
_OF_THIS_MACHINE = frozenset({"launcher.lock", "probes.json", "strain.json", "link.json"})
_SETTINGS = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Place:
    """A directory, the store that belongs to it, and the keys of that store, which lie elsewhere."""

    role: Role
    directory: Path
    store_url: str
    store_file: Path
    keys: Path | None
    """The keyring; None to leave it out."""
    not_ours: tuple[Path, ...] = ()
    """Directories inside this one that belong to another program."""

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that a copy must hold besides the store: its path below `directory`, and where it is. Whatever a
        later release keeps there is in it unless it is named above. Raises OSError."""
        for folder, folders, names in os.walk(self.directory, onerror=_raise):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._wanted(here / name))
            for name in sorted(names):
                path = here / name
                if path.is_file() and not path.is_symlink() and not self._left_out(path):
                    yield path.relative_to(self.directory).as_posix(), path

    def _wanted(self, folder: Path) -> bool:
        if folder.is_symlink() or folder.resolve() in self.not_ours:
            return False
        return folder.parent != self.directory or folder.name not in _MADE_ANEW

    def _left_out(self, path: Path) -> bool:
        of_store = path.parent == self.store_file.parent and path.name.startswith(self.store_file.name)
        return of_store or path.name in _OF_THIS_MACHINE or path.name.startswith(".writing-")


def site_place(settings: Settings) -> Place:
    """This machine's site."""
    directory = settings.data_dir
    others = () if settings.hub_dir == directory else (settings.hub_dir.resolve(),)
    return Place("site", directory, settings.store_url, directory / "jicho.db", settings.keyring_path, others)


def hub_place(settings: Settings) -> Place:
    """This machine's hub. Photographs that it keeps in a bucket are the bucket's to copy."""
    directory = settings.hub_dir
    return Place("hub", directory, settings.hub_store_url, directory / "hub.db", settings.hub_keyring_path)


def settings_given(dotenv: Path = Path(".env")) -> dict[str, str]:
    """The settings that somebody set, by the names they have in the environment and in `.env`."""
    given = {**dotenv_values(dotenv), **os.environ} if dotenv.is_file() else dict(os.environ)
    return {k: v for k, v in sorted(given.items()) if v is not None and (k.startswith("JICHO_") or k in _SETTINGS)}


def _raise(error: OSError) -> None:
    raise error
