"""A bad setting stops the start with a line that says which and why; a trial needs none at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.programmes import installed
from services.settings import Settings, SettingsError, load

LIVE = {
    "JICHO_CARRIER": "live",
    "JICHO_AT_TOKEN": "t" * 32,
    "JICHO_AT_API_KEY": "key",
    "JICHO_AUDIO_SECRET": "s" * 32,
    "JICHO_PUBLIC_URL": "https://jicho.example.org/",
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "settings.md"


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"JICHO_PROT": "8080"}, "unknown setting JICHO_PROT"),
        ({"JICHO_PORT": "eighty"}, "JICHO_PORT='eighty'"),
        ({"JICHO_PORT": "70000"}, "JICHO_PORT='70000'"),
        ({"JICHO_LANGUAGE": "fr"}, "JICHO_LANGUAGE='fr'"),
        ({"JICHO_USSD_CODE": "384"}, "JICHO_USSD_CODE='384'"),
        ({"JICHO_BATTERY_LOW_PERCENT": "0"}, "JICHO_BATTERY_LOW_PERCENT='0'"),
        ({"JICHO_BATTERY_LOW_PERCENT": "45"}, "must lie below JICHO_BATTERY_HALF_PERCENT"),
        ({"JICHO_CLINIC_LATITUDE": "-0.1"}, "set both JICHO_CLINIC_LATITUDE and JICHO_CLINIC_LONGITUDE"),
        ({"JICHO_CLINIC_LATITUDE": "91", "JICHO_CLINIC_LONGITUDE": "34"}, "JICHO_CLINIC_LATITUDE='91'"),
        ({"JICHO_TIMEZONE": "Kisumu"}, "JICHO_TIMEZONE='Kisumu' is no time zone"),
        ({"JICHO_TIMEZONE": "../etc/passwd"}, "is no time zone"),
        ({"JICHO_UPS": "-l"}, "JICHO_UPS='-l'"),
        ({"JICHO_LOW_MEMORY_MB": "-1"}, "JICHO_LOW_MEMORY_MB='-1'"),
        ({"JICHO_AT_TOKEN": "short"}, "JICHO_AT_TOKEN is shorter than 128 bits"),
        ({"JICHO_CONSOLE_PASSWORD": "a long password"}, "JICHO_CONSOLE_PASSWORD is gone: .*app.py account add"),
        ({"JICHO_AT_NETWORKS": "196.0.2.0/24, 196.0.2.0/40"}, "JICHO_AT_NETWORKS"),
        ({"JICHO_TRUSTED_PROXY": "the proxy"}, "JICHO_TRUSTED_PROXY='the proxy'"),
        ({"JICHO_NUMBER_LIMIT": "-1"}, "JICHO_NUMBER_LIMIT='-1'"),
        ({"JICHO_CALL_AUDIO": "gsm"}, "JICHO_CALL_AUDIO=.gsm."),
        ({"JICHO_SMS_ROUTES": "*=modem"}, "JICHO_SMS_ROUTES: 'modem' is no SMS carrier of this site"),
        (
            {"JICHO_SMPP_HOST": "smpp.example.org"},
            "set JICHO_SMPP_SYSTEM_ID and JICHO_SMPP_SENDER with JICHO_SMPP_HOST",
        ),
        ({"JICHO_MODEM_CONNECTION": "usb"}, "JICHO_MODEM_CONNECTION='usb'"),
        (LIVE | {"JICHO_MODEM_DEVICE": "/dev/ttyUSB0", "JICHO_AT_TOKEN": ""}, "JICHO_AT_TOKEN must be set"),
        ({k: v for k, v in LIVE.items() if k != "JICHO_AT_TOKEN"}, "JICHO_AT_TOKEN must be set"),
        ({k: v for k, v in LIVE.items() if k != "JICHO_PUBLIC_URL"}, "JICHO_PUBLIC_URL must be set"),
        (LIVE | {"JICHO_WHATSAPP_PHONE_NUMBER_ID": "1"}, "JICHO_WHATSAPP_APP_SECRET must be set"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, environ: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint.replace("'", ".")):
        load({"JICHO_DATA_DIR": str(tmp_path)} | environ, dotenv=tmp_path / "none")


def test_a_trial_makes_its_secrets_once(tmp_path: Path) -> None:
    environ = {"JICHO_DATA_DIR": str(tmp_path)}
    first, second = (load(environ, dotenv=tmp_path / "none") for _ in range(2))
    assert first.at_token == second.at_token
    assert len(first.at_token.get_secret_value()) >= 22
    assert os.stat(tmp_path / "trial-secrets.json").st_mode & 0o077 == 0


def test_a_modem_does_without_any_other_carrier(tmp_path: Path) -> None:
    environ = {"JICHO_CARRIER": "live", "JICHO_DATA_DIR": str(tmp_path), "JICHO_MODEM_DEVICE": "/dev/ttyUSB0"}
    assert load(environ, dotenv=tmp_path / "none").sms_carriers == ("modem",)


def test_the_cheapest_carrier_comes_first(tmp_path: Path) -> None:
    environ = LIVE | {
        "JICHO_DATA_DIR": str(tmp_path),
        "JICHO_MODEM_DEVICE": "/dev/ttyUSB0",
        "JICHO_PRICE_MODEM_PART": "USD 0.004",
        "JICHO_SMPP_HOST": "smpp.example.org",
        "JICHO_SMPP_SYSTEM_ID": "jicho",
        "JICHO_SMPP_SENDER": "JICHO",
        "JICHO_PRICE_SMPP_PART": "KES 0.90",
    }
    assert load(environ, dotenv=tmp_path / "none").sms_carriers == ("modem", "africastalking", "smpp")


def test_live_settings_hold_and_hide_their_secrets(tmp_path: Path) -> None:
    found = load(LIVE | {"JICHO_DATA_DIR": str(tmp_path)}, dotenv=tmp_path / "none")
    assert found.base_url == "https://jicho.example.org"
    assert found.at_base_url == ""
    assert "t" * 32 not in repr(found)
    assert not (tmp_path / "trial-secrets.json").exists()


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("JICHO_PORT=9000\nJICHO_CLINIC=Siaya\nUNRELATED=1\n")
    found = load({"JICHO_DATA_DIR": str(tmp_path), "JICHO_PORT": "9001"}, dotenv=dotenv)
    assert (found.port, found.clinic) == (9001, "Siaya")


def test_a_long_data_directory_still_has_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    found = load({"JICHO_DATA_DIR": str(deep)}, dotenv=tmp_path / "none")
    assert len(str(found.queue_socket)) < 100


def test_every_setting_is_documented() -> None:
    text = DOCUMENT.read_text()
    names = [field.alias or f"JICHO_{name.upper()}" for name, field in Settings.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("given", "carrier", "offered"),
    [
        (None, "live", ("dr",)),
        ("dr", "live", ("dr",)),
        (" dr , dr,", "simulator", ("dr",)),
    ],
)
def test_a_site_offers_the_programmes_that_it_names(
    tmp_path: Path, given: str | None, carrier: str, offered: tuple[str, ...]
) -> None:
    environ = LIVE | {"JICHO_DATA_DIR": str(tmp_path), "JICHO_CARRIER": carrier}
    found = load(environ | ({} if given is None else {"JICHO_PROGRAMMES": given}), dotenv=tmp_path / "none")
    assert found.programmes == offered


def test_a_trial_offers_every_programme_that_is_installed(tmp_path: Path) -> None:
    assert load({"JICHO_DATA_DIR": str(tmp_path)}, dotenv=tmp_path / "none").programmes == tuple(installed())


@pytest.mark.parametrize("given", ["", "dr,cassava", "risk"])
def test_a_programme_that_is_not_installed_stops_the_start(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="JICHO_PROGRAMMES: no programme"):
        load({"JICHO_DATA_DIR": str(tmp_path), "JICHO_PROGRAMMES": given}, dotenv=tmp_path / "none")
