"""A result as a voice note: only to whoever gave the code, nothing written, nothing left on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from phones import PATIENT, Chat, decide, open_case

from flows.catalogue import text
from flows.render_voice import Utterance
from services.calls import result_note
from services.calls.result_note import prepare_note
from services.channels.base import ChannelError, Kind, Outbound, Receipt
from services.messaging.delivery import send_message
from services.runtime import Runtime
from services.screening.codes import code_of
from services.screening.people import set_language
from services.store.tables import message, outbox, screening

OGG = b"OggS, as if spoken"


class Carrier:
    """Takes what is sent, or refuses it."""

    name, kinds = "whatsapp", frozenset({Kind.WHATSAPP})

    def __init__(self, refusal: ChannelError | None = None) -> None:
        self.sent: list[Outbound] = []
        self.refusal = refusal

    def for_kind(self, _kind: Kind) -> Carrier:
        return self

    def send(self, outbound: Outbound) -> Receipt:
        if self.refusal:
            raise self.refusal
        self.sent.append(outbound)
        return Receipt("wamid.1", "accepted")


@pytest.fixture
def asked(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> tuple[Runtime, list[str]]:
    """A patient who asked for her result as a voice note; and what is spoken, once it is."""
    code = open_case(site)
    decide(site, code, "refer")
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language="sw")
    spoken: list[str] = []

    def speak(_site: Runtime, language: str, utterances: Sequence[Utterance]) -> bytes:
        assert all(each.private for each in utterances)
        spoken.extend(each.text(language) for each in utterances)
        return OGG

    monkeypatch.setattr(result_note, "voice_note", speak)
    chat = Chat(site, Kind.WHATSAPP, PATIENT)
    for words in ("jicho", "1", code):
        chat.write(words)
    assert chat.write("", choice="note").text == text("sw", "note-sending")
    return site, spoken


def row(site: Runtime) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(message)).one()


def test_it_is_spoken_sent_and_gone(asked: tuple[Runtime, list[str]]) -> None:
    site, spoken = asked
    with site.db.read() as tx:
        assert tx.execute(sa.select(outbox.c.queue, outbox.c.task)).all() == [("speech", "prepare_note")]
    carrier = Carrier()
    site.__dict__["channels"] = carrier
    prepare_note(site, {"message_id": 1})
    assert spoken == [text("sw", "result-refer", place=site.settings.place)]
    send_message(site, {"message_id": 1})
    (sent,) = carrier.sent
    assert (sent.to, sent.audio, sent.text) == (PATIENT, OGG, "")
    assert (row(site).state, row(site).text, row(site).purpose) == ("sent", "", "note-asked")
    assert list(site.note_path(1).parent.iterdir()) == []


@pytest.mark.parametrize(("permanent", "left"), [(True, 0), (False, 1)])
def test_it_is_kept_only_while_it_may_still_be_sent(
    asked: tuple[Runtime, list[str]], permanent: bool, left: int
) -> None:
    site, _ = asked
    site.__dict__["channels"] = Carrier(ChannelError("no", permanent=permanent))
    prepare_note(site, {"message_id": 1})
    send_message(site, {"message_id": 1})
    assert len(list(site.note_path(1).parent.iterdir())) == left


def test_a_note_that_is_gone_is_not_sent_as_silence(asked: tuple[Runtime, list[str]]) -> None:
    site, _ = asked
    carrier = Carrier()
    site.__dict__["channels"] = carrier
    send_message(site, {"message_id": 1})
    assert carrier.sent == []
    assert row(site).state == "failed"


def test_three_a_day(asked: tuple[Runtime, list[str]]) -> None:
    site, _ = asked
    chat = Chat(site, Kind.WHATSAPP, PATIENT)
    with site.db.read() as tx:
        code = code_of(tx.execute(sa.select(screening)).one())
    said = ""
    for _ in range(3):
        for words in ("jicho", "1", code):
            chat.write(words)
        said = chat.write("", choice="note").text
    assert said == text("sw", "note-limit")
