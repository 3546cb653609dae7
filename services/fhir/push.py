"""Hands everything that changed to a FHIR server, some screenings at a time, and goes on where it was broken off."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.durable import write_durably
from services.fhir.bundle import Bundle, deletions, transaction
from services.fhir.resources import Names
from services.fhir.source import Cursor, Source
from services.ledger.clients import of_httpx
from services.ledger.meter import NO_METER, Meter

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)
AT_ONCE = 20
_TYPE = "application/fhir+json"
_PATIENCE_S = (1.0, 2.0, 4.0, 8.0, 16.0)
_LONGEST_S = 60.0
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)  # 409: another client's transaction was in the way
_OVERLAP_MS = 600_000  # what was being written while the last push read, or by a clock that was set back a little
_GONE = ("200", "202", "204", "404", "410")


class PushError(Exception):
    """The server did not take something. The text says what it said; the same command goes on from there."""


@dataclass(frozen=True)
class Pushed:
    """How many screenings were taken, in how many bundles."""

    screenings: int
    bundles: int


class Progress:
    """How far each server is, in a file: it outlives a break of any kind."""

    def __init__(self, path: Path, url: str) -> None:
        self._path, self._url = path, url

    def begin(self) -> Cursor:
        """Where to go on: exactly there after a break, and a little before after a push that was complete."""
        known = self._read().get(self._url)
        if known is None:
            return Cursor()
        if known["complete"]:
            return Cursor(max(0, known["at"] - _OVERLAP_MS), 0)
        return Cursor(known["at"], known["number"])

    def keep(self, cursor: Cursor, *, complete: bool) -> None:
        """The server has everything up to here. Raises OSError."""
        known = self._read() | {self._url: {"at": cursor.at, "number": cursor.number, "complete": complete}}
        write_durably(self._path, json.dumps(known, indent=1).encode())

    def _read(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return known
        except (FileNotFoundError, ValueError):
            return {}


def push(
    source: Source,
    url: str,
    names: Names,
    progress: Progress,
    *,
    since: int | None = None,
    token: str = "",
    meter: Meter = NO_METER,
    sleep: Callable[[float], None] = time.sleep,
) -> Pushed:
    """Sends what changed since `since` (ms), or since the last time. Raises PushError, OSError.

    A bundle that was sent twice because its answer was lost changes nothing.
    """
    import httpx

    _refuse_open_lines(url)
    cursor = progress.begin() if since is None else Cursor(since - 1, 0)
    screenings = bundles = 0
    headers = {"Accept": _TYPE, "Content-Type": _TYPE, "Prefer": "return=minimal"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with httpx.Client(headers=headers, timeout=60) as client:
        server = _Server(client, url.rstrip("/"), NO_METER if _is_near(url) else meter, sleep)
        while changes := source.changes(cursor, AT_ONCE):
            records = [change.record for change in changes]
            gone, kept = deletions(records, names), transaction(records, names)
            if gone is not None:
                server.delete(gone)
                bundles += 1
            if kept["entry"]:
                server.send(kept)
                bundles += 1
            cursor = Cursor(changes[-1].at, changes[-1].number)
            progress.keep(cursor, complete=False)
            screenings += len(changes)
    progress.keep(cursor, complete=True)
    return Pushed(screenings, bundles)


class _Server:
    def __init__(self, client: httpx.Client, url: str, meter: Meter, sleep: Callable[[float], None]) -> None:
        self._client, self._url, self._meter, self._sleep = client, url, meter, sleep

    def send(self, bundle: Bundle) -> None:
        """A transaction: all of it was taken when this returns. Raises PushError."""
        statuses = self._post(bundle)
        if len(statuses) != len(bundle["entry"]) or not all(status.startswith("2") for status in statuses):
            raise PushError(f"{self._url} answered without saying that it took everything: {statuses[:5]}")

    def delete(self, bundle: Bundle) -> None:
        """A batch of deletions. Raises PushError if one was refused."""
        refused = [status for status in self._post(bundle) if not status.startswith(_GONE)]
        if refused:
            raise PushError(f"{self._url} refused to delete withdrawn screenings: {refused[0]}")

    def _post(self, bundle: Bundle) -> list[str]:
        content = json.dumps(bundle, separators=(",", ":"), ensure_ascii=False).encode()
        for patience in (*_PATIENCE_S, None):
            problem, wait_s = self._try(content)
            if not isinstance(problem, str):
                return problem
            if patience is None or wait_s is None:
                raise PushError(f"{self._url}: {problem}")
            _LOG.warning("FHIR server", extra={"reason": problem})
            # Jitter: all sites of a programme may push at the same hour.
            self._sleep(min(_LONGEST_S, max(wait_s, patience * random.uniform(0.5, 1.0))))
        raise AssertionError("unreachable")

    def _try(self, content: bytes) -> tuple[list[str] | str, float | None]:
        """The status of each entry; or what is wrong, and the least time to wait, None if waiting cannot help."""
        import httpx

        try:
            answer = self._client.post(self._url, content=content)
        except httpx.InvalidURL as error:
            return str(error), None
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}", 0.0
        self._meter.record("fhir", "fhir", of_httpx(answer))
        body = _json(answer)
        if answer.is_success and body.get("resourceType") == "Bundle":
            entries = body.get("entry")
            return [
                str(entry.get("response", {}).get("status", "")) for entry in entries if isinstance(entry, dict)
            ] if isinstance(entries, list) else [], None
        problem = f"HTTP {answer.status_code}: {_outcome(body) or answer.text[:200].strip() or 'no reason given'}"
        if answer.status_code not in _PASSING:
            return problem, None
        after = answer.headers.get("Retry-After", "")
        return problem, float(after) if after.isdigit() else 0.0


def _outcome(body: dict[str, Any]) -> str:
    """What an OperationOutcome says, and where in the bundle."""
    issues = body.get("issue")
    if body.get("resourceType") != "OperationOutcome" or not isinstance(issues, list):
        return ""
    said = []
    for issue in (each for each in issues if isinstance(each, dict)):
        details = issue.get("details")
        words = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else None)
        where = ", ".join(map(str, issue.get("expression") or issue.get("location") or []))
        said.append(f"{words or issue.get('code') or 'refused'}{f' ({where})' if where else ''}")
    return "; ".join(said)[:500]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refuse_open_lines(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise PushError(f"{url} is no address of a FHIR server: it begins with https://")
    if scheme == "http" and not _is_near(url):
        raise PushError(f"{url}: results of patients go over https only, but to a server of this network")


def _is_near(url: str) -> bool:
    """Whether the server is this machine or stands in this network: no metered link lies between."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False
