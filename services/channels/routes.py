"""Which carriers take an SMS to a number, in which order: `+25470,+25472=modem,africastalking;*=africastalking,smpp`.

The longest prefix that fits decides; `*` is everybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ELSE = "*"
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}", re.ASCII)


@dataclass(frozen=True)
class Routes:
    """Carriers by prefix, the longest prefix first."""

    rules: tuple[tuple[str, tuple[str, ...]], ...]

    def to(self, number: str) -> tuple[str, ...]:
        """The carriers to try for a number, in order. What is no number, such as a masked sender, goes the way of
        everybody else."""
        return next(carriers for prefix, carriers in self.rules if prefix == ELSE or number.startswith(prefix))


def everywhere(carriers: Iterable[str]) -> Routes:
    """The same order for every number."""
    return Routes(((ELSE, tuple(carriers)),))


def parse(text: str, known: Iterable[str]) -> Routes:
    """Reads the setting. `known`: the carriers that are set up. Raises ValueError, in an operator's words."""
    known = tuple(known)
    rules: dict[str, tuple[str, ...]] = {}
    for rule in filter(None, (part.strip() for part in text.split(";"))):
        prefixes, equals, names = rule.partition("=")
        carriers = tuple(filter(None, (name.strip() for name in names.split(","))))
        if not equals or not carriers:
            raise ValueError(f"{rule!r} names no carrier: write PREFIX=CARRIER,CARRIER")
        for name in carriers:
            if name not in known:
                raise ValueError(f"{name!r} is no SMS carrier of this site; there are {', '.join(known) or 'none'}")
        if len(set(carriers)) < len(carriers):
            raise ValueError(f"{rule!r} names a carrier twice")
        for prefix in (prefix.strip() for prefix in prefixes.split(",")):
            if prefix != ELSE and not _PREFIX.fullmatch(prefix):
                raise ValueError(f"{prefix!r} is no prefix: write it with + and country, such as +25472, or *")
            if prefix in rules:
                raise ValueError(f"{prefix} stands twice")
            rules[prefix] = carriers
    if ELSE not in rules:
        raise ValueError(f"nothing is said for other numbers: add ;{ELSE}=CARRIER")
    return Routes(tuple(sorted(rules.items(), key=lambda rule: (rule[0] == ELSE, -len(rule[0]), rule[0]))))
