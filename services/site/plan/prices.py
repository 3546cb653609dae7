"""What things cost, in dollars, by the settings that the ledger also takes where a carrier says nothing."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.money import NANO, nano_usd
from services.settings import Settings


@dataclass(frozen=True)
class Prices:
    """Dollars for one of each."""

    sms_part: float
    modem_part: float
    call_minute: float
    ussd_session: float
    whatsapp_message: float


def prices(settings: Settings | None = None) -> Prices:
    """The prices of a site's settings, or the usual ones."""
    fields = Settings.model_fields
    rate = settings.kes_per_usd if settings else float(fields["kes_per_usd"].default)

    def of(name: str) -> float:
        amount = getattr(settings, name) if settings else fields[name].default
        found = nano_usd(amount, rate)
        assert found is not None, "settings are validated"
        return found / NANO

    return Prices(
        sms_part=of("price_sms_part"),
        modem_part=of("price_modem_part"),
        call_minute=of("price_call_minute"),
        ussd_session=of("price_ussd_session"),
        whatsapp_message=of("price_whatsapp_message"),
    )
