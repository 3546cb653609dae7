"""What a result costs on its way to the hub: bytes of body and on the wire, against the same content as JSON."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from services.bench.clinic import day, write_day
from services.bench.hub import HubStack
from services.bench.proxy import Proxy
from services.runtime import Runtime
from services.settings import load
from services.store.migrate import migrate
from services.sync.batch import Batch, Event, decode, encode
from services.sync.client import Answer, HubClient
from services.sync.identity import Identity, enrol
from services.sync.sender import Sender, event_of, next_events

_BATCH, _BATCHES = 50, 8
_HANDSHAKES = 5


def sync() -> dict[str, Any]:
    """Bytes a result in full batches of 50, over a real hub with TLS and a proxy that counts at the socket.

    `body_bytes_per_result`; `wire_bytes_per_result`: request and answer with their headers and TLS records, on a kept
    connection, without the 40 bytes or so that TCP and IP add to each of some five packets a batch. `handshake_bytes`
    a new connection costs before its first request, `report_wire_bytes` a site's report alone. JSON: of the same
    content and precision, a record a request, and gzipped, a batch a request; `…_wire_…` adds to it what a request of
    ours has beside its body.
    """
    with tempfile.TemporaryDirectory(prefix="jicho-sync-") as folder, HubStack() as hub:
        site = Runtime(load({"JICHO_DATA_DIR": folder}, dotenv=Path(folder) / "none"))
        migrate(site.db)
        enrolled = enrol(Path(folder), hub.code("Bench"))
        with Proxy([("127.0.0.1", hub.port)]) as proxy:
            figures = _measure(site, _NotingClient(replace(enrolled, url=f"https://127.0.0.1:{proxy.port}")), proxy)
        site.db.close()
    return figures


class _NotingClient(HubClient):
    """Notes how long the bodies are that it sends."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity)
        self.bodies: list[int] = []

    def post(self, path: str, body: bytes, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        self.bodies.append(len(body))
        return super().post(path, body, purpose=purpose, headers=headers)


def _measure(site: Runtime, client: _NotingClient, proxy: Proxy) -> dict[str, Any]:
    courier = Sender(site, client)
    courier.send()  # before any event goes out, the hub says what it has
    handshake = _handshake(client, proxy)
    with site.db.write() as tx:
        write_day(tx, day(1, _BATCH * _BATCHES))
        events = [event_of(row, client.identity) for row in next_events(tx, _BATCH * _BATCHES)]
    client.bodies.clear()
    wires = []
    for _ in range(_BATCHES):
        if courier.send() != _BATCH:
            raise RuntimeError("a batch was not full")
        wires.append(proxy.take())
    bodies = [*client.bodies]
    courier.send(with_report=True)
    report = proxy.take()
    client.close()
    # At the precision that travels, so that JSON is not charged for digits that ours leaves out.
    records = [_as_json(event) for event in decode(encode(Batch(events))).events]
    batches = [b"[" + b",".join(records[at : at + _BATCH]) + b"]" for at in range(0, len(records), _BATCH)]
    zipped = mean(len(gzip.compress(each, 9)) for each in batches)
    beside = mean(wires) - mean(bodies)  # headers, TLS records and the answer of one request
    return {
        "body_bytes_per_result": round(mean(bodies) / _BATCH, 2),
        "wire_bytes_per_result": round(mean(wires) / _BATCH, 2),
        "json_bytes_per_result": round(mean(map(len, records)), 2),
        "gzip_json_bytes_per_result": round(zipped / _BATCH, 2),
        "json_wire_bytes_per_result": round(mean(map(len, records)) + beside, 2),
        "gzip_json_wire_bytes_per_result": round((zipped + beside) / _BATCH, 2),
        "largest_body_bytes_per_result": round(max(bodies) / _BATCH, 2),
        "handshake_bytes": handshake,
        "report_wire_bytes": report,
        "results": len(events),
    }


def _handshake(client: HubClient, proxy: Proxy) -> int:
    """What the first request of a connection costs more than the second one."""
    found = []
    for _ in range(_HANDSHAKES):
        client.close()
        proxy.take()
        client.get("/healthz", purpose="results")
        first = proxy.take()
        client.get("/healthz", purpose="results")
        found.append(first - proxy.take())
    return round(mean(found))


def _as_json(event: Event) -> bytes:
    """A record as one would write it: compact, with the model's name in place of its thresholds and fingerprint."""
    readings = [
        dict(each, model=" ".join(each["model"][name] for name in ("name", "version", "tier")))
        for each in event.content["readings"]
    ]
    key = event.patient.hex() if event.patient else None
    record = {"seq": event.seq, "screening": event.ref, "patient": key, **event.content, "readings": readings}
    return json.dumps(record, separators=(",", ":")).encode()
