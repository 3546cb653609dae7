"""A step as a text message: numbered choices on pages of 160 characters for SMS; buttons or a list for WhatsApp."""

from __future__ import annotations

from dataclasses import dataclass

from flows.catalogue import text
from flows.conversation import Step
from flows.render_ussd import paginate, step_lines

_BODY = 1024  # of a WhatsApp message with buttons
_ROWS, _ROW = 10, 24  # of a list; the channel makes up to three short choices its buttons


@dataclass(frozen=True)
class Reply:
    """One message back. With `more`, it is not all: "98" brings the next page."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    more: bool = False


def sms(step: Step, *, page: int = 0) -> Reply:
    """One page of a step, within 160 characters of GSM-7: no message is charged twice, none is cut."""
    screens = paginate(step_lines(step), "", text(step.language, "ussd-more"))
    page = min(page, len(screens) - 1)
    return Reply(screens[page], more=page < len(screens) - 1)


def whatsapp(step: Step, *, page: int = 0) -> Reply:
    """One page of a step, within what WhatsApp takes: three buttons of 20 characters, else a list of ten rows of 24,
    else numbers as for SMS."""
    language = step.language
    options = [(key, text(language, label)) for key, label in step.question.options()] if step.question else []
    as_rows = 0 < len(options) <= _ROWS and all(len(label) <= _ROW for _, label in options)
    lines = step_lines(step, options=not as_rows)
    screens = paginate(lines, "", text(language, "ussd-more"), limit=_BODY, plain=False)
    page = min(page, len(screens) - 1)
    more = page < len(screens) - 1
    return Reply(screens[page], tuple(options) if as_rows and not more else (), more)
