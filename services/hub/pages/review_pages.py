"""The reviewer's pages: what waits, one case with its photographs, and the form for what is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from flows.catalogue import text
from services.hub import photographs, review_queue, runtime
from services.hub.pages.access import guard
from services.hub.reviewing import NotToReview, save, standing
from services.hub.words import percent, words
from services.screening.decision import EYES, GRADES
from services.screening.opinions import NOTES, Opinion, Unsound, eyes_in_form

blueprint = Blueprint("review", __name__, template_folder="templates")
guard(blueprint, reviewers_only=True)
_OUTCOMES = ("agree", "refer", "rescreen", "retake")


@blueprint.get("/review")
def queue() -> str:
    """What waits for a reviewer."""
    hub = runtime.current()
    with hub.db.read() as tx:
        waiting, number = review_queue.waiting(tx), review_queue.count(tx)
    return render_template("queue.html", waiting=waiting, number=number)


@blueprint.get("/review/<int:number>")
def case(number: int) -> str:
    """One case."""
    return _case_page(number)


@blueprint.post("/review/<int:number>")
def judge(number: int) -> Response | tuple[str, int]:
    """What the reviewer found; then the next case."""
    hub = runtime.current()
    try:
        with hub.db.write() as tx:
            save(tx, g.reviewer, number, request.form.get("seq", 0, type=int), _opinion(tx, number))
    except Unsound as problem:
        return _case_page(number, problem=str(problem)), 422
    except NotToReview as problem:
        return _case_page(number, problem=str(problem)), 409
    with hub.db.read() as tx:
        waiting = review_queue.waiting(tx, limit=2)
    following = [each["id"] for each in waiting if each["id"] != number]
    return redirect(url_for("review.case", number=following[0]) if following else url_for("review.queue"))


def _case_page(number: int, *, problem: str | None = None) -> str:
    with runtime.current().db.read() as tx:
        found = review_queue.case(tx, number)
        if found is None:
            abort(404)
        pictures = photographs.of_result(tx, number)
        reviews = review_queue.history(tx, number)
        mine = [each for each in standing(tx, number, found["seq"]) if each.reviewer_id == g.reviewer.id]
    # Second readers judge for themselves: what others found is shown once one has said what one thinks.
    shown = reviews if mine else [each for each in reviews if each["reviewer_id"] == g.reviewer.id]
    return render_template(
        "case.html",
        case=found,
        eyes=[eye for eye in EYES if any(each["eye"] == eye for each in found["eyes"])],
        grades=GRADES,
        notes={note: text("en", note, code=found["screening_ref"]) for note in NOTES},
        photographs=[each | {"caption": _caption(each)} for each in pictures],
        outcomes=_OUTCOMES,
        mine=mine[0] if mine else None,
        reviews=shown,
        hidden=len(reviews) - len(shown),
        problem=problem,
    )


def _caption(photograph: Mapping[str, Any]) -> str:
    """What the model said of a photograph as it was taken, and says of it as it came: sending makes it smaller."""
    if photograph["before"] is None and photograph["after"] is None:
        return words("photo-ungraded")
    return words("photo-graded", before=percent(photograph["before"]), after=percent(photograph["after"]))


def _opinion(tx: Any, number: int) -> Opinion:
    """The opinion in a form. Raises Unsound, NotToReview."""
    form = request.form
    eyes = eyes_in_form(form)
    outcome = form.get("outcome")
    if outcome not in _OUTCOMES:
        raise Unsound("unsound-outcome")
    if outcome == "agree":
        found = review_queue.case(tx, number)
        if found is None:
            raise NotToReview("review-gone")
        outcome = found["outcome"]
    return Opinion(eyes, outcome, form.get("note") or None)  # type: ignore[arg-type]
