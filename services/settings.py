"""Every setting, in one validated object.

Values come from the environment and from a `.env` file: `JICHO_…` for Jicho's own, and the names everybody uses,
`DATABASE_URL` and `REDIS_URL`, for the two servers. An unknown `JICHO_…` name or a bad value stops the start.
"""

from __future__ import annotations

import json
import os
import secrets
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services import programmes
from services.channels.routes import parse
from services.durable import write_durably
from services.ledger.money import nano_usd

_PREFIX = "JICHO_"
_LEAST_TOKEN = 22  # characters of base64: 128 bits, what an unsigned carrier callback needs as a path token
Networks = Annotated[frozenset[str], NoDecode]
Addresses = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]
Names = Annotated[tuple[str, ...], NoDecode]
Phones = Annotated[dict[str, Annotated[str, Field(pattern=r"^\+[0-9]{7,15}$")]], NoDecode]
Price = Annotated[str, Field(pattern=r"^(KES|USD) ?[0-9]{1,9}(\.[0-9]{1,12})?$")]


class SettingsError(Exception):
    """A setting is unknown, missing or bad. The text says which and what to do."""


class Settings(BaseSettings):
    """See `docs/settings.md` for what each one means to an operator."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    carrier: Literal["simulator", "live"] = Field("simulator", description="who carries messages: stand-in or real")
    data_dir: Path = Field(Path("data"), description="store, photographs, audio and queue of this site")
    host_dir: Path | None = Field(
        None, description="what is of this host alone, where several share JICHO_DATA_DIR; default: the data directory"
    )
    keyring: Path | None = Field(
        None, description="keys of the store, outside the data directory; default: below ~/.config/jicho"
    )
    keep_days: int = Field(
        90, ge=31, le=3650, description="days after which photographs and words are erased; results stay"
    )
    keep_people_days: int = Field(
        455, ge=31, le=3650, description="days after which a screening's code and phone number are erased"
    )
    host: str = Field("127.0.0.1", description="address the gateway listens on")
    app_port: int = Field(
        8443, ge=1, le=65535, description="the web app for other devices, over TLS, once it has a certificate"
    )
    port: int = Field(8080, ge=1, le=65535, description="port the gateway listens on")
    public_url: str = Field("", description="how carriers reach the gateway, https in production; default host:port")
    simulator_port: int = Field(8081, ge=1, le=65535, description="port of the stand-in carrier and its /phone page")
    database_url: str = Field("", alias="DATABASE_URL", description="PostgreSQL, or SQLite in the data directory")
    redis_url: str = Field("", alias="REDIS_URL", description="external Redis or Valkey, or the embedded one")
    inference_workers: int = Field(1, ge=1, le=64, description="inference processes: one a core at most")
    gateway_threads: int = Field(4, ge=1, le=64, description="threads that answer callbacks")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe line logged")

    ups: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9.:_-]+)?)?$",
        description="UPS as NUT names it, such as ups@localhost; empty: the machine's own battery",
    )
    battery_low_percent: int = Field(20, ge=1, le=90, description="on battery below this, only urgent cases are read")
    battery_half_percent: int = Field(50, ge=2, le=100, description="on battery below this, a smaller model reads")
    battery_margin_percent: int = Field(5, ge=1, le=50, description="points above a limit at which it ends")
    low_memory_mb: int = Field(200, ge=0, description="with less memory available, the smallest model reads")
    low_disk_mb: int = Field(500, ge=0, description="with less disk free, nothing is made that can be made later")

    programmes: Names = Field(
        (programmes.FIRST,), description="which programmes this site offers, comma-separated, the main one first"
    )
    advisers: Phones = Field({}, description="who rings people who ask for advice: programme=number, comma-separated")
    region: str = Field("KE", pattern="^[A-Z]{2}$", description="country whose mobile numbers are accepted")
    clinic: str = Field("Jicho", max_length=30, description="name of the clinic, as people read and hear it")
    referral_place: str = Field(
        "", max_length=40, description="where a referred patient should go; default: the eye clinic"
    )
    clinic_latitude: float | None = Field(
        None, ge=-90, le=90, description="where the clinic is, in degrees: the facility nearest to it is chosen"
    )
    clinic_longitude: float | None = Field(None, ge=-180, le=180, description="where the clinic is, in degrees")
    timezone: str = Field("Africa/Nairobi", description="local time: nobody is sent a reminder at night")
    language: Literal["en", "sw", "luo"] = Field("sw", description="language of people who chose none")
    ussd_code: str = Field("*384*77#", pattern=r"^\*[0-9*]+#$", description="the code people dial")
    ussd_current_only_networks: Networks = Field(
        frozenset(), description="network codes that send only the latest USSD input, comma-separated"
    )

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
    price_megabyte: Price = Field("USD 0.003", description="what the link's operator bills for a million bytes")
    price_sms_part: Price = Field("KES 0.80", description="a part of an SMS, where the carrier does not say")
    price_modem_part: Price = Field("KES 1.00", description="a part of an SMS through the modem")
    price_smpp_part: Price = Field("KES 0.80", description="a part of an SMS through SMPP")
    price_call_minute: Price = Field("KES 3.00", description="a minute of a call, where the carrier does not say")
    price_ussd_session: Price = Field("KES 1.00", description="a USSD session, where the carrier does not say")
    price_whatsapp_message: Price = Field(
        "USD 0", description="a WhatsApp message sent; answers within 24 hours are free"
    )
    kes_per_usd: float = Field(129.0, gt=0, description="shillings for a dollar: the ledger adds up in dollars")
    budget_usd_a_day: float = Field(0, ge=0, description="dollars a day after which what can wait waits; 0: no limit")
    budget_models_percent: int = Field(
        50, ge=0, le=100, description="share of the budget after which models and voices wait for the next day"
    )
    budget_photographs_percent: int = Field(
        80, ge=0, le=100, description="share of the budget after which photographs wait for the next day"
    )

    fhir_namespace: str = Field(
        "urn:jicho",
        pattern=r"^(urn:[a-z0-9][a-z0-9-]{0,31}(:[A-Za-z0-9._-]+)*|https://[A-Za-z0-9._~/-]+[A-Za-z0-9])$",
        description="URI in front of every identifier that other systems get: another for each programme",
    )
    fhir_token: SecretStr = Field(SecretStr(""), description="bearer token of the FHIR server; empty: none")

    call_audio: Literal["wav", "mulaw", "mp3"] = Field(
        "wav", description="what calls play: 16-bit WAV, µ-law WAV (half the bytes) or MP3 (an eighth)"
    )
    session_idle_minutes: int = Field(30, ge=1, le=1440, description="who does nothing for so long is signed out")
    session_hours: int = Field(12, ge=1, le=168, description="a session at the console ends after so long, used or not")
    worker_pin: bool = Field(False, description="health workers type a PIN of their own before they see their list")

    trusted_proxy: str = Field(
        "", description="address of the TLS proxy whose X-Forwarded-For holds; default: one on this machine"
    )
    at_networks: Addresses = Field((), description="networks Africa's Talking calls from, comma-separated; none: any")
    whatsapp_networks: Addresses = Field((), description="networks Meta calls from, comma-separated; none: any")
    mm7_networks: Addresses = Field((), description="networks the MMSC calls from, comma-separated; none: any")
    twilio_networks: Addresses = Field(
        (), description="networks the MMS provider calls from, comma-separated; none: any"
    )
    number_limit: int = Field(
        120, ge=0, description="requests or messages a minute from one phone number on one channel; 0: no limit"
    )
    address_limit: int = Field(
        600, ge=0, description="requests a minute from one address, carriers' apart; 0: no limit"
    )

    backup_dir: Path | None = Field(None, description="where copies go by themselves: a mounted stick; none: by hand")
    backup_hours: int = Field(24, ge=0, le=8760, description="hours between two copies; 0: only by hand")
    backup_keep: int = Field(7, ge=1, le=1000, description="newest copies that are kept on a medium")

    metrics_token: SecretStr = Field(SecretStr(""), description="bearer token with which Prometheus reads /metrics")
    metrics_from: str = Field("", description="networks that may read /metrics without it, comma-separated")

    sync_batch: int = Field(50, ge=1, le=300, description="results that go to the hub at once, at most")
    sync_seconds: int = Field(300, ge=1, le=3600, description="the oldest result waits so long for a full batch")
    sync_photographs: Literal["needed", "all", "none"] = Field(
        "needed", description="which photographs go to the hub: of referred and doubtful eyes, all or none"
    )
    sync_photograph_kb: int = Field(100, ge=10, le=500, description="1000 bytes that a photograph may have on its way")
    sync_chunk_kb: int = Field(64, ge=4, le=512, description="1024 bytes of a photograph that are sent at once")
    updates_hours: int = Field(
        24, ge=0, le=8760, description="hours between two looks for models and voices; 0: only when the hub says so"
    )

    hub_dir: Path = Field(Path("data/hub"), description="certificate, photographs and trial store of the hub")
    hub_keyring: Path | None = Field(
        None, description="keys of the hub's store, outside its directory; default: below ~/.config/jicho"
    )
    hub_host: str = Field("127.0.0.1", description="address the hub listens on")
    hub_port: int = Field(8443, ge=1, le=65535, description="port the hub listens on, with TLS")
    hub_public_url: str = Field("", description="how sites reach the hub, https; default host:port")
    hub_database_url: str = Field("", description="the hub's PostgreSQL, or SQLite in its directory")
    hub_processes: int = Field(2, ge=1, le=64, description="processes of the hub; one with SQLite")
    hub_threads: int = Field(8, ge=1, le=256, description="threads of each process of the hub")
    hub_media_url: str = Field("", description="where the hub keeps photographs, as fsspec reads it")
    hub_upload_days: int = Field(7, ge=1, le=90, description="an unfinished photograph is kept so long")
    hub_certificate: Path | None = Field(None, description="certificate of the hub, PEM; default: made for a trial")
    hub_key: Path | None = Field(None, description="key of that certificate, PEM")
    hub_review_negatives: float = Field(
        0.02, ge=0, le=1, description="share of results without referable signs that reviewers look at too"
    )
    hub_alert_unseen_hours: int = Field(
        24, ge=1, le=8760, description="a site not seen, or a result not sent, for so long is worth an alert"
    )

    @model_validator(mode="before")
    @classmethod
    def _split_networks(cls, values: dict[str, object]) -> dict[str, object]:
        networks = values.get("ussd_current_only_networks")
        if isinstance(networks, str):
            values["ussd_current_only_networks"] = frozenset(filter(None, map(str.strip, networks.split(","))))
        return values

    @model_validator(mode="after")
    def _metrics_networks(self) -> Settings:
        try:
            _ = self.metrics_networks
        except ValueError as error:
            raise ValueError(f"{_PREFIX}METRICS_FROM: {error}") from None
        if 0 < len(self.metrics_token.get_secret_value()) < _LEAST_TOKEN:
            raise ValueError(f"{_PREFIX}METRICS_TOKEN is shorter than 128 bits ({_LEAST_TOKEN} characters)")
        return self

    @model_validator(mode="before")
    @classmethod
    def _split_programmes(cls, values: dict[str, object]) -> dict[str, object]:
        named = values.get("programmes")
        if isinstance(named, str):
            values["programmes"] = tuple(dict.fromkeys(filter(None, map(str.strip, named.split(",")))))
        advisers = values.get("advisers")
        if isinstance(advisers, str):
            pairs = (pair.partition("=") for pair in filter(None, map(str.strip, advisers.split(","))))
            values["advisers"] = {name.strip(): phone.strip() for name, _, phone in pairs}
        return values

    @model_validator(mode="after")
    def _known_programmes(self) -> Settings:
        known = programmes.installed()
        for setting, names in (("PROGRAMMES", self.programmes or ("",)), ("ADVISERS", tuple(self.advisers))):
            for name in names:
                if name not in known:
                    raise ValueError(f"{_PREFIX}{setting}: no programme {name!r}; there are {', '.join(known)}")
        return self

    @field_validator("at_networks", "whatsapp_networks", "mm7_networks", "twilio_networks", mode="before")
    @classmethod
    def _split_addresses(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @field_validator("trusted_proxy")
    @classmethod
    def _one_address(cls, given: str) -> str:
        if given:
            ip_address(given)
        return given

    @model_validator(mode="after")
    def _limits_in_order(self) -> Settings:
        if self.battery_low_percent + self.battery_margin_percent >= self.battery_half_percent:
            raise ValueError(
                f"{_PREFIX}BATTERY_LOW_PERCENT with {_PREFIX}BATTERY_MARGIN_PERCENT must lie below "
                f"{_PREFIX}BATTERY_HALF_PERCENT"
            )
        return self

    @model_validator(mode="after")
    def _reachable_hub(self) -> Settings:
        if (self.hub_certificate is None) != (self.hub_key is None):
            raise ValueError(f"set both {_PREFIX}HUB_CERTIFICATE and {_PREFIX}HUB_KEY, or neither")
        if self.hub_public_url and not self.hub_public_url.startswith("https://"):
            raise ValueError(f"{_PREFIX}HUB_PUBLIC_URL must begin with https://")
        return self

    @model_validator(mode="after")
    def _keys_elsewhere(self) -> Settings:
        for name, keys, directory in (
            ("KEYRING", self.keyring_path, self.data_dir),
            ("HUB_KEYRING", self.hub_keyring_path, self.hub_dir),
        ):
            if keys.resolve().is_relative_to(directory.resolve()):
                raise ValueError(f"{_PREFIX}{name} must lie outside {directory}: a key beside its lock opens it")
        return self

    @model_validator(mode="after")
    def _models_wait_first(self) -> Settings:
        if self.budget_models_percent > self.budget_photographs_percent:
            raise ValueError(
                f"{_PREFIX}BUDGET_MODELS_PERCENT must not exceed {_PREFIX}BUDGET_PHOTOGRAPHS_PERCENT: models wait first"
            )
        return self

    @model_validator(mode="after")
    def _a_point_and_a_time(self) -> Settings:
        if (self.clinic_latitude is None) != (self.clinic_longitude is None):
            raise ValueError(f"set both {_PREFIX}CLINIC_LATITUDE and {_PREFIX}CLINIC_LONGITUDE, or neither")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{_PREFIX}TIMEZONE={self.timezone!r} is no time zone, such as Africa/Nairobi") from None
        return self

    @model_validator(mode="after")
    def _sms_carriers(self) -> Settings:
        if self.smpp_host and not (self.smpp_system_id and self.smpp_sender):
            raise ValueError(f"set {_PREFIX}SMPP_SYSTEM_ID and {_PREFIX}SMPP_SENDER with {_PREFIX}SMPP_HOST")
        if self.sms_routes:
            try:
                parse(self.sms_routes, self.sms_carriers)
            except ValueError as error:
                raise ValueError(f"{_PREFIX}SMS_ROUTES: {error}") from None
        return self

    @model_validator(mode="after")
    def _fail_closed(self) -> Settings:
        # A clinic with a modem or an SMPP account of its own can do without Africa's Talking; half an account is none.
        own = "modem" in self.sms_carriers or "smpp" in self.sms_carriers
        if self.carrier == "live" and not (own and not self.at_api_key.get_secret_value()):
            for name in ("at_token", "at_api_key", "audio_secret", "public_url"):
                value = getattr(self, name)
                if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                    raise ValueError(f"{_PREFIX}{name.upper()} must be set when {_PREFIX}CARRIER=live")
        unsigned = self.whatsapp_phone_number_id and not self.whatsapp_app_secret.get_secret_value()
        if self.carrier == "live" and unsigned:
            raise ValueError(f"{_PREFIX}WHATSAPP_APP_SECRET must be set: unsigned webhooks are refused")
        for name in ("at_token", "mm7_token"):
            token = getattr(self, name).get_secret_value()
            if token and len(token) < _LEAST_TOKEN:
                raise ValueError(f"{_PREFIX}{name.upper()} is shorter than 128 bits ({_LEAST_TOKEN} characters)")
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

    @property
    def metrics_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that may read the metrics."""
        return tuple(ip_network(each.strip()) for each in self.metrics_from.split(",") if each.strip())

    @property
    def place(self) -> str:
        """Where a referred patient should go: the operator's words, or the id of the message that says it generally."""
        return self.referral_place or "place-eye-clinic"

    @property
    def voices_dir(self) -> Path:
        """Voices installed and recordings made at this site."""
        return self.data_dir / "voices"

    @property
    def models_dir(self) -> Path:
        """Models that came from the hub."""
        return self.data_dir / "models"

    @property
    def own_dir(self) -> Path:
        """What concerns this machine alone: its queue server, its battery and link, its modem, rendered sounds."""
        return self.host_dir or self.data_dir

    @property
    def keyring_path(self) -> Path:
        """The keys of the site's store."""
        return (self.keyring or _keyring_of(self.data_dir)).expanduser().absolute()

    @property
    def hub_keyring_path(self) -> Path:
        """The keys of the hub's store."""
        return (self.hub_keyring or _keyring_of(self.hub_dir)).expanduser().absolute()

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'jicho.db'}"

    @property
    def queue_socket(self) -> Path:
        """The embedded queue server's socket: in the host's directory, or in /tmp where its path would be too long."""
        path = (self.own_dir / "queue" / "queue.sock").resolve()
        if len(str(path)) < 100:  # sun_path holds 108 bytes
            return path
        return Path("/tmp") / f"jicho-{self.own_dir.resolve().stat().st_ino}.sock"

    @property
    def queue_url(self) -> str:
        return self.redis_url or f"unix://{self.queue_socket}"

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def proxy(self) -> str:
        """The proxy whose word about addresses and TLS is taken: who can reach a gateway that listens on this machine
        alone is on this machine."""
        is_here = self.host == "localhost" or self.host.startswith("127.")
        return self.trusted_proxy or ("127.0.0.1" if self.public_url and is_here else "")

    @property
    def hub_url(self) -> str:
        return (self.hub_public_url or f"https://{self.hub_host}:{self.hub_port}").rstrip("/")

    @property
    def hub_store_url(self) -> str:
        return self.hub_database_url or f"sqlite:///{self.hub_dir / 'hub.db'}"

    @property
    def hub_media(self) -> str:
        return self.hub_media_url or str((self.hub_dir / "photographs").absolute())

    @property
    def simulator_url(self) -> str:
        return f"http://{self.host}:{self.simulator_port}"


