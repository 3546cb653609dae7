"""Serves the hub: gunicorn, several processes of several threads, over TLS."""

from __future__ import annotations

import ssl
from typing import Any

from gunicorn.app.base import BaseApplication

from services import logs
from services.hub import runtime
from services.hub.certificate import certificate_of
from services.hub.work import work_here
from services.settings import Settings

_KEEP_S = 330  # sites send every 300 s: their connection stays, and with it the handshake's kilobytes
_CONNECTIONS = 4_000  # of each process; an idle site holds one


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
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
    _Server(
        {
            "bind": f"{settings.hub_host}:{settings.hub_port}",
            "worker_class": "gthread",
            # SQLite has one writer: a second process would only wait for it.
            "workers": 1 if one_writer else settings.hub_processes,
            "threads": settings.hub_threads,
            "worker_connections": _CONNECTIONS,
            "keepalive": _KEEP_S,
            "certfile": str(certificate.certificate),
            "keyfile": str(certificate.key),
            "ssl_context": _modern,
            "do_handshake_on_connect": False,  # a slow site's handshake must not hold the process's accepting thread
            "control_socket_disable": True,
            "loglevel": settings.log_level.lower(),
            "post_fork": lambda _server, _worker: logs.configure("hub", settings.log_level),
            "post_worker_init": lambda _worker: None if settings.redis_url else work_here(),
        }
    ).run()


def _modern(_config: Any, default: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
