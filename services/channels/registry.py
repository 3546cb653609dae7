"""Which carriers this site has, from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.channels import routes
from services.channels.africastalking import AfricasTalkingSms, AfricasTalkingVoice
from services.channels.base import Channel, ChannelError, Kind
from services.channels.circuits import Circuits
from services.channels.held import HeldSms, socket_path
from services.channels.in_turn import InTurn
from services.channels.mm7 import Mm7
from services.channels.twilio_mms import TwilioMms
from services.channels.whatsapp import WhatsApp
from services.ledger.meter import NO_METER, Meter
from services.settings import Settings

if TYPE_CHECKING:
    from services.channels.simulator import SimulatorConfig

_TWILIO_HOSTS = frozenset({"api.twilio.com"})


class Channels:
    """The carriers by name, and which of them takes a kind of message. `meter` is told what they move over the link."""

    def __init__(self, settings: Settings, meter: Meter = NO_METER) -> None:
        key = settings.at_api_key.get_secret_value()
        at = (settings.at_username, key)
        texts: dict[str, Channel] = {
            name: HeldSms(name, socket_path(settings.own_dir, name)) for name in settings.sms_carriers
        }
        found: list[Channel] = [Mm7()]
        if key:
            texts["africastalking"] = AfricasTalkingSms(*at, settings.at_sender, settings.at_base_url, meter=meter)
            found.append(AfricasTalkingVoice(*at, settings.at_voice_number, settings.at_base_url, meter=meter))
        if settings.whatsapp_phone_number_id:
            token = settings.whatsapp_access_token.get_secret_value()
            found.append(WhatsApp(settings.whatsapp_phone_number_id, token, settings.whatsapp_base_url, meter=meter))
        if settings.twilio_account_sid:
            hosts = _TWILIO_HOSTS
            if settings.carrier == "simulator":
                hosts = frozenset({urlsplit(settings.simulator_url).netloc})
            secret = settings.twilio_auth_token.get_secret_value()
            found.append(TwilioMms(settings.twilio_account_sid, secret, hosts, meter=meter))
        order = settings.sms_routes
        by_prefix = routes.parse(order, texts) if order else routes.everywhere(settings.sms_carriers)
        self.sms = InTurn(texts, by_prefix, Circuits(settings.own_dir))
        """SMS through whichever carrier takes them."""
        if texts:
            found.append(self.sms)
        self._by_name = {channel.name: channel for channel in [*texts.values(), *found]}
        self._for_kind = {kind: channel for channel in reversed(found) for kind in channel.kinds}

    def named(self, name: str) -> Channel:
        """The carrier that brought something. Raises ChannelError when it is no longer configured."""
        try:
            return self._by_name[name]
        except KeyError:
            raise ChannelError(f"{name} is not configured", permanent=True) from None

    def for_kind(self, kind: Kind) -> Channel:
        """The carrier that takes this kind of message. Raises ChannelError when none does."""
        try:
            return self._for_kind[kind]
        except KeyError:
            raise ChannelError(f"no carrier for {kind}", permanent=True) from None


def simulator_config(settings: Settings) -> SimulatorConfig:
    """What the stand-in carrier has to know to speak with this site."""
    from services.channels.simulator import SimulatorConfig

    return SimulatorConfig(
        gateway_url=settings.base_url,
        own_url=settings.simulator_url,
        at_token=settings.at_token.get_secret_value(),
        at_username=settings.at_username,
        at_api_key=settings.at_api_key.get_secret_value(),
        sms_sender=settings.at_sender,
        voice_number=settings.at_voice_number,
        ussd_code=settings.ussd_code,
        whatsapp_phone_number_id=settings.whatsapp_phone_number_id,
        whatsapp_app_secret=settings.whatsapp_app_secret.get_secret_value(),
        whatsapp_access_token=settings.whatsapp_access_token.get_secret_value(),
        mm7_token=settings.mm7_token.get_secret_value(),
        twilio_account_sid=settings.twilio_account_sid,
        twilio_auth_token=settings.twilio_auth_token.get_secret_value(),
    )