def load(environ: dict[str, str] | None = None, *, dotenv: Path = Path(".env")) -> Settings:
    """Reads and checks the settings. Raises SettingsError with one line a problem.

    With the stand-in carrier, secrets that are not set are made at the first start and kept in the data directory, so
    that a trial needs no configuration; a live carrier needs real ones.
    """
    given = {k: v for k, v in dotenv_values(dotenv).items() if v is not None} if dotenv.is_file() else {}
    given |= dict(os.environ) if environ is None else environ
    named = {_PREFIX + name.upper() for name, field in Settings.model_fields.items() if field.alias is None}
    for name in sorted(given.keys() & _GONE.keys()):
        raise SettingsError(f"{name} is gone: {_GONE[name]}")
    unknown = sorted(name for name in given if name.startswith(_PREFIX) and name not in named and name not in _OTHERS)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}: see docs/settings.md for the names")
    values: dict[str, object] = {
        name: given[key]
        for name, field in Settings.model_fields.items()
        if (key := field.alias or _PREFIX + name.upper()) in given
    }
    if values.get("carrier", "simulator") == "simulator":
        directory = Path(str(values.get("data_dir", Settings.model_fields["data_dir"].default)))
        host, port = values.get("host", "127.0.0.1"), values.get("simulator_port", 8081)
        values = _trial_values(directory, f"http://{host}:{port}") | values
    aliases = {name: field.alias or name for name, field in Settings.model_fields.items()}
    try:
        return Settings.model_validate({aliases[name]: value for name, value in values.items()})
    except ValidationError as error:
        raise SettingsError("\n".join(_plain(problem) for problem in error.errors())) from None


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process."""
    return load()


_GONE = {
    _PREFIX + "CONSOLE_PASSWORD": "everybody at the console has an account of her own now. Take it out, and see "
    "`python app.py account add --help`"
}
_OTHERS = {_PREFIX + "SHARED", _PREFIX + "REGENERATE"}  # read by tests only


def _keyring_of(directory: Path) -> Path:
    # One ring a store: keys that are retired for one must not be another's.
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "jicho"
    return folder / f"{'-'.join(directory.resolve().parts[1:])}.keys.json"


def _plain(problem: object) -> str:
    assert isinstance(problem, dict)
    where = str(problem["loc"][0]) if problem["loc"] else ""  # what comes after it is a place in a list
    field = Settings.model_fields.get(where)
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not where:
        return message
    name = where if where.isupper() else (field.alias if field and field.alias else _PREFIX + where.upper())
    return f"{name}={problem['input']!r}: {message}"


def _trial_values(directory: Path, simulator_url: str) -> dict[str, object]:
    path = directory / "trial-secrets.json"
    names = (
        "at_token",
        "at_api_key",
        "whatsapp_app_secret",
        "whatsapp_access_token",
        "whatsapp_verify_token",
        "mm7_token",
        "twilio_auth_token",
        "audio_secret",
    )
    kept: dict[str, object] = json.loads(path.read_text()) if path.is_file() else {}
    if not kept.keys() >= set(names):
        kept = {name: secrets.token_urlsafe(24) for name in names} | kept
        write_durably(path, json.dumps(kept, indent=1).encode(), mode=0o600)
    return kept | {
        # A trial shows all there is; a clinic's menu is what the clinic says.
        "programmes": tuple(programmes.installed()),
        "at_base_url": simulator_url,
        "at_sender": "JICHO",
        "whatsapp_phone_number_id": "254711082001",
        "whatsapp_base_url": f"{simulator_url}/v23.0",
        "twilio_account_sid": "ACstandin",
    }
