"""Serves the web app to the phones of a clinic, over TLS: a second listener, for which nothing else is open.

The gateway trusts its own machine, so it must not be reached through anything that runs here: this is an application of
its own, with the app's two doors and no other.
"""

from __future__ import annotations

import ssl
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from services import logs
from services.gateway import handover, webapp
from services.gateway.certificate import files
from services.settings import Settings

_LARGEST_BODY = 17 * 1024 * 1024
_THREADS = 4


def create_app() -> Flask:
    """The web app's files, and what phones hand over."""
    application = Flask("jicho")
    application.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    for module in (webapp, handover):
        application.register_blueprint(module.blueprint)
    return application


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app()


def serve(settings: Settings) -> None:
    """Serves on JICHO_APP_PORT of every address of this machine, until SIGTERM or SIGINT. Raises OSError where no
    certificate was made."""
    found = files(settings.data_dir)
    found.certificate.open().close()
    _Server(
        {
            "bind": f"0.0.0.0:{settings.app_port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "certfile": str(found.certificate),
            "keyfile": str(found.key),
            "ssl_context": _modern,
            "do_handshake_on_connect": False,  # a slow phone's handshake must not hold up the others
            "control_socket_disable": True,
            "loglevel": settings.log_level.lower(),
            "post_fork": lambda _server, _worker: logs.configure("webapp", settings.log_level),
        }
    ).run()


def _modern(_config: Any, default: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
