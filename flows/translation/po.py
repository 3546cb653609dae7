"""A catalogue as a PO file for Poedit, Weblate or OmegaT, where the English stands in for the id.

What nobody has reviewed is `#, fuzzy`, as those programs show unsure texts; a translator who clears the flag says that
the text is reviewed. The id is the context, so that equal English sentences stay apart; state and mark are comments.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, read_po

from flows.translation.cldr import plural_header
from flows.translation.exchange import BadFile, Row
from flows.translation.pofile import quoted

_UNSURE = ("draft", "stale", "missing")


def write(path: Path, language: str, rows: Sequence[Row]) -> None:
    """Writes the rows. Raises OSError."""
    header = (
        "Project-Id-Version: Jicho",
        f"Language: {language}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        plural_header(language),
    )
    blocks = ["\n".join(['msgid ""', 'msgstr ""', *(quoted(f"{line}\n") for line in header)])]
    path.write_text("\n\n".join([*blocks, *map(_block, rows)]) + "\n", encoding="utf-8")


def read(path: Path, language: str) -> list[Row]:
    """The rows of a PO file. Raises BadFile, and OSError."""
    try:
        catalog = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
    except PoFileError as error:
        raise BadFile(f"{path}: not a sound PO file: {error}") from None
    except (ValueError, LookupError):
        raise BadFile(f"{path}: not a PO file in UTF-8 with a header") from None
    said = str(catalog.locale_identifier or "").partition("_")[0]
    if said not in ("", language):
        raise BadFile(f"{path}: was exported for another language, {said}")
    return [_row(message) for message in catalog if message.id]


def _block(row: Row) -> str:
    lines = [f"#. {row.notes}", f"#. state: {row.state}", f"#. mark: {row.mark}"]
    if row.state in _UNSURE and any(row.forms):
        lines.append("#, fuzzy")
    lines += [f"msgctxt {quoted(row.id)}", f"msgid {quoted(row.english[0])}"]
    if not row.plural:
        return "\n".join([*lines, f"msgstr {quoted(row.forms[0])}"])
    lines.append(f"msgid_plural {quoted(row.english[-1])}")
    lines += [f"msgstr[{number}] {quoted(words)}" for number, words in enumerate(row.forms)]
    return "\n".join(lines)


def _row(message: Message) -> Row:
    said = dict(line.partition(": ")[::2] for line in message.auto_comments)
    state = str(said.get("state", "draft"))
    forms = _texts(message.string)
    if message.fuzzy and state not in _UNSURE:
        state = "draft"
    elif not message.fuzzy and state in _UNSURE and any(forms):
        state = "reviewed"
    return Row(
        id=message.context or "",
        english=_texts(message.id),
        forms=forms,
        state=state,
        mark=str(said.get("mark", "")),
        where=f"line {message.lineno}",
        plural=message.pluralizable,
    )


def _texts(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return (said or "",) if said is None or isinstance(said, str) else tuple(said)
