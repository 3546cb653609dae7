"""A stack configured as for real carriers, which live in a process of their own and outlive it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from services.bench.stack import APP, Stack

SECRETS = {
    "JICHO_AT_TOKEN": "at-token-0123456789abcdef",
    "JICHO_AT_API_KEY": "at-key-0123456789abcdef",
    "JICHO_AUDIO_SECRET": "audio-secret-0123456789",
    "JICHO_WHATSAPP_PHONE_NUMBER_ID": "254711082001",
    "JICHO_WHATSAPP_APP_SECRET": "app-secret-0123456789ab",
    "JICHO_WHATSAPP_ACCESS_TOKEN": "access-token-0123456789",
    "JICHO_WHATSAPP_VERIFY_TOKEN": "verify-token-0123456789",
    "JICHO_MM7_TOKEN": "mm7-token-0123456789abcd",
}


class LiveStack(Stack):
    """The service with `JICHO_CARRIER=live`, and the stand-in as the carrier on the other side."""

    def __init__(
        self,
        directory: Path,
        *,
        carrier_directory: Path | None = None,
        address: str = "127.0.0.1",
        **environment: str,
    ) -> None:
        super().__init__(directory=directory, address=address)
        self._carrier: subprocess.Popen[bytes] | None = None
        base = {k: v for k, v in os.environ.items() if not k.startswith("JICHO_")}
        self._carrier_environment = {
            **base,
            **SECRETS,
            "JICHO_DATA_DIR": str(carrier_directory or directory / "carrier"),
            "JICHO_PUBLIC_URL": self.gateway_url,
            "JICHO_HOST": address,
            "JICHO_SIMULATOR_PORT": str(self.carrier_port),
            "JICHO_LOG_LEVEL": "ERROR",
        }
        self.environment |= {
            **SECRETS,
            "JICHO_CARRIER": "live",
            "JICHO_PUBLIC_URL": self.gateway_url,
            "JICHO_AT_BASE_URL": self.carrier_url,
            "JICHO_AT_SENDER": "JICHO",
            "JICHO_WHATSAPP_BASE_URL": f"{self.carrier_url}/v23.0",
            **environment,
        }

    def __enter__(self) -> Self:
        self._carrier = subprocess.Popen([sys.executable, str(APP), "simulator"], env=self._carrier_environment)
        try:
            self.wait_for(self._carrier_answers, "the carrier")
            self.start()
        except BaseException:
            self._carrier.kill()
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            assert self._carrier is not None
            self._carrier.kill()
            self._carrier.wait()

    @property
    def carrier(self) -> psutil.Process:
        """The carriers' process, which no fault of the site touches."""
        assert self._carrier is not None
        return psutil.Process(self._carrier.pid)

    def _carrier_answers(self) -> bool:
        try:
            return self.http.get(f"{self.carrier_url}/phone/api/ledger").is_success
        except httpx.HTTPError:
            return False
