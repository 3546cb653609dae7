"""Settings as they are, without secrets, and which were changed from what comes with Jicho."""

from __future__ import annotations

from flask import Blueprint, render_template
from pydantic import SecretStr

from services import runtime
from services.gateway.console.words import words
from services.settings import Settings

blueprint = Blueprint("configured", __name__, url_prefix="/console")
_ADDRESSES = ("database_url", "redis_url", "hub_database_url", "hub_media_url")
"""Addresses that may hold a password."""


@blueprint.get("/settings")
def page() -> str:
    """Every setting by its name."""
    settings = runtime.current().settings
    rows = [
        {
            "name": field.alias or f"JICHO_{name.upper()}",
            "value": _shown(name, getattr(settings, name)),
            "about": field.description,
            "given": getattr(settings, name) != field.get_default(call_default_factory=True),
        }
        for name, field in Settings.model_fields.items()
    ]
    return render_template("console/configured.html", rows=rows)


def _shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return words("setting-secret" if value.get_secret_value() else "setting-empty")
    if name in _ADDRESSES:
        return words("setting-set" if value else "setting-empty")
    if value is None or value in ("", (), frozenset()):
        return words("setting-empty")
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(sorted(map(str, value)))
    return str(value)
