"""Sealed columns and looked-up ones: what is personal lies encrypted, and is found by keyed hash.

A sealed value opens only in its table, row and column: a field that is copied elsewhere is refused. The row's name is
what makes it unique and is known before it is written, never its number.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from services.store.keyring import Keyring, NotOurs, hub_keys, site_keys

_PREFIX = "sealed:"
_TOKEN = re.compile(r"(?:tel|code|ref)_[A-Za-z0-9_-]{22}")
_KEYS = {"site": site_keys, "hub": hub_keys}


class Sealed(str):
    """A sealed value in its column's form."""


NOTHING = Sealed("")
"""Of what is empty nothing has to be hidden, and what was erased is empty."""


class SealedText(sa.types.TypeDecorator[str]):
    """A column that takes sealed values only, so that nothing personal is written in the clear by mistake."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        if value and not isinstance(value, Sealed):
            raise TypeError("this column holds sealed values: see services/store/sealing.py")
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(value)


class _Token(sa.types.TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True
    kind: str

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else _token(self.kind, value)


class PhoneToken(_Token):
    """A column that holds the keyed hash of a phone number; it is given either."""

    kind, cache_ok = "tel", True


class CodeToken(_Token):
    """A column that holds the keyed hash of a screening's code; it is given either."""

    kind, cache_ok = "code", True


class CarrierToken(_Token):
    """A column that holds the keyed hash of a carrier's own id: WhatsApp's has the phone number in it."""

    kind, cache_ok = "ref", True


def is_token(value: str) -> bool:
    """Whether this is a keyed hash already."""
    return _TOKEN.fullmatch(value) is not None


def phone_token(msisdn: str) -> str:
    """The keyed hash of a phone number, or what is one already."""
    return _token("tel", msisdn)


def code_token(code: str) -> str:
    """The keyed hash of a screening's code, or what is one already."""
    return _token("code", code)


def carrier_token(provider_id: str) -> str:
    """The keyed hash of a carrier's id of a message or call, or what is one already."""
    return _token("ref", provider_id)


def seal(column: sa.Column[Any], row: str, text: str) -> Sealed:
    """`text` for this column of the row that is named so. What is empty stays so."""
    return NOTHING if not text else seal_at(keys_of(column.table.metadata), column.table.name, row, column.name, text)


def unseal(column: sa.Column[Any], row: str, sealed: str) -> str:
    """What was sealed for this column of this row. Raises NotOurs."""
    return "" if not sealed else unseal_at(keys_of(column.table.metadata), column.table.name, row, column.name, sealed)


def seal_json(column: sa.Column[Any], row: str, content: Any) -> Sealed:
    """Plain JSON for this column of the row that is named so. What is empty is null."""
    return NOTHING if not content else seal(column, row, json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def unseal_json(column: sa.Column[Any], row: str, sealed: str) -> Any:
    """What was sealed for this column of this row. Raises NotOurs."""
    return json.loads(unseal(column, row, sealed)) if sealed else None


def seal_bytes(column: sa.Column[Any], row: str, content: bytes) -> bytes:
    """Bytes for this column of the row that is named so."""
    return keys_of(column.table.metadata).seal(content, _place(column.table.name, row, column.name))


def unseal_bytes(column: sa.Column[Any], row: str, sealed: bytes) -> bytes:
    """What was sealed for this column of this row. Raises NotOurs."""
    return keys_of(column.table.metadata).open(bytes(sealed), _place(column.table.name, row, column.name))


def seal_at(keys: Keyring, table: str, row: str, column: str, text: str) -> Sealed:
    """The same by names: for migrations, whose tables are those of their time."""
    sealed = keys.seal(text.encode(), _place(table, row, column))
    return Sealed(_PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode())


def unseal_at(keys: Keyring, table: str, row: str, column: str, sealed: str) -> str:
    """The same by names. Raises NotOurs."""
    return keys.open(sealed_bytes(sealed), _place(table, row, column)).decode()


def sealed_bytes(sealed: str) -> bytes:
    """The bytes of a sealed value in its column's form. Raises NotOurs."""
    if not sealed.startswith(_PREFIX):
        raise NotOurs("not sealed")
    text = sealed[len(_PREFIX) :]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotOurs("not sealed") from None


def keys_of(tables: sa.MetaData) -> Keyring:
    """The keyring of the store that has these tables."""
    return _KEYS[tables.info["keys"]]()


def _place(table: str, row: str, column: str) -> bytes:
    return f"{table}:{row}:{column}".encode()


def _token(kind: str, value: str) -> str:
    if not value or is_token(value):
        return value
    return f"{kind}_{site_keys().ring.token(kind, value)}"
