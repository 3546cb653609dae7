"""A step in a phone call: messages to say, and the keys to wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.catalogue import messages, text
from flows.conversation import Step


@dataclass(frozen=True)
class Utterance:
    """One message to say: its id and its parameters, so that a recording of it can be found.

    A parameter may be an utterance too, such as the choice in "{choice}: press {key}."; what JSON has no word for, such
    as a date, becomes text. `private` ones carry a name, a number or a result.
    """

    id: str
    params: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False

    def __post_init__(self) -> None:
        # As it will come back from the store, so that it keeps its name.
        object.__setattr__(self, "params", {name: _plain(value) for name, value in self.params.items()})

    def text(self, language: str) -> str:
        """What is said, from the catalogue. Raises UnknownMessage, and KeyError for a missing parameter."""
        said = {
            name: value.text(language) if isinstance(value, Utterance) else value for name, value in self.params.items()
        }
        return text(language, self.id, **said)

    def to_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        params = {
            name: value.to_json() if isinstance(value, Utterance) else value for name, value in self.params.items()
        }
        return {"id": self.id, "params": params, "private": self.private}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Utterance:
        """The utterance that `to_json` kept."""
        params = {
            name: cls.from_json(value) if isinstance(value, dict) else value for name, value in kept["params"].items()
        }
        return cls(kept["id"], params, kept["private"])


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float | Utterance) else str(value)


@dataclass(frozen=True)
class VoiceStep:
    """`digits` keys answer it, 0: any number of keys, ended by #.

    `pace` is "normal" or "slow": the same words, spoken slower. `dial` is the number that the call is put through to
    once all is said.
    """

    language: str
    prompts: tuple[Utterance, ...]
    digits: int = 0
    ended: bool = False
    pace: str = "normal"
    dial: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """What is heard, in words."""
        return tuple(prompt.text(self.language) for prompt in self.prompts)

    def to_json(self) -> dict[str, Any]:
        """What the journal keeps, to say it again."""
        prompts = [prompt.to_json() for prompt in self.prompts]
        return {
            "language": self.language,
            "prompts": prompts,
            "digits": self.digits,
            "ended": self.ended,
            "pace": self.pace,
            "dial": self.dial,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> VoiceStep:
        """The step that `to_json` kept."""
        return cls(**kept | {"prompts": tuple(Utterance.from_json(prompt) for prompt in kept["prompts"])})


def voice(step: Step) -> VoiceStep:
    """Speaks a step: each choice with its key, and how an answer of unknown length ends.

    A question is said in its words for the ear, `<id>-voice`, where it has such.
    """
    if step.error is not None:
        prompts = [Utterance(step.error.id, step.error.params)]
    else:
        prompts = [Utterance(tell.id, tell.params, tell.private) for tell in step.tells]
    question = step.question
    if question is None:
        return VoiceStep(step.language, tuple(prompts), ended=True)
    spoken = f"{question.id}-voice"
    # A question that is about something names it: a code, a person. Nobody else is to hear it from a cache.
    about = bool(question.params)
    prompts.append(Utterance(spoken if spoken in messages(step.language) else question.id, question.params, about))
    prompts += [press(label, key) for key, (_, label) in enumerate(question.options(), 1)]
    if not question.digits:
        prompts.append(Utterance("voice-hash"))
    return VoiceStep(step.language, tuple(prompts), question.digits)


def press(label: str, key: int) -> Utterance:
    """A choice and its key, as in "Yes: press 1."."""
    return Utterance("voice-press", {"choice": Utterance(label), "key": key})
