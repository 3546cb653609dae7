"""The addresses that an operator enters at each carrier."""

from __future__ import annotations

from services.settings import Settings


def addresses(settings: Settings) -> dict[str, str]:
    """What to configure where, with the secrets in it."""
    base = settings.base_url
    at = f"{base}/at/{settings.at_token.get_secret_value()}"
    found = {
        "Africa's Talking USSD": f"{at}/ussd",
        "Africa's Talking USSD end": f"{at}/ussd-end",
        "Africa's Talking incoming SMS": f"{at}/sms",
        "Africa's Talking delivery reports": f"{at}/delivery",
        "Africa's Talking SMS opt-out": f"{at}/optout",
        "Africa's Talking voice": f"{at}/voice",
    }
    if settings.whatsapp_phone_number_id:
        found["WhatsApp webhook"] = f"{base}/whatsapp"
    if settings.mm7_token.get_secret_value():
        found["MMSC (MM7) deliveries"] = f"{base}/mm7/{settings.mm7_token.get_secret_value()}"
    if settings.twilio_account_sid:
        found["Twilio-shaped MMS webhook"] = f"{base}/twilio/mms"
    return found
