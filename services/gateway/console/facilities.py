"""Where referred patients are sent: listed, changed, imported and exported as the command line does it."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services import runtime
from services.gateway.console.access import noted
from services.screening import facilities
from services.screening.facility_table import (
    COLUMNS,
    BadFacility,
    BadTable,
    from_words,
    read_table,
    to_words,
    write_table,
)
from services.screening.referral_report import referrals_by_facility

blueprint = Blueprint("facilities", __name__, url_prefix="/console/facilities")
Answer = AnyResponse | tuple[str, int]


@blueprint.get("")
def page() -> str:
    """Every facility with what became of its referrals; `?number=` fills the form with one."""
    return _page()


@blueprint.get("/facilities.csv")
def table() -> Response:
    """The list as a spreadsheet reads it."""
    with runtime.current().db.read() as tx:
        content = write_table(facilities.listed(tx))
    return Response(
        content, mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=facilities.csv"}
    )


@blueprint.post("")
def save() -> Answer:
    """Lists a facility, or changes what is known of the one of this name and town."""
    try:
        new = from_words({column: request.form.get(column, "") for column in COLUMNS})
    except BadFacility as problem:
        return _page(str(problem), typed=dict(request.form)), 422
    with runtime.current().db.write() as tx:
        facilities.put(tx, new)
        noted(tx, "facility-save", f"facility:{new.place}")
    return redirect(url_for("facilities.page"))


@blueprint.post("/remove")
def remove() -> Answer:
    """Sends nobody there any more."""
    number = request.form.get("number", 0, type=int)
    with runtime.current().db.write() as tx:
        if facilities.remove(tx, number):
            noted(tx, "facility-remove", f"facility:{number}")
    return redirect(url_for("facilities.page"))


@blueprint.post("/import")
def take() -> Answer:
    """Every row of a CSV, or none if one is wrong."""
    file = request.files.get("table")
    try:
        found = read_table(file.read().decode() if file else "")
    except UnicodeDecodeError:
        return _page("it is not in UTF-8: save it as “CSV UTF-8”"), 422
    except BadTable as problem:
        return _page(str(problem)), 422
    with runtime.current().db.write() as tx:
        facilities.put_all(tx, found)
        noted(tx, "facility-import", rows=len(found))
    return redirect(url_for("facilities.page"))


def _page(problem: str = "", *, typed: dict[str, str] | None = None) -> str:
    with runtime.current().db.read() as tx:
        listed, chosen = facilities.listed(tx), facilities.nearest(tx)
        report = {each.place: each for each in referrals_by_facility(tx)}
    number = request.args.get("number", 0, type=int)
    shown = typed or next((to_words(each) for each in listed if each.id == number), {})
    return render_template(
        "console/facilities.html",
        listed=listed,
        chosen=chosen,
        report=report,
        shown=shown,
        problems=problem.splitlines(),
    )
