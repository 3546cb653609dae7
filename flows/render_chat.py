"""A step as a text message: numbered choices for SMS, and buttons beside them for WhatsApp."""

from __future__ import annotations

from dataclasses import dataclass

from flows.catalogue import text
from flows.conversation import Step
from flows.render_ussd import say

_ROWS, _ROW = 10, 24  # a WhatsApp list; up to three short choices become its buttons


@dataclass(frozen=True)
class Reply:
    """One message back."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()


def reply(step: Step, *, buttons: bool) -> Reply:
    """The whole step in one message: every message costs money."""
    language = step.language
    lines = [say(language, tell) for tell in step.tells] if step.error is None else []
    if step.error is not None:
        lines.append(text(language, step.error.id, **step.error.params))
    if step.question is None:
        return Reply("\n".join(lines))
    lines.append(text(language, step.question.id, **step.question.params))
    options = [(key, text(language, label)) for key, label in step.question.options()]
    if buttons and 0 < len(options) <= _ROWS and all(len(label) <= _ROW for _, label in options):
        return Reply("\n".join(lines), tuple(options))
    lines += [f"{number}. {label}" for number, (_, label) in enumerate(options, 1)]
    return Reply("\n".join(lines))
