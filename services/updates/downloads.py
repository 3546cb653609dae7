"""How TUF's client fetches: over the site's one connection to the hub, and files from where the last attempt broke."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    RepositoryError,
    SlowRetrievalError,
)
from tuf.ngclient.fetcher import FetcherInterface

from services.sync.client import HubError

METADATA, TARGETS = "/updates/metadata/", "/updates/targets/"
_STEP = 256 * 1024
"""Bytes between two questions whether to go on, and between two moments when what came is safe from a power cut."""
_WINDOW_S = 60.0
_LEAST_IN_WINDOW = 8 * 1024
"""A connection that brings less in a minute is given up: whoever trickles bytes would keep a site from news for ever.
The worst link that Jicho is made for, 0.5 Mbit/s shared, brings a hundred times as much."""


class Streams(Protocol):
    """What is needed of services.sync.client.HubClient."""

    def stream(self, path: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Iterator[bytes]: ...


class HubFetcher(FetcherInterface):
    """Fetches metadata into memory and targets into `partial`, where a file stays until it is complete. `go_on` is
    asked for a purpose ("models", "voices") again and again, and may raise to stop; what came until then is kept."""

    def __init__(
        self,
        client: Streams,
        partial: Path,
        go_on: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._partial, self._go_on, self._clock = client, partial, go_on, clock

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._stream(url, {})

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """As in FetcherInterface. Besides, what `go_on` raises."""
        if not url.startswith(TARGETS):
            with super().download_file(url, max_length) as file:
                yield file
            return
        self._partial.mkdir(parents=True, exist_ok=True)
        path = self._partial / url.rpartition("/")[2]  # begins with the hash of what it will be
        with open(path, "a+b") as file:
            self._complete(url, file, max_length)
            file.seek(0)
            try:
                yield file
            except RepositoryError:
                path.unlink(missing_ok=True)  # not what was signed: nothing of it is worth keeping
                raise
        path.unlink(missing_ok=True)

    def _complete(self, url: str, file: IO[bytes], length: int) -> None:
        size = file.seek(0, os.SEEK_END)
        if size > length:
            size = file.truncate(0)
        if size == length:
            return
        try:
            self._append(url, file, size, length)
        except DownloadHTTPError as error:
            # 416: there is less of it than we have, so ours is of something else. 200: it can only be had whole.
            if not size or error.status_code not in (200, 416):
                raise
            file.truncate(0)
            self._append(url, file, 0, length)

    def _append(self, url: str, file: IO[bytes], size: int, length: int) -> None:
        self._go_on(_purpose(url))
        safe = size
        try:
            for block in self._stream(url, {"Range": f"bytes={size}-"} if size else {}):
                size += len(block)
                if size > length:
                    file.truncate(0)
                    raise DownloadLengthMismatchError(f"{url}: more than the {length} bytes that were signed")
                file.write(block)
                if size - safe >= _STEP:
                    safe = _flush(file, size)
                    self._go_on(_purpose(url))
        finally:
            _flush(file, size)
        if size < length:
            problem = f"{url}: broke off after {size} of {length} bytes"
            raise DownloadError(problem) from HubError(problem, permanent=False)

    def _stream(self, url: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        came, since = 0, self._clock()
        try:
            for block in self._client.stream(url, purpose=_purpose(url), headers=headers):
                yield block
                came += len(block)
                now = self._clock()
                if now - since >= _WINDOW_S:
                    if came < _LEAST_IN_WINDOW:
                        problem = f"{url}: {came} bytes in {now - since:.0f} s"
                        raise SlowRetrievalError(problem) from HubError(problem, permanent=False)
                    came, since = 0, now
        except HubError as error:
            if error.status:
                raise DownloadHTTPError(f"{url}: {error.reason}", error.status) from error
            raise DownloadError(f"{url}: {error.reason}") from error


def _purpose(url: str) -> str:
    return "voices" if url.startswith(f"{TARGETS}voices/") else "models"


def _flush(file: IO[bytes], size: int) -> int:
    file.flush()
    os.fsync(file.fileno())
    return size
