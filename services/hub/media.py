"""Photographs at the hub: a directory by default, or whatever else fsspec knows, such as an S3 bucket in production."""

from __future__ import annotations

import contextlib
from pathlib import Path

from services.durable import write_durably


class HubMedia:
    """Files by key, such as `7/12-ab34.jpg`. Every method may raise OSError, or what the store's own driver raises."""

    def __init__(self, url: str) -> None:
        """`url` as fsspec reads it: a path, `s3://bucket/prefix`, … Raises ImportError without the store's driver."""
        from fsspec.core import url_to_fs

        self._files, self._root = url_to_fs(url)
        self._local = "file" in _protocols(self._files.protocol)

    def put(self, key: str, content: bytes) -> None:
        """Keeps a file, whole or not at all; what is there under the key is replaced."""
        if self._local:
            write_durably(Path(self._path(key)), content)  # fsspec does not flush to the disk
        else:
            self._files.pipe_file(self._path(key), content)

    def get(self, key: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError."""
        content: bytes = self._files.cat_file(self._path(key))
        return content

    def delete(self, key: str) -> None:
        """Deletes a file; nothing happens if it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


def _protocols(protocol: str | tuple[str, ...]) -> tuple[str, ...]:
    return (protocol,) if isinstance(protocol, str) else protocol
