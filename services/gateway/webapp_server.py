"""Serves the web app to the phones of a clinic, over TLS: a second listener, for which nothing else is open.

The gateway trusts its own machine, so it must not be reached through anything that runs here: this is an application of
its own, with the app's two doors and no other.
"""

from __future__ import annotations

from flask import Flask

from services import tls_server
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


def serve(settings: Settings) -> None:
    """Serves on JICHO_APP_PORT of every address of this machine, until SIGTERM or SIGINT. Raises OSError where no
    certificate was made."""
    found = files(settings.data_dir)
    found.certificate.open().close()
    tls_server.serve(
        create_app,
        "webapp",
        certificate=found.certificate,
        key=found.key,
        log_level=settings.log_level,
        bind=f"0.0.0.0:{settings.app_port}",
        workers=1,
        threads=_THREADS,
    )
