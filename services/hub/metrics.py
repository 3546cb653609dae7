"""The hub's figures, for a Prometheus that may have them: from the store, so that each process says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request

from services.hub import runtime
from services.metrics.door import require_reader

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

blueprint = Blueprint("metrics", __name__)
_REGISTRY = "jicho-metrics"


def measure(application: Flask) -> None:
    """Has an application know the hub's figures."""
    from services.metrics.exposition import registry_of
    from services.metrics.hub import sections

    application.extensions[_REGISTRY] = registry_of(sections(runtime.current()))
    application.register_blueprint(blueprint)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Every figure as text."""
    from services.metrics.exposition import CONTENT_TYPE, text

    settings = runtime.current().settings
    require_reader(request, settings, proxied=bool(settings.hub_public_url))
    registry: CollectorRegistry = current_app.extensions[_REGISTRY]
    return Response(text(registry), content_type=CONTENT_TYPE)
