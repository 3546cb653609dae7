"""Africa's Talking: what its callbacks mean, and sending through its own SDK.

The parsers take Flask's form (any mapping of text) and are tolerant: an unknown field or status never loses a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from services.channels.base import (
    BadCallback,
    ChannelError,
    DeliveryReport,
    DeliveryState,
    Inbound,
    Kind,
    Media,
    Outbound,
    Receipt,
    UssdEnd,
    UssdTurn,
    VoiceEvent,
)
from services.channels.gsm7 import normalise, parts
from services.channels.phone_numbers import from_carrier
from services.ledger.clients import of_requests
from services.ledger.meter import NO_METER, Meter, Purpose

NAME = "africastalking"
_LONGEST = {"text": 2_000, "sessionId": 200, "id": 200}
_LONG = 500

_STATES = {
    "Sent": DeliveryState.SENT,
    "Submitted": DeliveryState.SENT,
    "Buffered": DeliveryState.SENT,
    "Success": DeliveryState.DELIVERED,
    "Rejected": DeliveryState.FAILED,
    "Failed": DeliveryState.FAILED,
    "Expired": DeliveryState.FAILED,
    "AbsentSubscriber": DeliveryState.FAILED,
}
_ACCEPTED = (100, 101, 102)
_BAD_SENDER, _NO_AIRTIME = 402, 405
# The sender id may not be active yet, airtime is bought by people; 500-502 are the gateway's own troubles.
_TRY_AGAIN = {_BAD_SENDER: 600.0, _NO_AIRTIME: 1800.0, 500: None, 501: None, 502: None}
_WORDS = {"InvalidSenderId": _BAD_SENDER, "InsufficientBalance": _NO_AIRTIME, "InsufficientCredit": _NO_AIRTIME}
# Nothing was written to the carrier. A wrong clock, common where there is no battery for one, makes certificates fail.
_NOT_WRITTEN = re.compile(r"refused|NewConnectionError|NameResolution|unreachable|CERTIFICATE_VERIFY_FAILED|ProxyError")


def parse_ussd(form: Mapping[str, str]) -> UssdTurn:
    """One USSD request. Raises BadCallback."""
    return UssdTurn(
        session_id=_field(form, "sessionId"),
        service_code=_field(form, "serviceCode", default=""),
        msisdn=from_carrier(_field(form, "phoneNumber")),
        network=_field(form, "networkCode", default=""),
        text=_field(form, "text", default=""),
    )


def parse_ussd_end(form: Mapping[str, str]) -> UssdEnd:
    """The notice of a session's end. Raises BadCallback."""
    return UssdEnd(
        session_id=_field(form, "sessionId"),
        msisdn=from_carrier(_field(form, "phoneNumber", default="")),
        status=_field(form, "status", default=""),
        hops=_whole(form.get("hopsCount")),
        cost=_field(form, "cost", default=""),
        duration_ms=_whole(form.get("durationInMillis")),
    )


def parse_sms(form: Mapping[str, str]) -> Inbound:
    """One SMS from a person. Raises BadCallback."""
    return Inbound(
        carrier=NAME,
        kind=Kind.SMS,
        provider_id=_field(form, "id"),
        sender=from_carrier(_field(form, "from")),
        recipient=_field(form, "to", default=""),
        text=_field(form, "text", default=""),
        # Two forms are in use, `2017-05-03T06:04:45Z` and `2017-05-03 06:04:45`.
        sent_at=_field(form, "date", default="").replace(" ", "T").removesuffix("Z"),
        network=_field(form, "networkCode", default=""),
    )


def parse_delivery(form: Mapping[str, str]) -> DeliveryReport:
    """What became of an SMS. An unknown status has no state. Raises BadCallback."""
    status = _field(form, "status")
    return DeliveryReport(
        carrier=f"{NAME}-sms",
        provider_id=_field(form, "id"),
        state=_STATES.get(status),
        status=status,
        reason=_field(form, "failureReason", default=""),
    )


def parse_optout(form: Mapping[str, str]) -> str:
    """The number that wants no more SMS. Raises BadCallback."""
    return from_carrier(_field(form, "phoneNumber"))


def parse_voice(form: Mapping[str, str]) -> VoiceEvent:
    """One event of a call. Raises BadCallback."""
    return VoiceEvent(
        session_id=_field(form, "sessionId"),
        direction=_field(form, "direction", default="").casefold(),
        caller=from_carrier(_field(form, "callerNumber", default="")),
        destination=from_carrier(_field(form, "destinationNumber", default="")),
        active=_field(form, "isActive", default="0") == "1",
        digits=_field(form, "dtmfDigits", default="") if "dtmfDigits" in form else None,
        state=_field(form, "callSessionState", default=""),
        duration_s=_whole(form.get("durationInSeconds")),
        cost=" ".join(filter(None, (_field(form, name, default="") for name in ("currencyCode", "amount")))),
        hangup_cause=_field(form, "hangupCause", default=""),
        dialled=_field(form, "dialDestinationNumber", default=""),
        dial_status=_field(form, "dialStatus", default=""),
        dial_s=_whole(form.get("dialDurationInSeconds")),
    )


