"""A year later: will you come again?"""

from __future__ import annotations

from flows.conversation import Do, Flow, Tell
from flows.questions import Confirm
from services.screening.follow_up import record_reply
from services.settings import current


def invited(follow_up: int) -> Flow:
    """Says that the eyes are due to be photographed again, and asks whether the patient comes."""
    clinic = {"clinic": current().clinic}
    coming = yield Confirm("ask-follow-up", clinic)
    yield Do(record_reply, follow_up_id=follow_up, coming=coming)
    return Tell("follow-up-coming" if coming else "follow-up-declined", clinic)
