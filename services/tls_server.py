"""An application behind gunicorn, over TLS: the hub's, and the web app's own door."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from services import logs


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, create: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._create, self._options = create, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._create()


def serve(
    create: Callable[[], Flask], name: str, *, certificate: Path, key: Path, log_level: str, **options: Any
) -> None:
    """Serves what `create` makes, in each process anew, until SIGTERM or SIGINT. `options` are gunicorn's: `bind`,
    `workers`, `threads` and others."""
    common = {
        "worker_class": "gthread",
        "certfile": str(certificate),
        "keyfile": str(key),
        "ssl_context": _modern,
        "do_handshake_on_connect": False,  # a slow link's handshake must not hold the thread that accepts the others
        "control_socket_disable": True,
        "loglevel": log_level.lower(),
        "post_fork": lambda _server, _worker: logs.configure(name, log_level),
    }
    _Server(create, common | options).run()


def _modern(_config: Any, default: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
