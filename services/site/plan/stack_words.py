"""Each stack in words: what to do, why, what that assumes, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping

from services.site.plan.stacks import StackName

STACK_WORDS: Mapping[StackName, tuple[str, str, str, str]] = {
    "online": (
        "Run the service on one server that is always online. Carriers reach it directly; sites need only phones.",
        "With reliable internet every channel works all day: dialled codes, SMS, calls and photographs by message.",
        "the server keeps its power and address; rented, or yours",
        "photographs that must not leave the building, or a link that is down for hours: then a server on site",
    ),
    "edge": (
        "Run the service on this machine, on site, and enrol it at a hub; it works without a link and syncs with one.",
        "With a link that comes and goes the answer must not wait for it: photographs are read here, and only results, "
        "fifteen bytes each, and the photographs that somebody has to look at travel.",
        "there is a hub somewhere; carriers reach this machine while the link is up (a tunnel or a fixed address), and "
        "dialled codes, SMS and calls rest while it is down",
        "a link that is up all day: then one server online; none at all: then the web app alone; a modem with a SIM "
        "(JICHO_MODEM_DEVICE): then SMS go on while the link is down",
    ),
    "island": (
        "Run the service on this machine for its own Wi-Fi; workers screen with the web app on their smartphones.",
        "Without internet no dialled code, call or picture comes in: the worker's phone shows and reads the result.",
        "workers have smartphones",
        "any link, even for an hour a week: then enrol at a hub, and results go up by themselves",
    ),
    "files": (
        "Copy photographs onto this machine and read them with `python app.py screen`; the worker tells the patient.",
        "Without internet a phone with buttons can send no photograph, dial no code and run no web app.",
        "a camera whose pictures can be copied; nobody is told by phone what was found, and nothing is followed up",
        "one smartphone: then the web app; any link: then dialled codes, SMS and calls",
    ),
    "elsewhere": (
        "Run the service on a server elsewhere, such as at the district's hospital; this site needs only its phones.",
        "This machine is too small for the service, and phones with buttons reach any server through their carrier.",
        "somebody runs that server; the figures below are that site's share of it",
        "a machine with enough memory and disk here, which goes on working without the link",
    ),
    "pocket": (
        "Let workers screen with the web app on their smartphones; they hand their results over to a server elsewhere.",
        "This machine is too small for the service, and the same models run in a phone's browser, offline.",
        "each phone loads the app once over https (9 MB), from that server or on a visit to it",
        "a machine with enough memory and disk here: then phones hand over on the spot",
    ),
    "nothing": (
        "Get another machine, or one smartphone for the worker.",
        "This machine is too small even to read one photograph, and without a link phones with buttons reach nothing.",
        "",
        "a machine as named below, a smartphone for the web app, or any link to a server elsewhere",
    ),
    "hub": (
        "Run the hub here: it collects results, shows photographs to reviewers, and signs models for its sites.",
        "One hub serves many sites; it runs no models, so processor and GPU hardly matter, its disk and its link do.",
        "an address that sites can reach, and PostgreSQL for more than a trial",
        "more than a thousand sites a day that come back at once: then more processes, on PostgreSQL and Redis",
    ),
}
