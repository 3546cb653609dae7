"""The stacks there are, and which of them answers ask for: the decision framework itself, a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.site.plan.answers import Answers
from services.site.plan.estimate import Audio, Way

StackName = Literal["online", "edge", "island", "elsewhere", "pocket", "files", "nothing", "hub"]


@dataclass(frozen=True)
class Stack:
    """One arrangement. `way` and `audio` are how photographs come and calls are played; `hub`: results go to one;
    `runs_here`: the machine that was asked about runs the service."""

    name: StackName
    title: str
    way: Way
    audio: Audio
    hub: bool
    runs_here: bool


def takes_modem(stack: Stack, answers: Answers) -> bool:
    """Whether a modem with a SIM brings SMS to where no internet is."""
    return (
        stack.runs_here and answers.role == "clinic" and (answers.internet, answers.mobile_network) == ("none", "yes")
    )


def stack_for(answers: Answers, *, service_fits: bool, screen_fits: bool) -> Stack:
    """Reliable internet: one server that carriers reach. Intermittent: the server on site, which syncs. None: on site,
    alone. Where the machine is too small for the service: the phones themselves, another server, or files."""
    if answers.role == "hub":
        return Stack("hub", "a hub for many sites", "none", "mp3", False, service_fits)
    if not service_fits:
        return _too_small(answers, screen_fits)
    if answers.internet == "reliable":
        return Stack("online", "one server, always online", _remote(answers), "mulaw", True, True)
    if answers.internet == "intermittent":
        way: Way = "mm7" if answers.phones == "feature" else "app"
        return Stack("edge", "a server on site that syncs when it can", way, "mp3", True, True)
    if answers.phones == "feature":
        # Without a link no carrier reaches the server, and a phone with buttons runs no web app.
        return Stack("files", "photographs from files, on one machine", "none", "mp3", False, True)
    return Stack("island", "a server on site, alone, and the web app over its Wi-Fi", "none", "mp3", False, True)


def _too_small(answers: Answers, screen_fits: bool) -> Stack:
    if answers.internet != "none" and answers.phones == "feature":
        return Stack("elsewhere", "a server elsewhere; only phones on site", "mm7", "mp3", True, False)
    if answers.phones != "feature":
        link: Way = "none" if answers.internet == "none" else "pocket"
        return Stack("pocket", "the web app on the workers' phones, with a server elsewhere", link, "mp3", False, False)
    if screen_fits:
        return Stack("files", "photographs from files, on one machine", "none", "mp3", False, False)
    return Stack("nothing", "nothing yet: this machine is too small", "none", "mp3", False, False)


def _remote(answers: Answers) -> Way:
    return "mm7" if answers.phones == "feature" else "whatsapp"
