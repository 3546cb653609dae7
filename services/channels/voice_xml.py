"""The XML that tells Africa's Talking what to do in a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True)
class Play:
    """Plays the audio at a URL."""

    url: str

    def xml(self) -> str:
        return f"<Play url={quoteattr(self.url)}/>"


@dataclass(frozen=True)
class GetDigits:
    """Plays prompts and waits for keys. `digits` 0: as many as come, until #."""

    prompts: Sequence[Play]
    callback_url: str
    digits: int = 0
    timeout_s: int = 12

    def xml(self) -> str:
        number = f' numDigits="{self.digits}"' if self.digits else ""
        inside = "".join(prompt.xml() for prompt in self.prompts)
        return (
            f'<GetDigits timeout="{self.timeout_s}" finishOnKey="#"{number} '
            f"callbackUrl={quoteattr(self.callback_url)}>{inside}</GetDigits>"
        )


@dataclass(frozen=True)
class Say:
    """Lets the carrier speak; it knows no Kiswahili, so only for what must be said when we cannot."""

    text: str

    def xml(self) -> str:
        return f"<Say>{escape(self.text)}</Say>"


@dataclass(frozen=True)
class Redirect:
    """Asks again at another address."""

    url: str

    def xml(self) -> str:
        return f"<Redirect>{escape(self.url)}</Redirect>"


@dataclass(frozen=True)
class Dial:
    """Puts the call through to another phone, for `longest_s` seconds at most.

    What stands behind it is done only if that phone is not picked up (docs.africastalking.com/voice/dial, where
    `maxDuration` is too).
    """

    number: str
    longest_s: int = 600

    def xml(self) -> str:
        return f'<Dial phoneNumbers={quoteattr(self.number)} maxDuration="{self.longest_s}"/>'


@dataclass(frozen=True)
class Reject:
    """Refuses the call, which costs the caller nothing."""

    def xml(self) -> str:
        return "<Reject/>"


Verb = Play | GetDigits | Say | Redirect | Dial | Reject


def render(verbs: Sequence[Verb]) -> str:
    """The whole answer; no verbs end the call."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verb.xml() for verb in verbs)}</Response>'
