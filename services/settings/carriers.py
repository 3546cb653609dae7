"""Who carries messages and calls, and by which account."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.channels.routes import parse
from services.ledger.money import nano_usd
from services.settings.kinds import PREFIX, Addresses
from services.settings.money import Money


class Carriers(Money):
    """Who carries messages and calls, and by which account."""

    at_token: SecretStr = Field(SecretStr(""), description="path token of Africa's Talking's callbacks, 128 bits")
    at_username: str = Field("sandbox", description="Africa's Talking application user name")
    at_api_key: SecretStr = Field(SecretStr(""), description="Africa's Talking API key")
    at_sender: str = Field("", description="SMS sender id or short code")
    at_voice_number: str = Field("+254711082000", description="number that calls patients")
    at_base_url: str = Field("", description="stand-in for Africa's Talking; empty for the real one")
    voice_on_incoming: Literal["call-back", "answer"] = Field(
        "call-back", description="reject a patient's call and ring back, free to her, or answer it"
    )
    calls_a_day: int = Field(500, ge=0, description="most calls back in 24 hours")
    call_spending_a_day: float = Field(
        0, ge=0, description="no calls back once 24 hours' calls cost this, in the carrier's currency; 0: no limit"
    )
    clinic_phone: str = Field(
        "", pattern=r"^(\+[0-9]{7,15})?$", description="number of the clinic, for callers who ask for a person"
    )
    whatsapp_phone_number_id: str = Field("", description="Cloud API phone number id; empty: no WhatsApp")
    whatsapp_app_secret: SecretStr = Field(SecretStr(""), description="signs what Meta posts")
    whatsapp_access_token: SecretStr = Field(SecretStr(""), description="bearer token of the Cloud API")
    whatsapp_verify_token: SecretStr = Field(SecretStr(""), description="what Meta repeats when it verifies the hook")
    whatsapp_base_url: str = Field("https://graph.facebook.com/v23.0", description="Cloud API, with its version")
    mm7_token: SecretStr = Field(SecretStr(""), description="path token of the MMSC's deliveries; empty: no MM7")
    twilio_account_sid: str = Field("", description="account of a Twilio-shaped MMS provider; empty: none")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="signs what that provider posts")
    sms_routes: str = Field("", description="SMS carriers by prefix, in order; default: the cheapest first")
    modem_device: str = Field("", description="modem with a SIM on this machine, such as /dev/ttyUSB0; empty: none")
    modem_connection: str = Field(
        "at", pattern=r"^(dummy|at[0-9]*|at-nodtr)$", description="how gammu speaks with it: at, at115200, dummy"
    )
    modem_number: str = Field("", pattern=r"^(\+[0-9]{7,15})?$", description="number of the SIM")
    modem_pin: SecretStr = Field(SecretStr(""), description="PIN of the SIM; a refused one is not tried again")
    modem_balance_ussd: str = Field(
        "", pattern=r"^(\*[0-9*]+#)?$", description="code that answers with the SIM's balance, such as *144#"
    )
    modem_answer_seconds: int = Field(60, ge=2, le=600, description="a modem that is silent for so long hangs")
    modem_power_command: str = Field("", description="turns the modem's power off and on, such as uhubctl -l 1-1 -a 2")
    smpp_host: str = Field("", description="host of an SMPP carrier; empty: none")
    smpp_port: int = Field(2775, ge=1, le=65535, description="its port")
    smpp_tls: bool = Field(False, description="TLS to the SMPP carrier, its certificate verified")
    smpp_system_id: str = Field("", max_length=15, description="user name of the SMPP account")
    smpp_password: SecretStr = Field(SecretStr(""), max_length=8, description="password of the SMPP account")
    smpp_system_type: str = Field("", max_length=12, description="system type, where the SMPP carrier wants one")
    smpp_sender: str = Field("", max_length=20, description="short code, number or name that SMS come from")
    smpp_window: int = Field(10, ge=1, le=1000, description="parts of SMS that may wait for their answer at once")
    smpp_enquire_seconds: int = Field(30, ge=1, le=600, description="an idle SMPP link is asked so often")
    smpp_alphabet: Literal["gsm7", "latin1", "ucs2"] = Field(
        "gsm7", description="letters that the SMPP carrier takes by default; with ucs2 a part has 70"
    )
    smpp_long: Literal["udh", "payload"] = Field("udh", description="a long SMS goes in parts, or whole as payload")
    audio_secret: SecretStr = Field(SecretStr(""), description="signs the expiring links to call audio")
    call_audio: Literal["wav", "mulaw", "mp3"] = Field(
        "wav", description="what calls play: 16-bit WAV, µ-law WAV (half the bytes) or MP3 (an eighth)"
    )
    at_networks: Addresses = Field((), description="networks Africa's Talking calls from, comma-separated; none: any")
    whatsapp_networks: Addresses = Field((), description="networks Meta calls from, comma-separated; none: any")
    mm7_networks: Addresses = Field((), description="networks the MMSC calls from, comma-separated; none: any")
    twilio_networks: Addresses = Field(
        (), description="networks the MMS provider calls from, comma-separated; none: any"
    )

    @field_validator("at_networks", "whatsapp_networks", "mm7_networks", "twilio_networks", mode="before")
    @classmethod
    def _split_addresses(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _sms_carriers(self) -> Self:
        if self.smpp_host and not (self.smpp_system_id and self.smpp_sender):
            raise ValueError(f"set {PREFIX}SMPP_SYSTEM_ID and {PREFIX}SMPP_SENDER with {PREFIX}SMPP_HOST")
        if self.sms_routes:
            try:
                parse(self.sms_routes, self.sms_carriers)
            except ValueError as error:
                raise ValueError(f"{PREFIX}SMS_ROUTES: {error}") from None
        return self

    @property
    def sms_carriers(self) -> tuple[str, ...]:
        """The SMS carriers that are set up, the cheapest first."""
        prices = {
            "africastalking": self.price_sms_part if self.at_api_key.get_secret_value() else "",
            "smpp": self.price_smpp_part if self.smpp_host else "",
            "modem": self.price_modem_part if self.modem_device else "",
        }
        found = [name for name, price in prices.items() if price]
        return tuple(sorted(found, key=lambda name: nano_usd(prices[name], self.kes_per_usd) or 0))
