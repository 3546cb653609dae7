"""The command line's groups, one module each; and what all commands share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from services import logs, settings


@contextmanager
def clear_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turns a bad setting, or an error of these kinds, into one clear line."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (settings.SettingsError, *kinds)):
            raise click.ClickException(str(error)) from None
        raise


def configure(process: str) -> settings.Settings:
    """The validated settings, with this process's log set up. Raises SettingsError."""
    configured = settings.current()
    logs.configure(process, configured.log_level)
    return configured


def until_signalled() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT came, which from now on do nothing else."""
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return lambda: stopping


def msisdn_of(phone: str, region: str) -> str:
    """A phone number as typed, in E.164. Raises ClickException."""
    from services.channels.phone_numbers import NotAPhone, normalise

    try:
        return normalise(phone, region=region)
    except NotAPhone:
        raise click.ClickException(f"{phone} is no mobile number of {region}: try +254…") from None
