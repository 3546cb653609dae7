"""Settings as the environment and a `.env` file give them."""

from __future__ import annotations

import json
import os
import secrets
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from services import programmes
from services.durable import write_durably
from services.settings.kinds import PREFIX, SettingsError
from services.settings.whole import Settings


def load(environ: dict[str, str] | None = None, *, dotenv: Path = Path(".env")) -> Settings:
    """Reads and checks the settings. Raises SettingsError with one line a problem.

    With the stand-in carrier, secrets that are not set are made at the first start and kept in the data directory, so
    that a trial needs no configuration; a live carrier needs real ones.
    """
    given = {k: v for k, v in dotenv_values(dotenv).items() if v is not None} if dotenv.is_file() else {}
    given |= dict(os.environ) if environ is None else environ
    named = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if field.alias is None}
    for name in sorted(given.keys() & _GONE.keys()):
        raise SettingsError(f"{name} is gone: {_GONE[name]}")
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in named and name not in _OTHERS)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}: see docs/settings.md for the names")
    values: dict[str, object] = {
        name: given[key]
        for name, field in Settings.model_fields.items()
        if (key := field.alias or PREFIX + name.upper()) in given
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
    PREFIX + "CONSOLE_PASSWORD": "everybody at the console has an account of her own now. Take it out, and see "
    "`python app.py account add --help`"
}


_OTHERS = {PREFIX + "SHARED", PREFIX + "REGENERATE"}  # read by tests only


def _plain(problem: object) -> str:
    assert isinstance(problem, dict)
    where = str(problem["loc"][0]) if problem["loc"] else ""  # what comes after it is a place in a list
    field = Settings.model_fields.get(where)
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not where:
        return message
    name = where if where.isupper() else (field.alias if field and field.alias else PREFIX + where.upper())
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
