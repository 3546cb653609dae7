"""The only way to the hub: signed requests over one pinned, counted connection."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.sync.connection import Connection, trusting

if TYPE_CHECKING:
    from services.runtime import Runtime
    from services.sync.identity import Identity

TIMEOUT_S = 30.0
_LARGEST_ANSWER = 4 * 1024 * 1024
_BLOCK = 16 * 1024
Count = Callable[[str, int, int], None]
"""Takes purpose, bytes sent, bytes received."""


class HubError(Exception):
    """The hub did not do what it was asked. `permanent`: the same request will fail again. `status` is that of HTTP, 0
    when no answer came."""

    def __init__(self, reason: str, *, permanent: bool, status: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.permanent, self.status = reason, permanent, status


@dataclass(frozen=True)
class Answer:
    """What the hub answered; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HubClient:
    """Talks to the hub as one site, in one thread. Every request names the purpose that its bytes are counted for."""

    def __init__(self, identity: Identity, *, count: Count | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.identity = identity
        self._count = count
        where = urlsplit(identity.url)
        self._connection = Connection(
            where.hostname or "", where.port, trusting(identity.certificate), timeout_s=timeout_s
        )

    def __enter__(self) -> HubClient:
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    @property
    def sent(self) -> int:
        """Bytes that went out over the wire, handshakes included."""
        return self._connection.sent

    @property
    def received(self) -> int:
        """Bytes that came in over the wire, handshakes included."""
        return self._connection.received

    def get(self, path: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET. Raises HubError, also for a status from 400 on."""
        return self.request("GET", path, purpose=purpose, headers=headers)

    def head(self, path: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """HEAD. Raises HubError, also for a status from 400 on."""
        return self.request("HEAD", path, purpose=purpose, headers=headers)

    def post(self, path: str, body: bytes, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """POST. Raises HubError, also for a status from 400 on."""
        return self.request("POST", path, body, purpose=purpose, headers=headers)

    def patch(self, path: str, body: bytes, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """PATCH. Raises HubError, also for a status from 400 on."""
        return self.request("PATCH", path, body, purpose=purpose, headers=headers)

    def delete(self, path: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """DELETE. Raises HubError, also for a status from 400 on."""
        return self.request("DELETE", path, purpose=purpose, headers=headers)

    def request(
        self, method: str, path: str, body: bytes = b"", *, purpose: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with its whole answer, of 4 MiB at most. Raises HubError, also for a status from 400 on."""
        with self._counted(purpose), self._asked(method, path, body, headers) as response:
            content = response.read(_LARGEST_ANSWER + 1)
            if len(content) > _LARGEST_ANSWER:
                self.close()
                raise HubError("the hub's answer is too long", permanent=True, status=response.status)
            answer = Answer(response.status, _lower(response), content)
        return _checked(answer)

    def stream(self, path: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """GET, block by block as they come: for files that are written as they arrive. Raises HubError, also for a
        status from 400 on, and with status 200 when a Range was asked for and the whole came (a proxy's doing). An
        answer that breaks off may also just end. A caller that stops early gives up the connection."""
        with self._counted(purpose), self._asked("GET", path, b"", headers) as response:
            if response.status >= 400:
                _checked(Answer(response.status, _lower(response), response.read(_BLOCK)))
            try:
                if response.status == 200 and "Range" in (headers or {}):
                    raise HubError("the whole came where a part was asked for", permanent=True, status=200)
                while block := response.read1(_BLOCK):  # what is there: who sends a byte a minute is noticed
                    yield block
                if not response.length:
                    response.close()  # read1 does not notice its end, and the connection would be given up for it
            finally:
                if not response.isclosed():
                    self.close()

    def close(self) -> None:
        """Gives the connection up; the next request makes a new one."""
        self._connection.close()

    @contextmanager
    def _asked(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer's head. A kept connection that the other end gave up meanwhile is made anew, once: every request
        may reach the hub twice with one effect. A piece of a photograph would cost its bytes twice, though: there the
        hub is asked first what it has."""
        kept = self._connection.sock is not None
        try:
            try:
                response = self._send(method, path, body, headers)
            except (ConnectionError, ssl.SSLEOFError, http.client.BadStatusLine):
                if not kept or method == "PATCH":
                    raise
                self.close()
                response = self._send(method, path, body, headers)
            yield response
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise HubError(f"{type(error).__name__}: {error}", permanent=False) from error

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> http.client.HTTPResponse:
        connection = self._connection
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Authorization", self.identity.authorization(method, path, body))
        if body or method in ("POST", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        return connection.getresponse()

    @contextmanager
    def _counted(self, purpose: str) -> Iterator[None]:
        before = self.sent, self.received
        try:
            yield
        finally:
            if self._count is not None:
                self._count(purpose, self.sent - before[0], self.received - before[1])


def hub_client(site: Runtime) -> HubClient:
    """The client of an enrolled site. Raises services.sync.identity.NotEnrolled."""
    from services.sync.identity import load

    return HubClient(load(site.settings.data_dir), count=site.tally.hub)


def _checked(answer: Answer) -> Answer:
    if answer.status < 400:
        return answer
    try:
        reason = str(json.loads(answer.body)["error"])
    except (ValueError, KeyError, TypeError):
        reason = http.client.responses.get(answer.status, "refused")
    # 408 and 429 ask to come again; so does anything that is the hub's own fault.
    permanent = answer.status < 500 and answer.status not in (408, 425, 429)
    raise HubError(reason, permanent=permanent, status=answer.status)


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
