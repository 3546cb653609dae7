"""SMS through several carriers: the next one is tried only when it is certain that the one before did not take it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from services.channels.base import Channel, ChannelError, Kind, Media, Outbound, Receipt
from services.channels.circuits import Circuits
from services.channels.routes import Routes
from services.logs import redact

_LOG = logging.getLogger(__name__)


@runtime_checkable
class Probed(Protocol):
    """A carrier that can be asked whether it answers, without a message."""

    def probe(self) -> None:
        """Raises ChannelError if it does not."""


class InTurn:
    """One SMS channel out of many. `channels`: by the name that `routes` calls them."""

    name = "sms"
    kinds = frozenset({Kind.SMS})

    def __init__(self, channels: Mapping[str, Channel], routes: Routes, circuits: Circuits) -> None:
        self._channels, self._routes, self._circuits = channels, routes, circuits

    def send(self, message: Outbound) -> Receipt:
        """Hands one SMS to the first carrier that takes it. The receipt, or the error, names the carrier.

        Raises ChannelError: the first that is permanent or of unknown outcome, for then no other may be tried (who said
        STOP to one carrier is not to be written to by the next), else the one that can be tried again soonest.
        """
        refusals: list[ChannelError] = []
        for name in self._circuits.in_order(self._routes.to(message.to)):
            channel = self._channels[name]
            try:
                receipt = channel.send(message)
            except ChannelError as error:
                error.carrier = channel.name
                if error.permanent:
                    self._circuits.worked(name)
                    raise
                self._circuits.failed(name, redact(error.reason))
                if error.unknown:
                    raise
                _LOG.info("carrier refused", extra={"carrier": name, "reason": redact(error.reason)})
                refusals.append(error)
            else:
                self._circuits.worked(name)
                return replace(receipt, carrier=channel.name)
        raise min(refusals, key=lambda error: error.retry_after_s or 0)

    def fetch(self, media: Media) -> bytes:
        """SMS carries no attachments."""
        raise ChannelError(f"no attachment {media.locator!r} in SMS", permanent=True)

    def probe_due(self) -> int:
        """Probes the carriers that are out of order and may be back. How many answered."""
        answered = 0
        for name in self._circuits.due():
            channel = self._channels.get(name)
            fault = ""
            if isinstance(channel, Probed):
                try:
                    channel.probe()
                except ChannelError as error:
                    fault = error.reason
            self._circuits.probed(name, fault)
            answered += not fault
        return answered
