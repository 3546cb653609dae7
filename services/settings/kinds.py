"""What settings are made of, and how they are wrong."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field
from pydantic_settings import NoDecode

PREFIX = "JICHO_"

LEAST_TOKEN = 22  # characters of base64: 128 bits, what an unsigned carrier callback needs as a path token
Networks = Annotated[frozenset[str], NoDecode]

Addresses = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]

Names = Annotated[tuple[str, ...], NoDecode]

Phones = Annotated[dict[str, Annotated[str, Field(pattern=r"^\+[0-9]{7,15}$")]], NoDecode]

Price = Annotated[str, Field(pattern=r"^(KES|USD) ?[0-9]{1,9}(\.[0-9]{1,12})?$")]


class SettingsError(Exception):
    """A setting is unknown, missing or bad. The text says which and what to do."""
