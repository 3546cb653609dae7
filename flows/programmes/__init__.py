"""What each programme adds to the conversations: the module `flows/programmes/<name>.py` with one `OFFER`.

The menus are put together from the offers of the programmes that a site offers, in their order; what every site has,
the language, help, a person, comes where the first of them puts it, else at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

from flows.conversation import Caller, Flow
from flows.help import person
from services import programmes
from services.settings import current

Entry = Callable[[Caller], Flow]
LANGUAGE, HELP, PERSON = "language", "help", "person"
COMMON = (LANGUAGE, HELP)
"""Entries of every menu, which the menu itself knows."""


@dataclass(frozen=True)
class Offer:
    """`worker`, `anyone` and `calling` are entries of the menus of health workers, of everybody else, and of who rings,
    in their order: the label of each is the message `menu-<key>`, and it begins that conversation. None leaves the
    place to an entry of COMMON. `by_word` is begun by a word of the programme, in a message. `help_worker` and
    `help_anyone` are said of the menus, `spoken` and `menus` in calls, to everybody alike: sentences, and the labels of
    choices."""

    worker: Mapping[str, Entry | None] = field(default_factory=dict)
    anyone: Mapping[str, Entry | None] = field(default_factory=dict)
    calling: Mapping[str, Entry | None] = field(default_factory=dict)
    by_word: Entry | None = None
    help_worker: tuple[str, ...] = ()
    help_anyone: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    menus: tuple[tuple[str, ...], ...] = ()


def worker_menu() -> dict[str, Entry | None]:
    """The entries of a health worker's menu here."""
    return _merged([offer.worker for offer in offers().values()])


def anyone_menu() -> dict[str, Entry | None]:
    """The entries of everybody else's."""
    return _merged([offer.anyone for offer in offers().values()])


def calling_menu() -> dict[str, Entry | None]:
    """The entries for who rings the clinic: the language was chosen elsewhere, and a person can be asked for."""
    entries = _merged([offer.calling for offer in offers().values()])
    del entries[LANGUAGE]
    return entries | {PERSON: person}


def offers() -> dict[str, Offer]:
    """The offers of the programmes of this site, by name."""
    return {each.name: offer_of(each.name) for each in programmes.offered(current())}


def by_word() -> Mapping[str, Entry]:
    """The conversations that words begin, by the name of their programme; of every programme that is installed, since
    one that was begun may outlive the setting."""
    return _by_word()


@lru_cache(maxsize=1)
def _by_word() -> Mapping[str, Entry]:
    found = {name: offer_of(name).by_word for name in programmes.installed()}
    return MappingProxyType({name: flow for name, flow in found.items() if flow is not None})


@lru_cache
def offer_of(name: str) -> Offer:
    """The offer of a programme. Raises ImportError for one that has no conversation."""
    offer: Offer = import_module(f"flows.programmes.{name}").OFFER
    return offer


def _merged(menus: list[Mapping[str, Entry | None]]) -> dict[str, Entry | None]:
    found: dict[str, Entry | None] = {}
    for entries in menus:
        for key, entry in entries.items():
            found.setdefault(key, entry)
    return found | {key: None for key in COMMON if key not in found}
