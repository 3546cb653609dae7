"""Health workers who screen on while everything around them fails, and note what they were promised.

A dialogue that breaks off is begun anew by another worker. A photograph is repeated, with the same number, until the
gateway says that it has it, as carriers do; some come twice although it said so, and the two eyes in either order.
"""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from services.bench.live import SECRETS, LiveStack
from services.bench.pipeline import open_screening
from services.bench.stack import NotInTime
from services.channels.simulator import network

_TWICE_SHARE, _WHATSAPP_SHARE = 0.2, 0.3
_REFERABLE_SHARE = 0.12
_REPEAT_S, _GIVE_UP_S = 0.3, 900.0
_FAULTS = (httpx.HTTPError, IndexError, KeyError, ValueError)


@dataclass(frozen=True)
class Promise:
    """One photograph that the gateway took."""

    worker: str
    code: str
    eye: str

    @property
    def about(self) -> str:
        """How the worker names it in a caption, and how a result for her begins."""
        return f"{self.code} {self.eye}"


@dataclass
class Promises:
    """What all workers were promised so far."""

    kept: list[Promise] = field(default_factory=list)
    screenings: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, promises: list[Promise]) -> None:
        with self.lock:
            self.kept += promises
            self.screenings += 1


class Worker:
    """One health worker; makes screenings one after the other."""

    def __init__(
        self, stack: LiveStack, numbers: list[str], seed: int, healthy: list[bytes], referable: list[bytes]
    ) -> None:
        self._stack, self._numbers, self._random = stack, numbers, random.Random(seed)
        self._healthy, self._referable = healthy, referable
        self._http = httpx.Client(timeout=15)

    def screen(self) -> list[Promise]:
        """One patient, both eyes. Raises NotInTime after a quarter of an hour without success."""
        until = time.monotonic() + _GIVE_UP_S
        number, code = self._open(until)
        refers = self._random.random() < _REFERABLE_SHARE
        eyes = ["left", "right"]
        self._random.shuffle(eyes)
        promised = []
        for eye in eyes:
            picture = self._random.choice(self._referable if refers and eye == "left" else self._healthy)
            post = self._photograph(number, _unlike_others(picture), f"{code} {eye}")
            self._until_taken(post, until)
            if self._random.random() < _TWICE_SHARE:
                self._until_taken(post, until)
            promised.append(Promise(number, code, eye))
        return promised

    def _open(self, until: float) -> tuple[str, str]:
        while True:
            number = self._numbers[0]
            self._numbers.append(self._numbers.pop(0))
            try:
                return number, open_screening(self._stack, number)
            except _FAULTS:
                _pause(until)

    def _photograph(self, number: str, content: bytes, caption: str) -> Callable[[], httpx.Response]:
        """How to post one photograph; each time it is the same message."""
        if self._random.random() < _WHATSAPP_SHARE:
            return self._whatsapp(number, content, caption)
        body, content_type = network.deliver_req(uuid.uuid4().hex, number, content, "image/jpeg", caption)
        url = f"{self._stack.gateway_url}/mm7/{SECRETS['JICHO_MM7_TOKEN']}"
        return lambda: self._http.post(url, content=body, headers={"Content-Type": content_type})

    def _whatsapp(self, number: str, content: bytes, caption: str) -> Callable[[], httpx.Response]:
        own, bare = SECRETS["JICHO_WHATSAPP_PHONE_NUMBER_ID"], number.removeprefix("+")
        uploaded: list[str] = []

        def post() -> httpx.Response:
            if not uploaded:
                answer = self._http.post(
                    f"{self._stack.carrier_url}/v23.0/{own}/media",
                    headers={"Authorization": f"Bearer {SECRETS['JICHO_WHATSAPP_ACCESS_TOKEN']}"},
                    data={"messaging_product": "whatsapp", "type": "image/jpeg"},
                    files={"file": ("eye.jpg", content, "image/jpeg")},
                )
                answer.raise_for_status()
                uploaded.append(answer.json()["id"])
            image = network.image_of(uploaded[0], content, "image/jpeg", caption)
            message: dict[str, object] = {
                "id": identity,
                "timestamp": str(int(time.time())),
                "type": "image",
                "image": image,
            }
            value = {
                "contacts": [{"profile": {"name": "Trial"}, "user_id": f"KE.{bare}", "wa_id": bare}],
                "messages": [message],
            }
            secret = SECRETS["JICHO_WHATSAPP_APP_SECRET"]
            raw, headers = network.webhook(value, phone_number_id=own, app_secret=secret)
            return self._http.post(f"{self._stack.gateway_url}/whatsapp", content=raw, headers=headers)

        identity = f"wamid.{uuid.uuid4().hex}"
        return post

    def _until_taken(self, post: Callable[[], httpx.Response], until: float) -> None:
        while True:
            try:
                if post().status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            _pause(until)


class Clinic:
    """Several workers at once, each in a thread; they make as many screenings as are asked for."""

    def __init__(self, stack: LiveStack, numbers: list[str], hands: int, eyes: tuple[list[bytes], list[bytes]]) -> None:
        self.promises = Promises()
        self.failed: list[str] = []
        self._wanted: queue.Queue[bool] = queue.Queue()
        share = len(numbers) // hands
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(Worker(stack, numbers[one * share : (one + 1) * share], one, *eyes),),
                daemon=True,
            )
            for one in range(hands)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, screenings: int) -> None:
        for _ in range(screenings):
            self._wanted.put(True)

    @property
    def behind(self) -> int:
        """Screenings asked for and not begun."""
        return self._wanted.qsize()

    def end(self) -> None:
        """Returns when all that was asked for is made."""
        for _ in self._threads:
            self._wanted.put(False)
        for thread in self._threads:
            thread.join()

    def _work(self, worker: Worker) -> None:
        while self._wanted.get():
            try:
                self.promises.add(worker.screen())
            except NotInTime as problem:
                self.failed.append(str(problem))


def _unlike_others(picture: bytes) -> bytes:
    """The same photograph as another file: a comment of its own."""
    return picture[:2] + b"\xff\xfe" + (18).to_bytes(2, "big") + uuid.uuid4().bytes + picture[2:]


def _pause(until: float) -> None:
    if time.monotonic() > until:
        raise NotInTime(f"no success within {_GIVE_UP_S:.0f} s")
    time.sleep(_REPEAT_S)
