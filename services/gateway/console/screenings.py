"""One screening: its photographs, what the model and people found, what was sent; and the form for what one finds."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from flows.catalogue import messages
from services import runtime
from services.gateway.console.access import may, noted, noted_alone, role_of_review, signed_in
from services.gateway.console.words import language
from services.screening.board import number_of_patient, whole
from services.screening.codes import code_of
from services.screening.decision import GRADES
from services.screening.judging import NotToJudge
from services.screening.judging import judge as judged
from services.screening.opinions import Opinion, Unsound, eyes_in_form
from services.screening.people import worker_name
from services.sync.verdicts import Here

blueprint = Blueprint("screenings", __name__, url_prefix="/console/screenings")
_OUTCOMES = ("refer", "rescreen", "retake")


@blueprint.get("/<int:number>")
def page(number: int) -> str:
    """The screening with this number."""
    return _page(number)


@blueprint.post("/<int:number>")
def judge(number: int) -> Response | tuple[str, int]:
    """What somebody found in its photographs."""
    by = Here(signed_in().id, "reviewer" if role_of_review() == "reviewer" else "nurse")
    try:
        opinion, last = _opinion(request.form), request.form.get("last", 0, type=int)
        with runtime.current().db.write() as tx:
            told = judged(tx, number, by, last, opinion)
            noted(tx, "screening-judged", f"screening:{number}", outcome=opinion.outcome, told=told)
    except Unsound as problem:
        return _page(number, problem=str(problem)), 422
    except NotToJudge as problem:
        return _page(number, problem=str(problem)), 409
    return redirect(url_for("screenings.page", number=number))


@blueprint.get("/<int:number>/number")
def number(number: int) -> str:
    """The patient's phone number, for who has to ring her."""
    noted_alone("number-viewed", f"screening:{number}")
    with runtime.current().db.read() as tx:
        found = number_of_patient(tx, number)
    if found is None:
        abort(404)
    return render_template("console/number.html", number=found)


def _page(number: int, *, problem: str | None = None) -> str:
    site = runtime.current()
    with site.db.read() as tx:
        found = whole(tx, number)
    if found is None:
        abort(404)
    if request.method == "GET":
        noted_alone("screening-viewed", f"screening:{number}")
    mine = next((each for each in reversed(found["reviews"]) if each["account_id"] == signed_in().id), None)
    found["place"] = messages(language()).get(found["place"], found["place"])  # the operator's words, or a message's id
    return render_template(
        "console/screening.html",
        **found,
        worker_name=worker_name(found["worker"]),
        code=code_of(found["case"]),
        problem=problem,
        grades=GRADES,
        outcomes=_OUTCOMES,
        mine=mine,
        can_ring=may("screenings.number"),
    )


def _opinion(form: Mapping[str, str]) -> Opinion:
    """The opinion in a form. Raises Unsound."""
    eyes = eyes_in_form(form)
    outcome = form.get("outcome")
    if outcome not in _OUTCOMES:
        raise Unsound("unsound-outcome")
    return Opinion(eyes, outcome)  # type: ignore[arg-type]
