"""Every route of the gateway: who may come in, and how much may be sent. What is not listed here answers nobody.

`docs/access.md` is this table in words; `python -m services.gateway.routes` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.people.roles import CLINICAL, EVERYBODY, ROLES, RUNNING, Role

_KIB = 1024
_MIB = 1024 * _KIB

Proof = Literal["anybody", "carrier", "phone", "reader"]
"""Who needs no account: anybody; a carrier, by its token or signature; a health worker's phone, by its own token; a
reader of metrics, by its own."""


@dataclass(frozen=True)
class Route:
    """Who may use a route: these roles, or whoever proves herself otherwise. `body` is the most that may be sent."""

    who: frozenset[Role] | Proof
    body: int = 16 * _KIB

    def is_open_to(self, role: Role | None) -> bool:
        """Whether an account of this role, or nobody signed in, gets past the door for people."""
        return role in self.who if isinstance(self.who, frozenset) else True


_NURSE: frozenset[Role] = frozenset({"nurse"})
_ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})
_VOICES = RUNNING | _NURSE

ROUTES: Mapping[str, Route] = {
    "home.front": Route("anybody"),
    "health.healthz": Route("anybody"),
    "health.readyz": Route("anybody"),
    "health.phone": Route("anybody"),
    "metrics.metrics": Route("reader"),
    "audio.play": Route("anybody"),
    # Carriers. A session's text grows by what is typed, 80 characters at a time; a call's event is a short form.
    "africastalking.ussd": Route("carrier", 4 * _KIB),
    "africastalking.ussd_end": Route("carrier", 8 * _KIB),
    "africastalking.sms": Route("carrier", 16 * _KIB),
    "africastalking.delivery": Route("carrier", 4 * _KIB),
    "africastalking.optout": Route("carrier", 4 * _KIB),
    "africastalking.voice": Route("carrier", 8 * _KIB),
    "whatsapp.verification": Route("carrier"),
    "whatsapp.webhook": Route("carrier", 3 * _MIB),
    "mms.deliver": Route("carrier", 32 * _MIB),  # an MM7 delivery carries its pictures, and more pictures than one
    "mms.twilio": Route("carrier", 16 * _KIB),
    # The web app.
    "webapp.lead": Route("anybody"),
    "webapp.shell": Route("anybody"),
    "webapp.release": Route("anybody"),
    "webapp.words": Route("anybody"),
    "webapp.site": Route("anybody"),
    "webapp.programmes": Route("anybody"),
    "webapp.sound": Route("anybody"),
    "webapp.model": Route("anybody"),
    "handover.code": Route("phone", 4 * _KIB),
    "handover.enrol": Route("phone", 4 * _KIB),
    "handover.screening": Route("phone", 16 * _KIB),
    "handover.withdrawal": Route("phone", 4 * _KIB),
    "handover.news": Route("phone"),
    "handover.photograph": Route("phone", 17 * _MIB),
    # The console.
    "access.static": Route("anybody"),
    "access.style": Route("anybody"),
    "access.login": Route("anybody"),
    "access.sign_in": Route("anybody"),
    "access.speak": Route("anybody"),
    "access.front": Route(EVERYBODY),
    "access.sign_out": Route(EVERYBODY),
    "me.page": Route(EVERYBODY),
    "me.choose_password": Route(EVERYBODY),
    "me.set_second_factor": Route(EVERYBODY),
    "me.sign_out_elsewhere": Route(EVERYBODY),
    "queue.page": Route(CLINICAL),
    "screenings.page": Route(CLINICAL),
    "screenings.judge": Route(CLINICAL),
    "screenings.number": Route(_NURSE),
    "pictures.photograph": Route(CLINICAL),
    "pictures.heatmap": Route(CLINICAL),
    "outbox.page": Route(RUNNING | _NURSE),
    "site.page": Route(EVERYBODY),
    "facilities.page": Route(EVERYBODY),
    "facilities.table": Route(EVERYBODY),
    "facilities.save": Route(RUNNING),
    "facilities.remove": Route(RUNNING),
    "facilities.take": Route(RUNNING, 512 * _KIB),
    "workers.page": Route(RUNNING),
    "workers.add": Route(RUNNING),
    "workers.remove": Route(RUNNING),
    "workers.forget_pin": Route(RUNNING),
    "configured.page": Route(RUNNING),
    "plan.page": Route(RUNNING),
    "plan.probe": Route(RUNNING),
    "messages.page": Route(EVERYBODY),
    "recording.page": Route(_VOICES),
    "recording.lines": Route(_VOICES),
    "recording.take": Route(_VOICES, 9 * _MIB),
    "recording.listen": Route(_VOICES),
    "people.page": Route(_ADMINISTRATOR),
    "people.add": Route(_ADMINISTRATOR),
    "people.give_roles": Route(_ADMINISTRATOR),
    "people.give_password": Route(_ADMINISTRATOR),
    "people.drop_second_factor": Route(_ADMINISTRATOR),
    "people.disable": Route(_ADMINISTRATOR),
    "log.page": Route(_ADMINISTRATOR),
}


def as_text(rules: Iterator[tuple[str, str, str]]) -> str:
    """The table for people, from `(endpoint, method, address)` of each rule."""
    lines = [
        "# Who may do what",
        "",
        "Every route of the gateway, and which roles of an account it is open to; what each one shows is in",
        "[routes.md](routes.md). An account may have several roles. This file is written by",
        "`python -m services.gateway.routes`, and a test tries every route as every role.",
        "",
        f"| route | {' | '.join(ROLES)} | anybody else | largest body |",
        f"|---|{'---|' * (len(ROLES) + 2)}",
    ]
    for endpoint, method, address in rules:
        route = ROUTES[endpoint]
        by_proof = {
            "anybody": "yes",
            "carrier": "a carrier's proof",
            "phone": "a phone's proof",
            "reader": "a reader's proof",
        }
        others = "–" if isinstance(route.who, frozenset) else by_proof[route.who]
        who = [("yes" if role in route.who else "–") if others == "–" else "" for role in ROLES]
        body = _size(route.body) if method != "GET" else ""
        lines.append(f"| {method} `{address}` | {' | '.join(who)} | {others} | {body} |")
    return "\n".join(lines) + "\n"


def _size(count: int) -> str:
    return f"{count // _MIB} MiB" if count >= _MIB else f"{count // _KIB} KiB"


def main() -> None:
    """Prints the table of the application as it is."""
    from services.gateway.application import create_gateway, rules_of

    print(as_text(rules_of(create_gateway())), end="")


if __name__ == "__main__":
    main()
