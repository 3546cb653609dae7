"""What a flow can ask. A question knows no channel; it knows what a good answer is and what to say to a bad one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.catalogue import text
from services.channels.phone_numbers import NotAPhone, normalise
from services.screening import codes, pins
from services.settings import current

_SHORTEST_PIN, _LONGEST_PIN = 4, 6


class Invalid(Exception):
    """An answer that does not fit; `id` is the message that says what to do."""

    def __init__(self, message_id: str, **params: object) -> None:
        super().__init__(message_id)
        self.id, self.params = message_id, params


@dataclass(frozen=True)
class Question(ABC):
    """The base of all questions. `accept` turns what was typed, pressed or said into a JSON value."""

    id: str
    params: Mapping[str, object] = field(default_factory=dict)

    digits = 0
    """How many keys answer it on a voice call; 0: as many as it takes, ended by #."""

    secret = False
    """Whether only its owner knows the answer, so that it is asked again of whoever goes on later."""

    @abstractmethod
    def accept(self, answer: str, language: str, /) -> Any:
        """The value of an answer. Raises Invalid."""

    def options(self) -> Sequence[tuple[str, str]]:
        """`(key, label message id)` of each choice; none for an open question."""
        return ()


@dataclass(frozen=True)
class Choice(Question):
    """One of a few; labels are the messages `<id>-<key>`, or `<labels>-<key>`."""

    keys: tuple[str, ...] = ()
    labels: str = ""
    digits = 1

    def accept(self, answer: str, language: str, /) -> str:
        wanted = answer.strip().casefold()
        for number, (key, label) in enumerate(self.options(), 1):
            if wanted in (str(number), key, text(language, label).casefold()):
                return key
        raise Invalid("error-choice", last=len(self.keys))

    def options(self) -> Sequence[tuple[str, str]]:
        return [(key, f"{self.labels or self.id}-{key}") for key in self.keys]


@dataclass(frozen=True)
class Confirm(Choice):
    """Yes or no."""

    keys: tuple[str, ...] = ("yes", "no")
    labels: str = "answer"

    def accept(self, answer: str, language: str, /) -> Any:
        return super().accept(answer, language) == "yes"


@dataclass(frozen=True)
class Number(Question):
    """A whole number between `low` and `high`; where it is optional, `1` says that it is not known."""

    low: int = 0
    high: int = 0
    optional: bool = False

    def accept(self, answer: str, _language: str, /) -> int | None:
        digits = answer.strip()
        if self.optional and digits == "1":
            return None
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and self.low <= int(digits) <= self.high):
            raise Invalid("error-number-optional" if self.optional else "error-number", low=self.low, high=self.high)
        return int(digits)


@dataclass(frozen=True)
class Phone(Question):
    """A mobile number, in E.164; where it is optional, `1` says that there is none."""

    optional: bool = False

    def accept(self, answer: str, _language: str, /) -> str | None:
        if self.optional and answer.strip() == "1":
            return None
        try:
            return normalise(answer, region=current().region)
        except NotAPhone:
            raise Invalid("error-phone-optional" if self.optional else "error-phone") from None


@dataclass(frozen=True)
class Code(Question):
    """A screening's six-digit code. It is `secret` where it opens a result."""

    digits = 6
    secret: bool = False

    def accept(self, answer: str, _language: str, /) -> str:
        code = codes.clean(answer)
        if code is None:
            raise Invalid("error-code")
        return code


@dataclass(frozen=True)
class Pin(Question):
    """A PIN of four to six digits. Its value is the keyed hash, so that no journal holds the digits. `owner` is the
    number whose PIN it is."""

    owner: str = ""
    secret: bool = True

    def accept(self, answer: str, _language: str, /) -> str:
        digits = answer.strip()
        if not (digits.isascii() and digits.isdigit() and _SHORTEST_PIN <= len(digits) <= _LONGEST_PIN):
            raise Invalid("error-pin")
        if len(set(digits)) == 1:
            raise Invalid("error-pin-simple")
        return pins.hashed(self.owner, digits)
