"""Do the carriers know us, and is there money for messages?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx

from services.channels.state import carriers_of
from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.site.link import reachable
from services.sync.identity import NotEnrolled, load

_TIMEOUT_S = 10.0
_DAYS_LEFT = 3
_LEAST = 50.0
_REFUSED = (401, 403)


def africastalking(site: Runtime) -> Iterator[Finding]:
    """Reach, credentials and balance, by Africa's Talking's own `/version1/user`."""
    settings = site.settings
    key = settings.at_api_key.get_secret_value()
    if not key:
        yield note("Africa's Talking is not set up")
        return
    sandbox = "sandbox." if settings.at_username == "sandbox" else ""
    base = settings.at_base_url or f"https://api.{sandbox}africastalking.com"
    try:
        answer = httpx.get(
            f"{base}/version1/user",
            params={"username": settings.at_username},
            headers={"apiKey": key, "Accept": "application/json"},
            timeout=_TIMEOUT_S,
        )
        if answer.status_code in _REFUSED:
            yield broken(
                "Africa's Talking refuses us: no message goes out", "check JICHO_AT_USERNAME and JICHO_AT_API_KEY"
            )
            return
        answer.raise_for_status()
        balance = str(answer.json()["UserData"]["balance"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        yield _away(settings.carrier, "Africa's Talking", error)
        return
    amount = re.search(r"[0-9]+(\.[0-9]+)?", balance)
    if amount is None:
        yield note(f"Africa's Talking is in reach; its balance reads {balance!r}")
    elif float(amount[0]) < _LEAST:
        yield broken(f"{balance} are left at Africa's Talking: messages are about to stop", "top it up")
    else:
        yield fine(f"Africa's Talking is in reach, {balance} are left")


def whatsapp(site: Runtime) -> Iterator[Finding]:
    """Reach and credentials of the Cloud API."""
    settings = site.settings
    if not settings.whatsapp_phone_number_id or settings.carrier == "simulator":
        yield note("WhatsApp is not set up" if settings.carrier == "live" else "WhatsApp is the stand-in's")
        return
    token = settings.whatsapp_access_token.get_secret_value()
    try:
        answer = httpx.get(
            f"{settings.whatsapp_base_url}/{settings.whatsapp_phone_number_id}",
            params={"fields": "id"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_S,
        )
    except httpx.HTTPError as error:
        yield _away(settings.carrier, "WhatsApp", error)
        return
    if answer.status_code == 200:
        yield fine("WhatsApp is in reach and knows us")
    elif answer.status_code in (*_REFUSED, 400):
        mend = "JICHO_WHATSAPP_ACCESS_TOKEN has run out or was taken back: make a permanent one"
        yield broken("WhatsApp refuses us: photographs cannot be fetched", mend)
    else:
        yield warning(f"WhatsApp answers with {answer.status_code}", "try again in an hour")


def others(site: Runtime) -> Iterator[Finding]:
    """What the carriers' own processes and failures say."""
    found = carriers_of(site.settings)
    if not found:
        yield broken("no carrier takes SMS", "set Africa's Talking, a modem or SMPP up (docs/settings.md)")
    for carrier in found:
        if carrier.fault:
            yield warning(f"{carrier.name}: {carrier.fault}", "`python app.py carriers` shows how each of them is")
        else:
            yield fine(f"{carrier.name} takes SMS")


def hub(site: Runtime) -> Iterator[Finding]:
    """Whether the hub can be reached; half of all sites never see one."""
    from urllib.parse import urlsplit

    try:
        identity = load(site.settings.data_dir)
    except NotEnrolled:
        yield note("this site has no hub")
        return
    where = urlsplit(identity.url)
    if reachable(where.hostname or "", where.port or 443):
        yield fine(f"the hub is in reach; this is its site {identity.site}")
    else:
        yield note("the hub is not in reach now", "results wait and go up by themselves")


def _away(carrier: str, name: str, error: Exception) -> Finding:
    what = f"{name} is not in reach ({type(error).__name__})"
    if carrier == "simulator":
        return note(what, "its stand-in runs with the service")
    return warning(what, "is the link up? Messages wait, and go out when it is back")
