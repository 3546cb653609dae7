"""Who did and saw what, for administrators."""

from __future__ import annotations

import json

from flask import Blueprint, render_template

from services import runtime
from services.store import audit

blueprint = Blueprint("log", __name__, url_prefix="/console")
_SHOWN = 200


@blueprint.get("/log")
def page() -> str:
    """The newest entries of the audit log, and whether its chain holds."""
    with runtime.current().db.read() as tx:
        found = audit.newest(tx, _SHOWN)
    entries = [entry | {"detail": json.loads(entry["detail"])} for entry in reversed(found)]
    return render_template("console/log.html", entries=entries, shown=_SHOWN)
