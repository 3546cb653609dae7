"""Where a site runs, and what clinic it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, model_validator

from services import programmes
from services.settings.kinds import PREFIX, Names, Networks, Phones


class Place(BaseModel):
    """Where a site runs, and what clinic it is."""

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
    backup_dir: Path | None = Field(None, description="where copies go by themselves: a mounted stick; none: by hand")
    backup_hours: int = Field(24, ge=0, le=8760, description="hours between two copies; 0: only by hand")
    backup_keep: int = Field(7, ge=1, le=1000, description="newest copies that are kept on a medium")

    @model_validator(mode="before")
    @classmethod
    def _split_networks(cls, values: dict[str, object]) -> dict[str, object]:
        networks = values.get("ussd_current_only_networks")
        if isinstance(networks, str):
            values["ussd_current_only_networks"] = frozenset(filter(None, map(str.strip, networks.split(","))))
        return values

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
    def _known_programmes(self) -> Self:
        known = programmes.installed()
        for setting, names in (("PROGRAMMES", self.programmes or ("",)), ("ADVISERS", tuple(self.advisers))):
            for name in names:
                if name not in known:
                    raise ValueError(f"{PREFIX}{setting}: no programme {name!r}; there are {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.battery_low_percent + self.battery_margin_percent >= self.battery_half_percent:
            raise ValueError(
                f"{PREFIX}BATTERY_LOW_PERCENT with {PREFIX}BATTERY_MARGIN_PERCENT must lie below "
                f"{PREFIX}BATTERY_HALF_PERCENT"
            )
        return self

    @model_validator(mode="after")
    def _a_point_and_a_time(self) -> Self:
        if (self.clinic_latitude is None) != (self.clinic_longitude is None):
            raise ValueError(f"set both {PREFIX}CLINIC_LATITUDE and {PREFIX}CLINIC_LONGITUDE, or neither")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{PREFIX}TIMEZONE={self.timezone!r} is no time zone, such as Africa/Nairobi") from None
        return self

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
        return (self.keyring or keyring_of(self.data_dir)).expanduser().absolute()

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
    def simulator_url(self) -> str:
        return f"http://{self.host}:{self.simulator_port}"


def keyring_of(directory: Path) -> Path:
    """Where the keys of the store in a directory lie unless it is said otherwise."""
    # One ring a store: keys that are retired for one must not be another's.
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "jicho"
    return folder / f"{'-'.join(directory.resolve().parts[1:])}.keys.json"
