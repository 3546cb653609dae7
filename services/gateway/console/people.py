"""Accounts, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.engine import Connection
from werkzeug.wrappers import Response

from services import runtime
from services.gateway.console.access import noted
from services.people import accounts
from services.people.accounts import BadAccount
from services.people.roles import ROLES

blueprint = Blueprint("people", __name__, url_prefix="/console/accounts")
Answer = Response | tuple[str, int] | str


@blueprint.get("")
def page() -> str:
    """Everybody, and a form for somebody new."""
    return _page()


@blueprint.post("")
def add() -> Answer:
    """A new account; its password is on this page, once."""
    name, roles = request.form.get("name", ""), set(request.form.getlist("role"))
    return _change("account-add", lambda tx: accounts.add(tx, name, roles), roles=sorted(roles))


@blueprint.post("/roles")
def give_roles() -> Answer:
    """Other roles."""
    name, roles = request.form.get("name", ""), set(request.form.getlist("role"))
    return _change("account-roles", lambda tx: accounts.set_roles(tx, name, roles), roles=sorted(roles))


@blueprint.post("/password")
def give_password() -> Answer:
    """A new password, on this page, once."""
    return _change("account-password", lambda tx: accounts.give_password(tx, request.form.get("name", "")))


@blueprint.post("/second-factor")
def drop_second_factor() -> Answer:
    """For a lost phone."""
    return _change("account-second-factor", lambda tx: accounts.drop_second_factor(tx, request.form.get("name", "")))


@blueprint.post("/disable")
def disable() -> Answer:
    """Lets somebody in no more."""
    return _change("account-disable", lambda tx: accounts.disable(tx, request.form.get("name", "")))


def _change(action: str, act: Callable[[Connection], str | None], **detail: Any) -> Answer:
    name = accounts.name_of(request.form.get("name", ""))
    try:
        with runtime.current().db.write() as tx:
            password = act(tx)
            noted(tx, action, f"account:{name}", **detail)
    except BadAccount as problem:
        return _page(problem=str(problem)), 422
    return _page(name=name, password=password) if password else redirect(url_for("people.page"))


def _page(*, problem: str | None = None, name: str = "", password: str = "") -> str:
    with runtime.current().db.read() as tx:
        listed = accounts.listed(tx)
    return render_template(
        "console/people.html", listed=listed, roles=ROLES, problem=problem, name=name, password=password
    )
