"""Who gets past the console's door: whoever is signed in and has a role that `routes.ROUTES` names."""

from __future__ import annotations

import logging
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, abort, g, redirect, render_template, request, send_from_directory, url_for
from sqlalchemy.engine import Connection
from werkzeug.wrappers import Response as AnyResponse

from flows.catalogue import LANGUAGES, text
from services import pages, runtime
from services.gateway.console import words as spoken
from services.gateway.console.words import DRAFTS, age, language, span, when, words
from services.gateway.limits import SIGN_INS, address, refuse_often
from services.gateway.routes import ROUTES
from services.pages.words import percent
from services.people import accounts, sessions
from services.people.accounts import Account
from services.people.roles import Role
from services.people.sessions import Life, Refused
from services.same_origin import form_token as token_of
from services.same_origin import has_form_token, refuse_other_sites
from services.store import audit
from services.store.clock import HOUR_MS, MINUTE_MS

_LOG = logging.getLogger(__name__)
blueprint = Blueprint(
    "access",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PATHS = ("/console", "/")
# Code and style from here alone, nothing inline; what a speaker records is played from the browser's own memory.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Where who has to choose a password or set up her second factor first may go.
_ON_THE_WAY = frozenset({"me.page", "me.choose_password", "me.set_second_factor", "access.sign_out"})


def guard(application: Flask) -> None:
    """Lets nobody reach a route that is not open to her, on the whole application."""
    application.before_request(_check)
    application.after_request(_keep_private)
    application.context_processor(
        lambda: {"account": g.get("account"), "language": language(), "languages": _languages(), "drafts": DRAFTS}
    )
    for function in (age, form_token, may, percent, span, when):
        application.add_template_global(function)
    application.add_template_global(words, "t")


def cookie() -> str:
    """The name of the cookie: over TLS one that browsers keep for this host and this scheme alone."""
    return "__Host-jicho" if request.is_secure else "jicho"


def life() -> Life:
    """How long a session lasts here."""
    settings = runtime.current().settings
    return Life(settings.session_idle_minutes * MINUTE_MS, settings.session_hours * HOUR_MS)


def token() -> str:
    """What the browser of this request holds; empty if it holds nothing."""
    return request.cookies.get(cookie(), "")


def form_token() -> str:
    """What each form must hold."""
    return token_of(token())


def signed_in() -> Account:
    """Who asks, on a route of the console."""
    found: Account = g.account
    return found


def may(endpoint: str) -> bool:
    """Whether who is signed in may use a route: pages lead nobody where she is refused."""
    account = g.get("account")
    who = ROUTES[endpoint].who
    return not isinstance(who, frozenset) or (account is not None and bool(account.roles & who))


def role_of_review() -> Role:
    """As what somebody judges photographs."""
    return "reviewer" if "reviewer" in signed_in().roles else "nurse"


def noted(tx: Connection, action: str, subject: str = "", **detail: object) -> None:
    """Writes down who did or saw what."""
    audit.record(tx, audit.by_account(signed_in().name), action, subject, **detail)


def noted_alone(action: str, subject: str = "", **detail: object) -> None:
    """The same in a transaction of its own, before a page shows what it is about."""
    with runtime.current().db.write() as tx:
        noted(tx, action, subject, **detail)


def refuse_form_of_others() -> None:
    """403 for a form that was not got with this browser's cookie."""
    if not has_form_token(token()):
        abort(403, words("form-old"))


@blueprint.before_request
def _check_console() -> None:
    _require_private()
    refuse_other_sites()


@blueprint.get("")
def front() -> AnyResponse:
    """Where each role begins."""
    return redirect(url_for("queue.page" if may("queue.page") else "site.page"))


@blueprint.get("/style.css")
def style() -> Response:
    """The style that the console shares with the hub's pages."""
    return send_from_directory(pages.STATIC, "pages.css")


@blueprint.get("/login")
def login() -> str:
    """Asks for name, password and the phone's code."""
    return _login_page(request.args.get("to", ""))


@blueprint.post("/login")
def sign_in() -> AnyResponse | tuple[str, int]:
    """Checks them."""
    form, to, here = request.form, request.form.get("to", ""), address()
    refuse_often("sign-in", here, SIGN_INS)
    db = runtime.current().db
    try:
        begun, account = sessions.begin(
            db, form.get("name", ""), form.get("password", ""), form.get("code", ""), address=here, life=life()
        )
    except Refused as refused:
        _LOG.warning("sign-in refused", extra={"reason": refused.reason})
        return _login_page(to, problem=refused.reason), 429 if refused.reason == "login-locked" else 401
    with db.write() as tx:
        audit.record(tx, audit.by_account(account.name), "sign-in")
    # Only a path of ours: what stands in a link must not lead anybody elsewhere.
    inside = to.startswith(_PATHS) and not to.startswith(("//", "/\\"))
    response = redirect(to if inside else url_for("access.front"))
    _set_cookie(response, cookie(), begun)
    return response


@blueprint.post("/logout")
def sign_out() -> AnyResponse:
    """Ends this session."""
    with runtime.current().db.write() as tx:
        sessions.end(tx, token())
        noted(tx, "sign-out")
    response = redirect(url_for("access.login"))
    response.delete_cookie(cookie(), secure=request.is_secure, httponly=True, samesite="Strict", path="/")
    return response


@blueprint.post("/language")
def speak() -> AnyResponse:
    """In what language pages are from now on: for whoever is signed in, and in this browser."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(400)
    account = _account()
    if account is not None:
        refuse_form_of_others()
        with runtime.current().db.write() as tx:
            accounts.set_language(tx, account.id, wanted)
    back = urlsplit(request.referrer or "")
    response = redirect(back.path if back.netloc == request.host else url_for("access.front"))
    _set_cookie(response, spoken.COOKIE, wanted)
    return response


def _check() -> AnyResponse | None:
    if request.endpoint is None:
        return None  # no such address: that is answered elsewhere
    route = ROUTES.get(request.endpoint)
    if route is None:
        _LOG.error("a route that services/gateway/routes.py does not list", extra={"endpoint": request.endpoint})
        abort(404)
    if not isinstance(route.who, frozenset):
        return None
    _require_private()
    refuse_other_sites()
    account = g.account = _account()
    if account is None:
        return _to_login()
    if (account.given or lacks_second_factor(account)) and request.endpoint not in _ON_THE_WAY:
        return redirect(url_for("me.page"))
    if not account.roles & route.who:
        abort(403, words("not-for-you"))
    if request.method not in ("GET", "HEAD"):
        refuse_form_of_others()
    return None


def lacks_second_factor(account: Account) -> bool:
    """Who administers a site that serves patients needs her phone too."""
    live = runtime.current().settings.carrier == "live"
    return live and "administrator" in account.roles and not account.secured


def _account() -> Account | None:
    given = token()
    return sessions.who(runtime.current().db, given, life()) if given else None


def _to_login() -> AnyResponse:
    where = url_for("access.login")
    if request.headers.get("HX-Request"):
        return Response("", 401, {"HX-Redirect": where})
    if request.method != "GET":
        abort(401, words("signed-out"))
    return redirect(f"{where}?to={quote(request.full_path.rstrip('?'))}")


def _login_page(to: str, problem: str | None = None) -> str:
    with runtime.current().db.read() as tx:
        nobody_yet = accounts.nobody_yet(tx)
    return render_template("console/login.html", to=to, problem=problem, nobody_yet=nobody_yet)


def _require_private() -> None:
    """403 where a password would travel in the clear: TLS, a proxy's TLS, or this very machine."""
    name = request.host if request.host.endswith("]") else request.host.rsplit(":", 1)[0]
    here = name in _HERE and ip_address(request.remote_addr or "0.0.0.0").is_loopback
    public = urlsplit(runtime.current().settings.public_url)
    proxied = public.scheme == "https" and public.netloc == request.host
    if not (request.is_secure or here or proxied):
        abort(403, words("needs-tls"))


def _set_cookie(response: AnyResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, secure=request.is_secure, httponly=True, samesite="Strict", path="/")


def _languages() -> dict[str, str]:
    return {each: text("en", f"language-{each}") for each in LANGUAGES}


def _keep_private(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "text/html" or request.path.startswith("/console"):
        headers.setdefault("Content-Security-Policy", _POLICY)
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if request.endpoint not in ("access.static", "access.style"):
            headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
