"""What is said of a screening to another system: plain facts, filled by a site or by the hub, mapped by `resources`.

Nothing here can hold a name of a person, a phone number or a screening code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["refer", "rescreen"]
EyeName = Literal["left", "right"]


@dataclass(frozen=True)
class Model:
    """The software that read a photograph, exactly."""

    name: str
    version: str
    tier: str
    sha256: str
    threshold: float
    oedema_threshold: float | None = None


@dataclass(frozen=True)
class Eye:
    """What the model found in one eye, by the photograph that decided about it."""

    eye: EyeName
    finding: Literal["referable", "not-referable", "doubtful", "ungradable"]
    model: Model
    quality: float
    quality_reasons: tuple[str, ...] = ()
    probability: float | None = None
    """Of referable retinopathy; None where the photograph could not be graded."""
    oedema_probability: float | None = None
    read_at: int | None = None
    """Milliseconds since 1970, as every time here; None where only the decision's time is known."""


@dataclass(frozen=True)
class Grade:
    """A reviewer's finding in one eye: its ICDR grade, 0 to 4, None if nobody could grade it; is oedema suspected?"""

    grade: int | None
    oedema: bool = False


@dataclass(frozen=True)
class Verdict:
    """What holds after people looked: it makes the report final."""

    reviewer: str
    """A number, not a name."""
    outcome: Literal["refer", "rescreen", "retake"]
    at: int
    eyes: Mapping[EyeName, Grade] = field(default_factory=dict)


@dataclass(frozen=True)
class Facility:
    """Where a patient was sent: an institution."""

    key: str
    name: str
    town: str


@dataclass(frozen=True)
class Referral:
    """That a patient was asked to go, and whether she went."""

    urgency: Literal["routine", "urgent"]
    state: Literal["active", "completed", "revoked", "unknown"]
    authored_at: int
    due_at: int | None = None
    facility: Facility | None = None


@dataclass(frozen=True)
class Consent:
    """Which text the patient agreed to, and when."""

    version: str
    given_at: int


@dataclass(frozen=True)
class Screening:
    """One decided screening. `site` and `number` name it; `patient` is a pseudonym, "" where one phone stands for
    nobody: then the patient is known by this screening only."""

    site: str
    number: int
    clinic: str
    programme: str
    sex: str
    birth_year: int
    outcome: Outcome
    """What the photographs concluded, by the model alone."""
    urgent: bool
    decided_at: int
    eyes: tuple[Eye, ...]
    patient: str = ""
    consent: Consent | None = None
    referral: Referral | None = None
    verdict: Verdict | None = None

    @property
    def key(self) -> str:
        return f"{self.site}-{self.number}"


@dataclass(frozen=True)
class Withdrawn:
    """A screening whose consent was taken back: what others have of it is to be deleted."""

    site: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.site}-{self.number}"


Record = Screening | Withdrawn


@dataclass(frozen=True)
class Change:
    """A record, and when it last changed; `(at, number)` orders changes and is where a push goes on."""

    at: int
    number: int
    record: Record
