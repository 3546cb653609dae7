"""Every sealed column of the site's store, and what names the rows that its values are sealed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from services.store.sealing import carrier_token, phone_token, unseal, unseal_json
from services.store.tables import account, clip, conversation, inbound, message, phone_number, screening, worker


def conversation_name(msisdn: str, channel: str, began_at: int) -> str:
    """Of a row of `conversation`."""
    return f"{phone_token(msisdn)}.{channel}.{began_at}"


def inbound_name(carrier: str, provider_id: str) -> str:
    """Of a row of `inbound`."""
    return f"{carrier}.{carrier_token(provider_id)}"


# Nothing that changes while the row is there, and never its number, which is known too late.
NAMES: Mapping[sa.Column[Any], Callable[[Any], str]] = {
    phone_number.c.sealed: lambda row: str(row.token),
    worker.c.name: lambda row: str(row.msisdn),
    screening.c.code_sealed: lambda row: str(row.code),
    inbound.c.text: lambda row: inbound_name(row.carrier, row.provider_id),
    conversation.c.content: lambda row: conversation_name(row.msisdn, row.channel, row.created_at),
    message.c.text: lambda row: str(row.dedupe_key),
    message.c.buttons: lambda row: str(row.dedupe_key),
    clip.c.params: lambda row: str(row.key),
    account.c.totp_secret: lambda row: str(row.name),
}


def opened(column: sa.Column[Any], row: Any) -> str:
    """What a row holds in a sealed column. Raises services.store.keyring.NotOurs."""
    return unseal(column, NAMES[column](row), getattr(row, column.name))


def opened_json(column: sa.Column[Any], row: Any) -> Any:
    """The same where it is JSON; None where nothing is. Raises services.store.keyring.NotOurs."""
    return unseal_json(column, NAMES[column](row), getattr(row, column.name))
