"""One's own account: password, second factor, other sessions."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from services import runtime
from services.gateway.console.access import lacks_second_factor, noted, signed_in, token
from services.people import accounts, sessions, totp
from services.people.accounts import BadAccount
from services.people.passwords import WeakPassword

blueprint = Blueprint("me", __name__, url_prefix="/console/me")


@blueprint.get("")
def page() -> str:
    """What the account is, and what it lacks."""
    return _page()


@blueprint.post("/password")
def choose_password() -> Response | tuple[str, int]:
    """A password of her own, for the old one; other sessions end."""
    account, form = signed_in(), request.form
    if form.get("new", "") != form.get("again", ""):
        return _page("password-differs"), 422
    try:
        with runtime.current().db.write() as tx:
            accounts.choose_password(tx, account, form.get("old", ""), form.get("new", ""))
            sessions.end_others(tx, account.id, token())
            noted(tx, "password-chosen")
    except (BadAccount, WeakPassword) as problem:
        return _page(str(problem)), 422
    return redirect(url_for("access.front"))


@blueprint.post("/second-factor")
def set_second_factor() -> Response | tuple[str, int]:
    """From now on her phone's code is asked for too."""
    account, form = signed_in(), request.form
    try:
        with runtime.current().db.write() as tx:
            accounts.set_second_factor(tx, account, form.get("secret", ""), form.get("code", ""))
            sessions.end_others(tx, account.id, token())
            noted(tx, "second-factor-set")
    except BadAccount as problem:
        return _page(str(problem), secret=form.get("secret", "")), 422
    return redirect(url_for("me.page"))


@blueprint.post("/sessions")
def sign_out_elsewhere() -> Response:
    """Ends every session but this one."""
    with runtime.current().db.write() as tx:
        sessions.end_others(tx, signed_in().id, token())
        noted(tx, "sign-out-elsewhere")
    return redirect(url_for("me.page"))


def _page(problem: str | None = None, *, secret: str = "") -> str:
    account = signed_in()
    secret = "" if account.secured else secret or totp.new_secret()
    uri = totp.uri(secret, name=account.name, clinic=runtime.current().settings.clinic) if secret else ""
    with runtime.current().db.read() as tx:
        elsewhere = sessions.number(tx, account.id) - 1
    return render_template(
        "console/me.html",
        problem=problem,
        secret=secret,
        qr=Markup(totp.qr(uri)) if uri else "",
        elsewhere=elsewhere,
        lacks=lacks_second_factor(account),
    )
