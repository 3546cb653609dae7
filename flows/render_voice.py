"""A step in a phone call: sentences to play, and the keys to wait for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from flows.catalogue import messages, text
from flows.conversation import Step
from flows.render_ussd import say


@dataclass(frozen=True)
class VoiceStep:
    """`prompts` are `(text, private)`; `digits` keys answer it, 0: any number of keys, ended by #."""

    language: str
    prompts: tuple[tuple[str, bool], ...]
    digits: int = 0
    ended: bool = False

    def to_json(self) -> dict[str, Any]:
        """What the journal keeps, to say it again."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> VoiceStep:
        """The step that `to_json` kept."""
        return cls(**kept | {"prompts": tuple((str(words), bool(private)) for words, private in kept["prompts"])})


def voice(step: Step) -> VoiceStep:
    """Speaks a step: each choice with its key, and how an answer of unknown length ends.

    A question is said in its words for the ear, `<id>-voice`, where it has such.
    """
    language = step.language
    prompts = [] if step.error is not None else [(say(language, tell), tell.private) for tell in step.tells]
    if step.error is not None:
        prompts.append((text(language, step.error.id, **step.error.params), False))
    if step.question is None:
        return VoiceStep(language, tuple(prompts), ended=True)
    spoken = f"{step.question.id}-voice"
    message_id = spoken if spoken in messages(language) else step.question.id
    prompts.append((text(language, message_id, **step.question.params), False))
    for number, (_, label) in enumerate(step.question.options(), 1):
        prompts.append((text(language, "voice-press", choice=text(language, label), key=number), False))
    if not step.question.digits:
        prompts.append((text(language, "voice-hash"), False))
    return VoiceStep(language, tuple(prompts), step.question.digits)
