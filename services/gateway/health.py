"""Is the process alive, and is the service able to work?"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from services import RELEASED, runtime
from services.channels.state import carriers_of
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.schema import newest, schema_of
from services.store.tables import message, outbox

blueprint = Blueprint("health", __name__)
_STALE_MS = 120_000
_LEAST_FREE_BYTES = 200 * 1024 * 1024


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The store takes a write and has this release's schema, the disk has room, the clock is not before this release,
    nothing has been waiting for its queue for minutes, and an SMS carrier works."""
    site = runtime.current()
    found: dict[str, Any] = {"free_bytes": shutil.disk_usage(site.settings.data_dir).free}
    with site.db.write() as tx:
        tx.execute(outbox.update().where(outbox.c.id == -1).values(state="done"))
    with site.db.read() as tx:
        oldest = tx.execute(
            sa.select(sa.func.min(outbox.c.not_before), sa.func.min(outbox.c.created_at)).where(
                outbox.c.state == "pending", outbox.c.not_before <= now_ms()
            )
        ).one()
        states = tx.execute(sa.select(message.c.state, sa.func.count().label("number")).group_by(message.c.state))
        found["messages"] = {row.state: row.number for row in states}
    waiting_ms = now_ms() - max(filter(None, oldest), default=now_ms())
    found["oldest_outbox_ms"] = waiting_ms
    problems = _of_this_machine(site)
    if waiting_ms > _STALE_MS:
        problems.append("the relay or the queue server is not running")
    if found["free_bytes"] < _LEAST_FREE_BYTES:
        problems.append("the disk is nearly full")
    carriers = carriers_of(site.settings)
    found["carriers"] = {carrier.name: carrier.fault or "works" for carrier in carriers}
    if carriers and all(carrier.fault for carrier in carriers):
        problems.append("no SMS carrier works")
    return jsonify(
        status="ready" if not problems else "not ready", problems=problems, **found
    ), 503 if problems else 200


def _of_this_machine(site: Runtime) -> list[str]:
    """What keeps a gateway from being trusted whose store and disk are well."""
    found = []
    with site.db.read() as tx:
        schema = schema_of(tx)
    if schema not in (None, newest()):
        found.append(f"the store has schema {schema}, this release needs {newest()}")
    if datetime.fromtimestamp(now_ms() / 1000, UTC).date() < RELEASED:
        found.append("the clock is before this release's day")
    return found


@blueprint.get("/phone")
def phone() -> BaseResponse | tuple[str, int]:
    """The trial phone lives with the stand-in carrier; with a live carrier there is none."""
    settings = runtime.current().settings
    if settings.carrier != "simulator":
        return "The trial phone is off: this gateway serves a live carrier.", 404
    host = request.host.rsplit(":", 1)[0]
    return redirect(f"{request.scheme}://{host}:{settings.simulator_port}/phone")
