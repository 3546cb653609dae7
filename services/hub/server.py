"""Serves the hub: gunicorn, several processes of several threads, over TLS."""

from __future__ import annotations

from flask import Flask

from services import tls_server
from services.hub import runtime
from services.hub.certificate import certificate_of
from services.hub.work import work_here
from services.settings import Settings

_KEEP_S = 330  # sites send every 300 s: their connection stays, and with it the handshake's kilobytes
_CONNECTIONS = 4_000  # of each process; an idle site holds one


def _create() -> Flask:
    from services.hub.application import create_hub

    return create_hub()


def serve(settings: Settings) -> None:
    """Migrates the hub's store and serves until SIGTERM or SIGINT. Raises OSError, ValueError for a bad certificate."""
    hub = runtime.current()
    hub.migrate()
    one_writer = hub.db.is_sqlite
    hub.db.close()  # its connections must not be shared with the processes that gunicorn forks
    runtime.current.cache_clear()
    certificate = certificate_of(settings)
    tls_server.serve(
        _create,
        "hub",
        certificate=certificate.certificate,
        key=certificate.key,
        log_level=settings.log_level,
        bind=f"{settings.hub_host}:{settings.hub_port}",
        # SQLite has one writer: a second process would only wait for it.
        workers=1 if one_writer else settings.hub_processes,
        threads=settings.hub_threads,
        worker_connections=_CONNECTIONS,
        keepalive=_KEEP_S,
        post_worker_init=lambda _worker: None if settings.redis_url else work_here(),
    )
