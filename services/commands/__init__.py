"""The command line's groups, one module each; and what all commands share."""

from __future__ import annotations

import click

from services import logs, settings


class clear_errors:  # noqa: N801 - reads as a phrase
    """Turns a bad setting into one clear line."""

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, settings.SettingsError):
            raise click.ClickException(str(error)) from None


def configure(process: str) -> settings.Settings:
    """The validated settings, with this process's log set up. Raises SettingsError."""
    configured = settings.current()
    logs.configure(process, configured.log_level)
    return configured


def msisdn_of(phone: str, region: str) -> str:
    """A phone number as typed, in E.164. Raises ClickException."""
    from services.channels.phone_numbers import NotAPhone, normalise

    try:
        return normalise(phone, region=region)
    except NotAPhone:
        raise click.ClickException(f"{phone} is no mobile number of {region}: try +254…") from None
