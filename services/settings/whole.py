"""All settings in one object."""

from __future__ import annotations

from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.settings.carriers import Carriers
from services.settings.doors import Doors
from services.settings.hub import Hub
from services.settings.kinds import LEAST_TOKEN, PREFIX
from services.settings.place import Place


class Settings(Place, Carriers, Doors, Hub, BaseSettings):
    """See `docs/settings.md` for what each one means to an operator."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    @model_validator(mode="after")
    def _keys_elsewhere(self) -> Self:
        for name, keys, directory in (
            ("KEYRING", self.keyring_path, self.data_dir),
            ("HUB_KEYRING", self.hub_keyring_path, self.hub_dir),
        ):
            if keys.resolve().is_relative_to(directory.resolve()):
                raise ValueError(f"{PREFIX}{name} must lie outside {directory}: a key beside its lock opens it")
        return self

    @model_validator(mode="after")
    def _fail_closed(self) -> Self:
        # A clinic with a modem or an SMPP account of its own can do without Africa's Talking; half an account is none.
        own = "modem" in self.sms_carriers or "smpp" in self.sms_carriers
        if self.carrier == "live" and not (own and not self.at_api_key.get_secret_value()):
            for name in ("at_token", "at_api_key", "audio_secret", "public_url"):
                value = getattr(self, name)
                if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                    raise ValueError(f"{PREFIX}{name.upper()} must be set when {PREFIX}CARRIER=live")
        unsigned = self.whatsapp_phone_number_id and not self.whatsapp_app_secret.get_secret_value()
        if self.carrier == "live" and unsigned:
            raise ValueError(f"{PREFIX}WHATSAPP_APP_SECRET must be set: unsigned webhooks are refused")
        for name in ("at_token", "mm7_token"):
            token = getattr(self, name).get_secret_value()
            if token and len(token) < LEAST_TOKEN:
                raise ValueError(f"{PREFIX}{name.upper()} is shorter than 128 bits ({LEAST_TOKEN} characters)")
        return self

    @property
    def proxy(self) -> str:
        """The proxy whose word about addresses and TLS is taken: who can reach a gateway that listens on this machine
        alone is on this machine."""
        is_here = self.host == "localhost" or self.host.startswith("127.")
        return self.trusted_proxy or ("127.0.0.1" if self.public_url and is_here else "")
