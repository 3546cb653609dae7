"""What goes to the hub and to other systems, and the hub itself."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from services.settings.kinds import PREFIX
from services.settings.place import keyring_of


class Hub(BaseModel):
    """What goes to the hub and to other systems, and the hub itself."""

    fhir_namespace: str = Field(
        "urn:jicho",
        pattern=r"^(urn:[a-z0-9][a-z0-9-]{0,31}(:[A-Za-z0-9._-]+)*|https://[A-Za-z0-9._~/-]+[A-Za-z0-9])$",
        description="URI in front of every identifier that other systems get: another for each programme",
    )
    fhir_token: SecretStr = Field(SecretStr(""), description="bearer token of the FHIR server; empty: none")
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

    @model_validator(mode="after")
    def _reachable_hub(self) -> Self:
        if (self.hub_certificate is None) != (self.hub_key is None):
            raise ValueError(f"set both {PREFIX}HUB_CERTIFICATE and {PREFIX}HUB_KEY, or neither")
        if self.hub_public_url and not self.hub_public_url.startswith("https://"):
            raise ValueError(f"{PREFIX}HUB_PUBLIC_URL must begin with https://")
        return self

    @property
    def hub_keyring_path(self) -> Path:
        """The keys of the hub's store."""
        return (self.hub_keyring or keyring_of(self.hub_dir)).expanduser().absolute()

    @property
    def hub_url(self) -> str:
        return (self.hub_public_url or f"https://{self.hub_host}:{self.hub_port}").rstrip("/")

    @property
    def hub_store_url(self) -> str:
        return self.hub_database_url or f"sqlite:///{self.hub_dir / 'hub.db'}"

    @property
    def hub_media(self) -> str:
        return self.hub_media_url or str((self.hub_dir / "photographs").absolute())
