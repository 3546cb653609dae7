"""What each queue's worker loads before its first job, so that no patient waits for it."""

from __future__ import annotations

from collections.abc import Callable


def _load_engine() -> None:
    from services import runtime
    from services.screening.policy import warm

    warm(runtime.current())


def _load_speech() -> None:
    from services.calls.jobs import warm

    warm()


def _load_carriers() -> None:
    # The carrier's SDK takes most of a second to import, which the first result would otherwise wait for.
    import africastalking  # noqa: F401
    import httpx  # noqa: F401


WARM: dict[str, tuple[Callable[[], None], ...]] = {
    "inference": (_load_engine,),
    "speech": (_load_speech,),
    "delivery": (_load_carriers,),
}
