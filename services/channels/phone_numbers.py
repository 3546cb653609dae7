"""Phone numbers as people type them and carriers send them, in E.164."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberType

_LEAST_MASKED = 9
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_PERSON = re.compile(r"\+[1-9][0-9]{7,14}")


class NotAPhone(ValueError):
    """Not a mobile number of the region."""


def normalise(raw: str, region: str = "KE") -> str:
    """`+254711000001` from `0711 000 001`, `711000001`, `254711…` or `+2540711…`.

    Raises NotAPhone for landlines, short codes and other countries: the library alone accepts them.
    """
    text = raw.strip()
    if not re.fullmatch(r"\+?[\d\s().-]{7,20}", text):
        raise NotAPhone(raw)
    country = str(phonenumbers.country_code_for_region(region))
    digits = re.sub(r"\D", "", text)
    if text.startswith("+") and not digits.startswith(country):
        raise NotAPhone(raw)
    if digits.startswith(country + "0") or (digits.startswith(country) and len(digits) > 10):
        digits = digits.removeprefix(country)
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        raise NotAPhone(raw) from None
    if not phonenumbers.is_valid_number_for_region(number, region) or phonenumbers.number_type(number) not in _MOBILE:
        raise NotAPhone(raw)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def from_carrier(raw: str) -> str:
    """A carrier's number with its `+`; what is no number (a masked or alphanumeric sender) stays as it is."""
    text = raw.strip()
    return f"+{text}" if re.fullmatch(r"[1-9][0-9]{9,14}", text) else text


def is_person(sender: str) -> bool:
    """Whether a sender can be a person: short codes and operators' own names must never be answered."""
    return _PERSON.fullmatch(sender) is not None


def masked(number: str) -> str:
    """A number of which nobody can be rung, but whose owner is told from another: `+2547•••••01`. Other identities show
    nothing."""
    if not number.startswith("+") or len(number) < _LEAST_MASKED:
        return "•••" if number else ""
    return f"{number[:5]}{'•' * (len(number) - 7)}{number[-2:]}"
