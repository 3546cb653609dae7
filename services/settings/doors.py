"""Who may come in, and how often."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from services.settings.kinds import LEAST_TOKEN, PREFIX


class Doors(BaseModel):
    """Who may come in, and how often."""

    session_idle_minutes: int = Field(30, ge=1, le=1440, description="who does nothing for so long is signed out")
    session_hours: int = Field(12, ge=1, le=168, description="a session at the console ends after so long, used or not")
    worker_pin: bool = Field(False, description="health workers type a PIN of their own before they see their list")
    trusted_proxy: str = Field(
        "", description="address of the TLS proxy whose X-Forwarded-For holds; default: one on this machine"
    )
    number_limit: int = Field(
        120, ge=0, description="requests or messages a minute from one phone number on one channel; 0: no limit"
    )
    address_limit: int = Field(
        600, ge=0, description="requests a minute from one address, carriers' apart; 0: no limit"
    )
    metrics_token: SecretStr = Field(SecretStr(""), description="bearer token with which Prometheus reads /metrics")
    metrics_from: str = Field("", description="networks that may read /metrics without it, comma-separated")

    @model_validator(mode="after")
    def _metrics_networks(self) -> Self:
        try:
            _ = self.metrics_networks
        except ValueError as error:
            raise ValueError(f"{PREFIX}METRICS_FROM: {error}") from None
        if 0 < len(self.metrics_token.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"{PREFIX}METRICS_TOKEN is shorter than 128 bits ({LEAST_TOKEN} characters)")
        return self

    @field_validator("trusted_proxy")
    @classmethod
    def _one_address(cls, given: str) -> str:
        if given:
            ip_address(given)
        return given

    @property
    def metrics_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that may read the metrics."""
        return tuple(ip_network(each.strip()) for each in self.metrics_from.split(",") if each.strip())
