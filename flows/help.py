"""What each entry of a menu does, what it costs, and whom to call."""

from __future__ import annotations

from flows.conversation import Caller, Connect, Do, Flow, Tell
from flows.questions import Choice
from services.channels.base import Kind
from services.screening.people import who_helps
from services.settings import current


def help_menu(caller: Caller) -> Flow:
    """Asks what about, and says it."""
    wish = yield Choice("ask-help", keys=("menu", "cost", "person", "about"), labels="menu-help")
    if wish == "person":
        return (yield from person(caller))
    if wish == "cost":
        if current().voice_on_incoming == "call-back":
            yield Tell("help-cost-ring", {"phone": current().at_voice_number})
        return Tell("help-cost")
    if wish == "about":
        return Tell("about", {"clinic": current().clinic})
    # Imported here: the programmes' conversations use this module.
    from flows.programmes import offers

    said = [
        Tell(each)
        for offer in offers().values()
        for each in (offer.help_worker if caller.worker else offer.help_anyone)
    ]
    if not said:
        return Tell("about", {"clinic": current().clinic})
    yield from said[:-1]
    return said[-1]


def person(caller: Caller) -> Flow:
    """Puts a call through to a health worker; on other channels says the clinic's own number, and nobody else's."""
    if caller.channel != Kind.VOICE:
        phone = current().clinic_phone
        return Tell("help-person", {"phone": phone}) if phone else Tell("help-visit", {"clinic": current().clinic})
    found = yield Do(who_helps, undoable=True, msisdn=caller.msisdn)
    if not found["phone"]:
        return Tell("help-visit", {"clinic": current().clinic})
    yield Connect(found["phone"])
    return Tell("connecting")
