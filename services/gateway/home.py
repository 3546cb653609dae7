"""The front page: what this is and where to go from here."""

from __future__ import annotations

from flask import Blueprint, render_template

from services import runtime

blueprint = Blueprint("home", __name__, template_folder="templates")


@blueprint.get("/")
def front() -> str:
    """For whoever opens the address that `make run` prints."""
    settings = runtime.current().settings
    return render_template("home.html", trial=settings.carrier == "simulator", code=settings.ussd_code)
