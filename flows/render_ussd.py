"""A step on a USSD screen: at most 160 GSM-7 characters a page, since Safaricom cuts there."""

from __future__ import annotations

import re

from flows.catalogue import text
from flows.conversation import Step, Tell
from services.channels.gsm7 import normalise

LIMIT = 160
# What every catalogue is made of needs no letter-by-letter look; what people are called may.
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;?!'/*#+()-]*")
_LONGEST_WORD = 60  # no word is so long; what a person was named may be
_ESCAPED = re.compile(r"[\\^{}\[~\]|€\f]")  # GSM-7's extension table: an escape and a letter, two places each


def pages(step: Step, *, first: bool = False) -> list[str]:
    """The screens of a step, each within the limit, with "98" for more where there is more.

    The `first` step of a conversation has nothing to go back to.
    """
    footer = "" if step.question is None or first else text(step.language, "ussd-back")
    return paginate(step_lines(step), footer, text(step.language, "ussd-more"))


def step_lines(step: Step, *, options: bool = True) -> list[str]:
    """What a step says, line by line: sentences or what was wrong, the question, its numbered choices."""
    language, question = step.language, step.question
    lines = [say(language, tell) for tell in step.tells] if step.error is None else []
    if step.error is not None:
        lines.append(text(language, step.error.id, **step.error.params))
    if question is not None:
        lines.append(text(language, question.id, **question.params))
        if options:
            lines += [f"{n}. {text(language, label)}" for n, (_, label) in enumerate(question.options(), 1)]
    return lines


def length(screen: str) -> int:
    """How many of a screen's 160 places a text in GSM-7 takes."""
    return len(screen) + len(_ESCAPED.findall(screen))


def say(language: str, tell: Tell) -> str:
    """One sentence."""
    return text(language, tell.id, **tell.params)


def paginate(lines: list[str], footer: str, more: str, *, limit: int = LIMIT, plain: bool = True) -> list[str]:
    """Pages of at most `limit` places, broken between lines and words; `plain` ones hold nothing but GSM-7."""
    if plain:
        lines = [line if _PLAIN.fullmatch(line) else normalise(line) for line in lines]
    whole = "\n".join([*lines, footer] if footer else lines)
    if length(whole) <= limit:
        return [whole]
    room = limit - length(more) - 1 - (length(footer) + 1 if footer else 0)
    screens: list[str] = [""]
    for piece in _pieces(lines):
        joined = f"{screens[-1]}{piece}" if screens[-1] else piece.lstrip()
        if length(joined.rstrip()) <= room:
            screens[-1] = joined
        else:
            screens.append(piece.lstrip())
    last = len(screens) - 1
    return [
        "\n".join(filter(None, (screen.strip(), more if number < last else "", footer)))
        for number, screen in enumerate(screens)
    ]


def _pieces(lines: list[str]) -> list[str]:
    """What a page may break between: whole short lines (an option stays in one piece), and the words of long ones."""
    pieces: list[str] = []
    for line in lines:
        if length(line) <= 40:
            pieces.append(f"\n{line}")
            continue
        words = line.split(" ")
        pieces += [("\n" if number == 0 else " ") + word[:_LONGEST_WORD] for number, word in enumerate(words)]
    return pieces
