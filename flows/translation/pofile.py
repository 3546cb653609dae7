"""A catalogue file as translators see it: each message with its comments, changed one at a time, the rest untouched.

Beside each translation stand the English it was made from (`#. en: …`, or `#. en[0]: …` for each plural form) and how
far it is (`# review: …`): `draft` by somebody who is no native speaker, `reviewed by NAME, 2026-11-24`, or `same` as
the English on purpose. The English catalogue says with `# long: why` which message may take two screens or two SMS.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flows.catalogue import FIELD
from services.durable import write_durably

_ENGLISH = re.compile(r"^#\. en(?:\[\d\])?: (.*)$")
_REVIEW = re.compile(r"^# review: (.*)$")
_LONG = re.compile(r"^# long: (.+)$")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})


class BadCatalogue(ValueError):
    """A catalogue file that cannot be understood; says where."""


@dataclass(frozen=True)
class Message:
    """One message of one language. `forms` has one text, or one for each plural form, and then `counts` names the
    parameter that decides; `english` are those it was made from; `review` the words of its state; `fuzzy` what a PO
    editor flagged as unsure; `long` why it may be long.
    """

    id: str
    forms: tuple[str, ...]
    counts: str = ""
    english: tuple[str, ...] = ()
    review: str = ""
    fuzzy: bool = False
    long: str = ""


class Catalogue:
    """One language's file. Raises BadCatalogue, and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._blocks = re.split(r"\n[ \t]*\n", path.read_text(encoding="utf-8").strip("\n"))
        read = [self._parse(block) for block in self._blocks]
        self.header = next((each.forms[0] for each in read if each and not each.id), "")
        self.listed = [each for each in read if each and each.id]
        self._place = {each.id: number for number, each in enumerate(read) if each and each.id}

    @property
    def messages(self) -> dict[str, Message]:
        """By id, in the order of the file."""
        return {each.id: each for each in self.listed}

    def put(self, message: Message) -> None:
        """Replaces a message where it stands, or adds it at the end. Comments of other kinds stay."""
        known = self.messages.get(message.id)
        if known == message:
            return
        if known is None:
            self._place[message.id] = len(self._blocks)
            self._blocks.append(_block(message, ()))
            self.listed.append(message)
            return
        place = self._place[message.id]
        self._blocks[place] = _block(message, self._blocks[place].splitlines())
        self.listed = [message if each.id == message.id else each for each in self.listed]

    def write(self) -> None:
        """Puts the file in place, whole or not at all."""
        write_durably(self.path, ("\n\n".join(self._blocks) + "\n").encode(), mode=0o644)

    def _parse(self, block: str) -> Message | None:
        fields: dict[str, str] = {}
        current = ""
        for line in block.splitlines():
            match = FIELD.match(line.strip())
            if match is None:
                if line.strip() and not line.startswith("#"):
                    raise BadCatalogue(f"{self.path}: not a line of a PO file: {line}")
                continue
            if match[1] in fields:
                raise BadCatalogue(f"{self.path}: an empty line is missing before: {line}")
            current = match[1] or current
            try:
                fields[current] = fields.get(current, "") + ast.literal_eval(match[2])
            except (SyntaxError, ValueError):
                raise BadCatalogue(f'{self.path}: a quote inside a text is written \\": {line}') from None
        if "msgid" not in fields:
            return None
        lines = block.splitlines()
        return Message(
            id=fields["msgid"],
            forms=tuple(words for name, words in sorted(fields.items()) if name.startswith("msgstr")),
            counts=fields.get("msgid_plural", ""),
            english=tuple(_plain(found[1]) for line in lines if (found := _ENGLISH.match(line))),
            review=next((found[1].strip() for line in lines if (found := _REVIEW.match(line))), ""),
            fuzzy=any(line.startswith("#,") and "fuzzy" in line for line in lines),
            long=next((found[1] for line in lines if (found := _LONG.match(line))), ""),
        )


def replaced(message: Message, forms: Iterable[str], english: Iterable[str], review: str) -> Message:
    """The message with another text or state; a text that a person has settled is fuzzy no longer."""
    return replace(message, forms=tuple(forms), english=tuple(english), review=review, fuzzy=False)


def quoted(words: str) -> str:
    """A text as a PO file writes it, on one line."""
    return f'"{words.translate(_ESCAPES)}"'


def _block(message: Message, before: Iterable[str]) -> str:
    kept = [line for line in before if line.startswith("#") and not _ours(line)]
    lines = [*kept, *_english(message)]
    lines += [f"# review: {message.review}"] if message.review else []
    lines += [f"# long: {message.long}"] if message.long else []
    lines += ["#, fuzzy"] if message.fuzzy else []
    lines.append(f"msgid {quoted(message.id)}")
    if message.counts:
        lines.append(f"msgid_plural {quoted(message.counts)}")
        lines += [f"msgstr[{number}] {quoted(words)}" for number, words in enumerate(message.forms)]
    else:
        lines.append(f"msgstr {quoted(message.forms[0])}")
    return "\n".join(lines)


def _english(message: Message) -> list[str]:
    if message.counts:
        return [f"#. en[{number}]: {_on_one_line(words)}" for number, words in enumerate(message.english)]
    return [f"#. en: {_on_one_line(words)}" for words in message.english]


def _ours(line: str) -> bool:
    return bool(_ENGLISH.match(line) or _REVIEW.match(line) or _LONG.match(line) or line.startswith("#, fuzzy"))


def _on_one_line(words: str) -> str:
    return words.replace("\\", "\\\\").replace("\n", "\\n")


def _plain(comment: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], comment)
