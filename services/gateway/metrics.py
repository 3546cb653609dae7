"""The site's figures, for a Prometheus that may have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request

from services import runtime
from services.metrics.door import require_reader

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

blueprint = Blueprint("metrics", __name__)
_REGISTRY = "jicho-metrics"


def measure(application: Flask) -> None:
    """Has an application count its requests, and know the site's figures."""
    from services.metrics.exposition import registry_of
    from services.metrics.requests import time_requests
    from services.metrics.site import sections

    registry = registry_of(sections(runtime.current()))
    application.extensions[_REGISTRY] = registry
    application.register_blueprint(blueprint)
    time_requests(application, registry)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Every figure as text."""
    from services.metrics.exposition import CONTENT_TYPE, text

    settings = runtime.current().settings
    require_reader(request, settings, proxied=bool(settings.public_url))
    registry: CollectorRegistry = current_app.extensions[_REGISTRY]
    return Response(text(registry), content_type=CONTENT_TYPE)
