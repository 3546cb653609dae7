"""The planner's questions, and what may be answered: one table for options, prompts and the form of the page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Role = Literal["clinic", "hub"]
Internet = Literal["reliable", "intermittent", "none"]
Phones = Literal["feature", "smartphone", "mixed"]
Machine = Literal["raspberry-pi-4", "raspberry-pi-5", "mini-pc", "laptop", "server"]
Accelerator = Literal["none", "gpu", "npu"]
YesNo = Literal["yes", "no"]


class BadAnswer(ValueError):
    """An answer that cannot be used. The text says which and what to do; one line a problem."""


@dataclass(frozen=True)
class Question:
    """`choices` by value, or a number from `low` to `high` in `unit`. `usual` is taken when nobody asks. `asked`: among
    the questions of a conversation, rather than the assumptions that can be changed."""

    name: str
    asks: str
    usual: str
    choices: Mapping[str, str] | None = None
    low: float = 0
    high: float = 0
    unit: str = ""
    whole: bool = False
    asked: bool = True
    only: Literal["", "clinic", "link", "no-link"] = ""

    @property
    def option(self) -> str:
        """As it stands on the command line and in the form of the page."""
        return self.name.replace("_", "-")

    @property
    def allowed(self) -> str:
        """What may be answered, in words."""
        if self.choices is not None:
            return " | ".join(self.choices)
        return f"{self.low:g} to {self.high:,.9g}{' ' if self.unit else ''}{self.unit}"

    def read(self, given: str) -> str | float | int:
        """The answer. Raises BadAnswer."""
        said = given.strip()
        if self.choices is not None:
            begins = [value for value in self.choices if said and value.startswith(said.lower())]
            if said.lower() in self.choices or len(begins) == 1:
                return said.lower() if said.lower() in self.choices else begins[0]
            raise BadAnswer(f"{self.option}: {said or 'nothing'} is none of its answers: choose {self.allowed}")
        number = re.fullmatch(r"\$?([0-9]{1,9}(?:[.,][0-9]{1,6})?)\s*(?:([a-z$%/ ]+))?", said.lower())
        if number is None or (number[2] or self.unit.lower()).strip() not in self._units():
            example = f"{self.usual} for {self.usual}{' ' if self.unit else ''}{self.unit}"
            raise BadAnswer(f"{self.option}: {said or 'nothing'} is no number of {self.unit}: write {example}")
        value = float(number[1].replace(",", "."))
        if not self.low <= value <= self.high or not math.isfinite(value):
            raise BadAnswer(f"{self.option}: {said} is out of range: give {self.allowed}")
        if self.whole and value != int(value):
            raise BadAnswer(f"{self.option}: {said} is no whole number: give {round(value)}")
        return int(value) if self.whole else value

    def applies(self, answers: Mapping[str, Any]) -> bool:
        """Whether it makes sense to ask, after what was answered so far."""
        if self.only in ("clinic", "no-link") and answers.get("role") == "hub":
            return False
        if self.only == "no-link":
            return answers.get("internet") == "none"
        return self.only != "link" or answers.get("internet") != "none"

    def _units(self) -> tuple[str, ...]:
        first = self.unit.lower()
        return (first, first.split(" ")[0], first[:1]) if first else ("",)


QUESTIONS = (
    Question(
        "role",
        "What is planned?",
        "clinic",
        {"clinic": "a clinic that screens", "hub": "a hub that collects what clinics find"},
    ),
    Question(
        "internet",
        "How is the internet there?",
        "intermittent",
        {
            "reliable": "up all day, with few breaks",
            "intermittent": "comes and goes, or is slow",
            "none": "none at all, or none where screening happens",
        },
    ),
    Question(
        "mobile_network",
        "Is there a mobile network there, for SMS?",
        "yes",
        {"yes": "yes, phones send and get SMS", "no": "no"},
        only="no-link",
    ),
    Question(
        "phones",
        "What phones do patients and health workers have?",
        "mixed",
        {
            "feature": "buttons: calls, SMS and dialled codes",
            "smartphone": "nearly all smartphones",
            "mixed": "workers have smartphones, patients mostly buttons",
        },
        only="clinic",
    ),
    Question(
        "machine",
        "What computer is it?",
        "mini-pc",
        {
            "raspberry-pi-4": "Raspberry Pi 4",
            "raspberry-pi-5": "Raspberry Pi 5",
            "mini-pc": "a mini PC or desktop",
            "laptop": "a laptop",
            "server": "a server, yours or rented",
        },
    ),
    Question(
        "accelerator",
        "Has it a GPU or NPU?",
        "none",
        {"none": "no, or nobody knows", "gpu": "a graphics processor for computing", "npu": "a neural processor"},
        only="clinic",
    ),
    Question("memory_gb", "How much memory has it?", "4", low=0.25, high=4096, unit="GB"),
    Question("storage_gb", "How much storage is free on it?", "32", low=0.5, high=1_000_000, unit="GB"),
    Question(
        "battery_hours", "How long does it run on its battery or UPS? 0: it has none", "0", high=240, unit="hours"
    ),
    Question("outage_hours", "How long does the longest usual power cut last?", "4", high=24, unit="hours"),
    Question("screenings", "How many people are screened a month?", "200", high=1_000_000, unit="a month", whole=True),
    Question(
        "usd_per_gb",
        "What does a gigabyte cost? 0.50 to 3.00 dollars is usual",
        "3",
        high=100,
        unit="dollars",
        only="link",
    ),
    Question(
        "photograph_kb",
        "How large is a photograph as it is sent?",
        "300",
        low=20,
        high=20_000,
        unit="kB",
        whole=True,
        asked=False,
        only="clinic",
    ),
    Question(
        "with_phone",
        "Of 100 patients, how many have a phone of their own or at home?",
        "70",
        high=100,
        unit="of 100",
        whole=True,
        asked=False,
        only="clinic",
    ),
)
BY_NAME: Mapping[str, Question] = {question.name: question for question in QUESTIONS}


@dataclass(frozen=True)
class Answers:
    """What a site has. Memory is all there is, storage what is free for Jicho, its program included, both in GB of
    1000³ bytes; `screenings` a month, `photograph_kb` in 1000 bytes, `with_phone` of 100 patients."""

    role: Role
    internet: Internet
    mobile_network: YesNo
    phones: Phones
    machine: Machine
    accelerator: Accelerator
    memory_gb: float
    storage_gb: float
    battery_hours: float
    outage_hours: float
    screenings: int
    usd_per_gb: float
    photograph_kb: int
    with_phone: int

    def as_texts(self) -> dict[str, str]:
        """As a form or a command line would give them."""
        return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in asdict(self).items()}


def parse(given: Mapping[str, str]) -> Answers:
    """The answers from their texts, by name; the usual one for what is missing. Raises BadAnswer with all problems."""
    found: dict[str, Any] = {}
    problems = []
    for question in QUESTIONS:
        try:
            found[question.name] = question.read(given.get(question.name, question.usual))
        except BadAnswer as problem:
            problems.append(str(problem))
    if problems:
        raise BadAnswer("\n".join(problems))
    return Answers(**found)
