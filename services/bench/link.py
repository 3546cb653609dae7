"""A poor link between a site and the hub: slow, far, lossy, and away for a time.

Where the kernel permits, a site runs in a network namespace of its own and `tc netem` shapes both directions of the
cable to it; a silent cable is one that loses everything, as a mast without power does. Elsewhere a proxy on loopback
holds back, limits and cuts the streams. `kind` says which it was.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import threading
from contextlib import suppress
from typing import Protocol

RATE_KBIT, DELAY_MS, LOSS_PERCENT = 500, 200, 3  # each direction: a round trip takes twice the delay
_PACKET = 1460  # bytes
_NETWORK = "10.177.{}.{}"


class Link(Protocol):
    """`host` and `port` are where the site finds the hub; `prefix` goes before the site's command."""

    kind: str
    host: str
    port: int
    prefix: list[str]

    def raise_up(self) -> None: ...

    def cut(self) -> None: ...

    def close(self) -> None: ...


def namespaces_permitted() -> bool:
    """Whether this process may make network namespaces and shape their cables."""
    if os.geteuid() != 0:
        return False
    name = f"jicho-try-{os.getpid()}"
    try:
        ip("netns", "add", name)
        run("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        with suppress(OSError, subprocess.CalledProcessError):
            ip("netns", "del", name)
    return True


class NamespaceLink:
    """A cable from the hub's namespace into one of the site's own. Raises subprocess.CalledProcessError."""

    kind = "network namespace and tc netem"

    def __init__(self, number: int, port: int) -> None:
        self.port = port
        self.host = _NETWORK.format(number, 1)
        self._space = f"jicho-{os.getpid()}-{number}"
        self._ours, theirs = f"jh{os.getpid() % 10**6}.{number}", f"js{os.getpid() % 10**6}.{number}"
        self.prefix = ["ip", "netns", "exec", self._space]
        ip("netns", "add", self._space)
        # One packet a frame: the kernel would otherwise lose, or delay, forty at once.
        ip("link", "add", self._ours, "gso_max_segs", "1", "type", "veth", "peer", "name", theirs, "gso_max_segs", "1")
        ip("link", "set", theirs, "netns", self._space)
        ip("addr", "add", f"{self.host}/24", "dev", self._ours)
        ip("link", "set", self._ours, "up")
        for words in (
            ("addr", "add", f"{_NETWORK.format(number, 2)}/24", "dev", theirs),
            ("link", "set", theirs, "up"),
            ("link", "set", "lo", "up"),
        ):
            run(*self.prefix, "ip", *words)
        self._ends = ((["tc"], self._ours), ([*self.prefix, "tc"], theirs))
        for tc, device in self._ends:
            run(*tc, "qdisc", "add", "dev", device, "root", "netem", *_shape(LOSS_PERCENT))

    def raise_up(self) -> None:
        self._lose(LOSS_PERCENT)

    def cut(self) -> None:
        self._lose(100)

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", self._space)

    def _lose(self, percent: int) -> None:
        for tc, device in self._ends:
            run(*tc, "qdisc", "change", "dev", device, "root", "netem", *_shape(percent))


def _shape(loss: int) -> list[str]:
    return ["delay", f"{DELAY_MS}ms", "loss", f"{loss}%", "rate", f"{RATE_KBIT}kbit", "limit", "200"]


def ip(*words: str) -> None:
    """Runs `ip`. Raises OSError, subprocess.CalledProcessError."""
    run("ip", *words)


def run(*command: str) -> None:
    """Runs a command of the system. Raises OSError, subprocess.CalledProcessError."""
    subprocess.run(command, check=True, capture_output=True)


class ProxyLink:
    """The same with a proxy on loopback in front of a hub at 127.0.0.1. It carries streams, so a lost packet is what
    TCP makes of it: the stream stands still for a round trip. A cut is silent or a reset, by chance; after a silent one
    the old streams are gone, as a mobile network forgets them."""

    kind = "proxy on loopback; a lost packet holds its stream for a round trip"

    def __init__(self, number: int, port: int) -> None:
        self.host = "127.0.0.1"
        self.prefix: list[str] = []
        self._hub_port, self._random = port, random.Random(number)
        self._streams: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._passable = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._meet, "127.0.0.1", 0), self._loop)
        self._server = starting.result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        self.raise_up()

    def raise_up(self) -> None:
        self._loop.call_soon_threadsafe(self._drop)
        self._loop.call_soon_threadsafe(self._passable.set)

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._passable.clear)
        if self._random.random() < 0.5:
            self._loop.call_soon_threadsafe(self._drop)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _drop(self) -> None:
        for stream in list(self._streams):
            stream.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        back = None
        try:
            await self._passable.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._hub_port)
            self._streams.add(back)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        except OSError:
            pass
        finally:
            for stream in filter(None, (writer, back)):
                stream.transport.abort()
                self._streams.discard(stream)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Each block leaves when the line before it is free, and arrives a delay later."""
        underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
        arriving = asyncio.create_task(self._arrive(underway, writer))
        free, block = 0.0, b"-"
        try:
            while block:
                block = await reader.read(_PACKET)
                await self._passable.wait()
                free = max(free, self._loop.time()) + len(block) * 8 / (RATE_KBIT * 1000)
                if self._random.random() < LOSS_PERCENT / 100:
                    free += 2 * DELAY_MS / 1000
                await asyncio.sleep(free - self._loop.time())
                await underway.put((free + DELAY_MS / 1000, block))
            await arriving
        finally:
            arriving.cancel()

    async def _arrive(self, underway: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            at, block = await underway.get()
            await asyncio.sleep(at - self._loop.time())
            await self._passable.wait()
            if not block:
                writer.write_eof() if writer.can_write_eof() else writer.close()
                return
            writer.write(block)
            await writer.drain()


def links(count: int, hub_port: int) -> list[Link]:
    """One link a site, of the best kind there is, to a hub that listens on every address."""
    kind = NamespaceLink if namespaces_permitted() else ProxyLink
    return [kind(number, hub_port) for number in range(1, count + 1)]
