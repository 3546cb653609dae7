"""What the carrier's command_status means for a message (SMPP 3.4, 5.1.3). All of these say that it did not take it."""

from __future__ import annotations

from services.channels.base import ChannelError

THROTTLED = frozenset({0x14, 0x58})  # queue full, too many a second
# A fault of the account or the link, not of the message: people mend it, another carrier can take the message.
_PASSING = {
    0x04: 10.0,  # not bound as we should be
    0x08: 30.0,  # system error
    0x0A: 600.0,  # invalid source address: the sender is not registered yet
    0x14: 30.0,  # message queue full
    0x45: 60.0,  # submit failed
    0x48: 600.0,
    0x49: 600.0,  # source TON, NPI
    0x58: 10.0,  # throttled
    0x64: 30.0,  # temporary application error
    0x67: 30.0,
    0xFF: 60.0,  # unknown error
}


def refusal(status: int) -> ChannelError:
    """What is neither passing by its name nor a carrier's own (0x400 and above, often "no credit") is final."""
    wait = _PASSING.get(status, 600.0 if status >= 0x400 else None)
    return ChannelError(f"smpp: command_status 0x{status:08x}", permanent=wait is None, retry_after_s=wait)
