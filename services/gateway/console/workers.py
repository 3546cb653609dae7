"""Health workers: who may open screenings by phone."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from flows.catalogue import LANGUAGES
from services import runtime
from services.channels.phone_numbers import NotAPhone, normalise
from services.gateway.console.access import noted
from services.screening import people, pins
from services.store import audit

blueprint = Blueprint("workers", __name__, url_prefix="/console/workers")
Answer = Response | tuple[str, int]
_LONGEST_NAME = 40


@blueprint.get("")
def page() -> str:
    """Every health worker, and a form for a new one."""
    return _page()


@blueprint.post("")
def add() -> Answer:
    """Lets a number open screenings, or changes its name."""
    name, language = " ".join(request.form.get("name", "").split()), request.form.get("language", "")
    if not 0 < len(name) <= _LONGEST_NAME:
        return _page("worker-name"), 422
    try:
        msisdn = _msisdn()
    except NotAPhone:
        return _page("worker-phone"), 422
    with runtime.current().db.write() as tx:
        people.add_worker(tx, msisdn=msisdn, name=name, language=language if language in LANGUAGES else None)
        noted(tx, "worker-add", audit.phone(msisdn))
    return redirect(url_for("workers.page"))


@blueprint.post("/remove")
def remove() -> Answer:
    """Takes that right away."""
    try:
        msisdn = _msisdn()
    except NotAPhone:
        return _page("worker-phone"), 422
    with runtime.current().db.write() as tx:
        people.remove_worker(tx, msisdn=msisdn)
        noted(tx, "worker-remove", audit.phone(msisdn))
    return redirect(url_for("workers.page"))


@blueprint.post("/pin")
def forget_pin() -> Answer:
    """For who forgot hers: she chooses another one at her next use."""
    try:
        msisdn = _msisdn()
    except NotAPhone:
        return _page("worker-phone"), 422
    with runtime.current().db.write() as tx:
        pins.forget_pin(tx, msisdn=msisdn)
        noted(tx, "worker-pin-forgotten", audit.phone(msisdn))
    return redirect(url_for("workers.page"))


def _msisdn() -> str:
    return normalise(request.form.get("phone", ""), region=runtime.current().settings.region)


def _page(problem: str | None = None) -> str:
    with runtime.current().db.read() as tx:
        listed = [each | {"pin": pins.has_pin(tx, msisdn=each["msisdn"])} for each in people.workers(tx)]
    return render_template(
        "console/workers.html",
        listed=listed,
        pins=runtime.current().settings.worker_pin,
        problem=problem,
    )
