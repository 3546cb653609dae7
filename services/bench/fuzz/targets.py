"""What is fuzzed: how to read one input, with which seeds to begin, and what share of the inputs it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

Run = Callable[[bytes], None]
"""Returns, or raises what no input may cause."""


@dataclass(frozen=True)
class Target:
    """`module` holds `prepare() -> Run` and `seeds() -> list[bytes]`, each called with `name`."""

    name: str
    module: str
    share: float
    longest: int

    def prepare(self) -> Run:
        run: Run = import_module(self.module).prepare(self.name)
        return run

    def seeds(self) -> list[bytes]:
        found: list[bytes] = import_module(self.module).seeds(self.name)
        return found


_PARSERS, _DOORS = "services.bench.fuzz.parsers", "services.bench.fuzz.doors"
_ALL = (
    Target("africastalking", _PARSERS, 0.15, 512),
    Target("whatsapp", _PARSERS, 0.15, 2048),
    Target("mm7", _PARSERS, 0.10, 4096),
    Target("twilio", _PARSERS, 0.05, 1024),
    Target("words", _PARSERS, 0.15, 200),
    Target("image", _PARSERS, 0.10, 12_288),
    Target("batch", _PARSERS, 0.10, 2048),
    Target("photograph-metadata", _PARSERS, 0.05, 512),
    Target("fhir", _PARSERS, 0.05, 1024),
    Target("gateway", _DOORS, 0.08, 1024),
    Target("hub", _DOORS, 0.02, 2048),
)
TARGETS = {target.name: target for target in _ALL}
