"""Who sees the hub's pages: whoever is signed in, over TLS or on the hub's own machine."""

from __future__ import annotations

from ipaddress import ip_address

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.hub import runtime
from services.hub.reviewers import SIGNED_IN_MS, Locked, Reviewer, begin, end, who
from services.hub.words import age, alert_words, month_words, percent, rate_words, span, when, words
from services.pages import STATIC
from services.same_origin import form_token as token_of
from services.same_origin import has_form_token, refuse_other_sites

blueprint = Blueprint("access", __name__, template_folder="templates", static_folder=STATIC, static_url_path="/pages")
COOKIE = "__Host-jicho"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def guard(pages: Blueprint, *, reviewers_only: bool = False) -> None:
    """Lets nobody else reach any route of a blueprint; `reviewers_only`: no operators either."""

    def check() -> AnyResponse | None:
        _require_private()
        refuse_other_sites()
        found = _signed_in()
        if found is None:
            return redirect(url_for("access.login", to=request.path)) if request.method == "GET" else abort(401)
        if reviewers_only and found.role != "reviewer":
            abort(403, words("reviewers-only"))
        g.reviewer = found
        if request.method == "POST":
            _require_token()
        return None

    pages.before_request(check)
    pages.after_request(_keep_private)


def form_token() -> str:
    """What a form must hold: known to whoever got a page with this cookie, and to no other site."""
    return token_of(request.cookies.get(COOKIE, ""))


@blueprint.before_request
def _check() -> None:
    _require_private()
    refuse_other_sites()


@blueprint.get("/")
def front() -> AnyResponse:
    """Where a reviewer or an operator begins."""
    found = _signed_in()
    if found is None:
        return redirect(url_for("access.login"))
    return redirect(url_for("review.queue" if found.role == "reviewer" else "overview.sites"))


@blueprint.get("/login")
def login() -> str:
    """Asks for name and password."""
    return render_template("login.html", to=request.args.get("to", ""), problem=None)


@blueprint.post("/login")
def sign_in() -> AnyResponse | tuple[str, int]:
    """Checks them."""
    name, to = request.form.get("name", "").strip(), request.form.get("to", "")
    try:
        token = begin(runtime.current().db, name, request.form.get("password", ""), request.form.get("code", ""))
    except Locked:
        return render_template("login.html", to=to, problem="login-locked"), 429
    if token is None:
        return render_template("login.html", to=to, problem="login-wrong"), 401
    # Only a path of ours: what stands in a link must not lead a reviewer elsewhere.
    inside = to.startswith("/") and not to.startswith(("//", "/\\"))
    response = redirect(to if inside else url_for("access.front"))
    response.set_cookie(
        COOKIE, token, max_age=SIGNED_IN_MS // 1000, secure=True, httponly=True, samesite="Strict", path="/"
    )
    return response


@blueprint.post("/logout")
def logout() -> AnyResponse:
    """Signs out."""
    if _signed_in() is not None:
        _require_token()
        with runtime.current().db.write() as tx:
            end(tx, request.cookies[COOKIE])
    response = redirect(url_for("access.login"))
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
    return response


def _signed_in() -> Reviewer | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with runtime.current().db.read() as tx:
        return who(tx, token)


def _require_token() -> None:
    if not has_form_token(request.cookies.get(COOKIE, "")):
        abort(403, words("form-old"))


def _require_private() -> None:
    here = ip_address(request.remote_addr or "0.0.0.0").is_loopback
    if not (request.is_secure or here):
        abort(403, words("needs-tls"))


def _keep_private(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "access.static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


blueprint.after_request(_keep_private)
for _function in (age, alert_words, form_token, month_words, percent, rate_words, span, when):
    blueprint.add_app_template_global(_function)
blueprint.add_app_template_global(words, "t")