class AfricasTalkingSms:
    """SMS through the SDK. `base_url` is empty for the real service; `timeout_s` are to connect and to read."""

    name = f"{NAME}-sms"
    kinds = frozenset({Kind.SMS})

    def __init__(
        self,
        username: str,
        api_key: str,
        sender: str,
        base_url: str = "",
        *,
        timeout_s: tuple[float, float] = (3.05, 9.05),
        meter: Meter = NO_METER,
    ) -> None:
        self._username, self._api_key, self._sender, self._base_url = username, api_key, sender, base_url
        self._timeout_s, self._meter = timeout_s, meter
        self._service: Any = None

    def send(self, message: Outbound) -> Receipt:
        """Hands one SMS over. Raises ChannelError."""
        text = normalise(message.text)
        # A list: the SDK iterates a lone string letter by letter.
        answer = _call(
            lambda: self._sdk().send(text, [message.to], self._sender or None, enqueue=True, timeout=self._timeout_s)
        )
        data = answer.get("SMSMessageData") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise ChannelError(f"not understood: {str(answer)[:200]}", unknown=True)
        entry = _first(data.get("Recipients"))
        if entry is None:
            # HTTP 201 and no exception: a bad sender id looks like this.
            raise _refusal(None, str(data.get("Message") or "refused"))
        code, status = _whole(str(entry.get("statusCode", ""))), str(entry.get("status", ""))
        if code not in _ACCEPTED:
            raise _refusal(code, status)
        return Receipt(
            provider_id=str(entry.get("messageId", "")),
            status=status,
            cost=str(entry.get("cost", "")),
            parts=parts(text),
        )

    def fetch(self, media: Media) -> bytes:
        """SMS carries no attachments."""
        raise ChannelError(f"no attachment {media.locator!r} in SMS", permanent=True)

    def _sdk(self) -> Any:
        if self._service is None:
            from africastalking.SMS import SMSService

            self._service = _counted(SMSService(self._username, self._api_key), self._meter, "sms")
            if self._base_url:
                self._service._baseUrl = self._service._contentUrl = f"{self._base_url}/version1"
        return self._service


class AfricasTalkingVoice:
    """Outgoing calls through the SDK; what is said is answered to the voice callback."""

    name = f"{NAME}-voice"
    kinds = frozenset({Kind.VOICE})

    def __init__(
        self, username: str, api_key: str, number: str, base_url: str = "", *, meter: Meter = NO_METER
    ) -> None:
        self._username, self._api_key, self._number, self._base_url = username, api_key, number, base_url
        self._meter = meter
        self._service: Any = None

    def send(self, message: Outbound) -> Receipt:
        """Places one call. Raises ChannelError."""
        answer = _call(lambda: self._sdk().call(callFrom=self._number, callTo=[message.to]))
        if not isinstance(answer, dict):
            raise ChannelError(f"not understood: {str(answer)[:200]}", unknown=True)
        problem = str(answer.get("errorMessage") or "None")
        entry = _first(answer.get("entries"))
        if problem != "None" or entry is None:  # the text "None" means that all is well
            raise _refusal(None, problem if problem != "None" else "no call in the answer")
        status = str(entry.get("status", ""))
        if status != "Queued":
            raise _refusal(None, status)
        return Receipt(provider_id=str(entry.get("sessionId", "")), status=status)

    def fetch(self, media: Media) -> bytes:
        """A call carries no attachments."""
        raise ChannelError(f"no attachment {media.locator!r} in a call", permanent=True)

    def _sdk(self) -> Any:
        if self._service is None:
            from africastalking.Voice import VoiceService

            self._service = _counted(VoiceService(self._username, self._api_key), self._meter, "call")
            if self._base_url:
                self._service._baseUrl = self._base_url
        return self._service


def _counted(service: Any, meter: Meter, purpose: Purpose) -> Any:
    """The SDK's service, with each of its posts counted. It keeps the answer to itself: this is where it gets it."""
    post = service._Service__make_post_request

    def posted(*arguments: Any, **options: Any) -> Any:
        answer = post(*arguments, **options)
        meter.record(purpose, NAME, of_requests(answer))
        return answer

    service._Service__make_post_request = posted
    return service


def _call(request: Any) -> Any:
    """Runs one SDK call and says what its failure means: was the request written, and may it be tried again?"""
    import requests
    from africastalking.Service import AfricasTalkingException

    try:
        answer = request()
        # The SDK leaves `application/json; charset=utf-8` as text.
        return json.loads(answer) if isinstance(answer, str) else answer
    except json.JSONDecodeError:
        raise ChannelError("not understood: no JSON", unknown=True) from None
    except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
        raise ChannelError(type(error).__name__) from None
    except requests.ConnectionError as error:
        # Refused or no route: nothing was written. A connection that broke later may have delivered the request.
        raise ChannelError(type(error).__name__, unknown=_NOT_WRITTEN.search(str(error)) is None) from None
    except requests.RequestException as error:
        raise ChannelError(type(error).__name__, unknown=True) from None
    except AfricasTalkingException as error:
        # The exception carries the body only. Words about authentication are final, an outage is not.
        final = re.search(r"authentication|invalid|denied|not allowed", str(error), re.IGNORECASE) is not None
        raise ChannelError(str(error)[:200], permanent=final) from None
    except ValueError as error:
        raise ChannelError(str(error)[:200], permanent=True) from None


def _refusal(code: int | None, words: str) -> ChannelError:
    """What the carrier's code means, or its word where it gives no code. Not knowing either, we do not insist."""
    code = code if code is not None else next((_WORDS[word] for word in _WORDS if word in words), None)
    reason = f"{code or ''} {words}".strip()[:200]
    return ChannelError(reason, permanent=code not in _TRY_AGAIN, retry_after_s=_TRY_AGAIN.get(code or 0))


def _first(entries: object) -> dict[str, Any] | None:
    return entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else None


def _field(form: Mapping[str, str], name: str, *, default: str | None = None) -> str:
    value = form.get(name, default)
    if value is None or (default is None and not value.strip()):
        raise BadCallback(f"{name} is missing")
    if len(value) > _LONGEST.get(name, _LONG):
        raise BadCallback(f"{name} is longer than {_LONGEST.get(name, _LONG)} characters")
    if "\x00" in value:
        raise BadCallback(f"{name} holds a NUL character")
    return value


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"-?[0-9]{1,12}", value) else None
