"""Photographs at the hub, sealed: in a directory, or in whatever else fsspec knows, such as an S3 bucket."""

from __future__ import annotations

import contextlib
from pathlib import Path

from services.durable import write_durably
from services.store.files import is_sealed, key_of, opened, sealed
from services.store.keyring import Keyring


class HubMedia:
    """Files by key, such as `7/12-ab34.jpg`. Every method may raise OSError, or what the store's own driver raises."""

    def __init__(self, url: str, keys: Keyring) -> None:
        """`url` as fsspec reads it: a path, `s3://bucket/prefix`, … Raises ImportError without the store's driver."""
        from fsspec.core import url_to_fs

        self._files, self._root = url_to_fs(url)
        self._keys = keys
        self._local = "file" in _protocols(self._files.protocol)

    def put(self, key: str, content: bytes) -> None:
        """Keeps a file, sealed, whole or not at all; what is there under the key is replaced."""
        content = sealed(content, key, self._keys)
        if self._local:
            write_durably(Path(self._path(key)), content)  # fsspec does not flush to the disk
        else:
            self._files.pipe_file(self._path(key), content)

    def get(self, key: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError, and NotOurs for one that was not sealed here."""
        return opened(self._files.cat_file(self._path(key)), key, self._keys)

    def seal_again(self, key: str) -> bool:
        """Seals a file that an earlier release kept open, or that an old key sealed. Whether it had to; nothing happens
        if it is gone."""
        try:
            content: bytes = self._files.cat_file(self._path(key))
        except FileNotFoundError:
            return False
        if is_sealed(content):
            if key_of(content) == self._keys.ring.current:
                return False
            content = opened(content, key, self._keys)
        self.put(key, content)
        return True

    def delete(self, key: str) -> None:
        """Deletes a file; nothing happens if it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


def _protocols(protocol: str | tuple[str, ...]) -> tuple[str, ...]:
    return (protocol,) if isinstance(protocol, str) else protocol
