"""Passwords: argon2id, so that a stolen store does not give them away.

RFC 9106; the cost is the first choice of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, some 0.1 s here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 200
_GIVEN_BYTES = 12


@dataclass(frozen=True)
class Cost:
    """What one password costs: passes, and KiB of memory."""

    passes: int = 2
    memory_kib: int = 19_456


COST = Cost()


class WeakPassword(ValueError):
    """A password that would soon be guessed. Its text is the id of the words that say why."""


def generated() -> str:
    """A password to be printed once: 96 bits."""
    return secrets.token_urlsafe(_GIVEN_BYTES)


def check(password: str, *, name: str) -> None:
    """Raises WeakPassword. Length counts, not a choice of letters (NIST SP 800-63B, 5.1.1.2)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword("password-length")
    if len(set(password.casefold())) < SHORTEST // 2 or name.casefold() in password.casefold():
        raise WeakPassword("password-simple")


def hashed(password: str, cost: Cost = COST) -> str:
    """What is kept of a password."""
    return _hasher(cost).hash(password)


def is_right(password: str, kept: str) -> bool:
    """Whether this is the password. Takes what it cost to hash it, and as long for a wrong one."""
    try:
        return PasswordHasher().verify(kept, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str, cost: Cost = COST) -> bool:
    """Whether a password was hashed at another cost than today's."""
    return _hasher(cost).check_needs_rehash(kept)


def _hasher(cost: Cost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1)
