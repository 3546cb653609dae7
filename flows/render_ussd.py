"""A step on a USSD screen: at most 160 GSM-7 characters a page, since Safaricom cuts there."""

from __future__ import annotations

from flows.catalogue import text
from flows.conversation import Step, Tell
from services.channels.gsm7 import normalise

LIMIT = 160


def pages(step: Step, *, first: bool = False) -> list[str]:
    """The screens of a step, each within the limit, with "98" for more where there is more.

    The `first` step of a conversation has nothing to go back to.
    """
    language = step.language
    lines = []
    if step.error is not None:
        lines.append(text(language, step.error.id, **step.error.params))
    else:
        lines += [say(language, tell) for tell in step.tells]
    footer = ""
    if step.question is not None:
        question = step.question
        lines.append(text(language, question.id, **question.params))
        lines += [f"{n}. {text(language, label)}" for n, (_, label) in enumerate(question.options(), 1)]
        footer = "" if first else text(language, "ussd-back")
    return _paginate([normalise(line) for line in lines], footer, text(language, "ussd-more"))


def say(language: str, tell: Tell) -> str:
    """One sentence; parameters that are themselves sentences ("eye-left") are said in the same language."""
    params = {
        name: text(language, value) if isinstance(value, str) and value.startswith("eye-") else value
        for name, value in tell.params.items()
    }
    return text(language, tell.id, **params)


def _paginate(lines: list[str], footer: str, more: str) -> list[str]:
    whole = "\n".join([*lines, footer] if footer else lines)
    if len(whole) <= LIMIT:
        return [whole]
    room = LIMIT - len(more) - 1 - (len(footer) + 1 if footer else 0)
    screens: list[str] = [""]
    for piece in _pieces(lines, room):
        joined = f"{screens[-1]}{piece}" if screens[-1] else piece.lstrip()
        if len(joined.rstrip()) <= room:
            screens[-1] = joined
        else:
            screens.append(piece.lstrip())
    last = len(screens) - 1
    return [
        "\n".join(filter(None, (screen.strip(), more if number < last else "", footer)))
        for number, screen in enumerate(screens)
    ]


def _pieces(lines: list[str], room: int) -> list[str]:
    """What a page may break between: whole short lines (an option stays in one piece), and the words of long ones."""
    pieces: list[str] = []
    for line in lines:
        if len(line) <= 40:
            pieces.append(f"\n{line}")
            continue
        words = line.split(" ")
        pieces += [("\n" if number == 0 else " ") + word[:room] for number, word in enumerate(words)]
    return pieces
