"""Phones for the tests of conversations: they talk to the flows through the real store."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa

from flows.chat import chat_turn
from flows.render_chat import Reply
from flows.render_voice import VoiceStep
from flows.ussd import ussd_turn
from flows.voice import voice_turn
from services.channels.base import Inbound, Kind, Media, UssdTurn, VoiceEvent
from services.messaging.inbox import receive
from services.runtime import Runtime
from services.screening.cases import open_screening
from services.screening.people import add_worker
from services.store.phones import remember
from services.store.rows import inbound_name
from services.store.sealing import seal
from services.store.tables import inbound, photo, screening

WORKER, PATIENT = "+254711000001", "+254722000002"
_MESSAGES = itertools.count(1)  # carriers give each message an id of its own, whatever phone it comes from


class Ussd:
    """A feature phone on a network that sends the whole history, as Safaricom does."""

    def __init__(self, site: Runtime, msisdn: str = WORKER, network: str = "63902") -> None:
        self.site, self.msisdn, self.network = site, msisdn, network
        self.sessions = itertools.count(1)
        self.session, self.text = "", ""

    def dial(self, deep: str = "") -> str:
        self.session, self.text = f"ATUid_{self.msisdn}_{next(self.sessions)}", deep
        return self.send(deep)

    def press(self, answer: str) -> str:
        self.text = f"{self.text}*{answer}" if self.text else answer
        return self.send(self.text)

    def send(self, text: str, *, session: str = "", msisdn: str = "") -> str:
        turn = UssdTurn(session or self.session, "*384*77#", msisdn or self.msisdn, self.network, text)
        with self.site.db.write() as tx:
            return ussd_turn(tx, turn)


class Chat:
    """A phone that writes SMS or WhatsApp messages."""

    def __init__(self, site: Runtime, kind: Kind, sender: str = WORKER) -> None:
        self.site, self.kind, self.sender = site, kind, sender
        self.ids = _MESSAGES

    def write(
        self, text: str, *, choice: str = "", photos: int = 0, note: bool = False, kind: Kind | None = None
    ) -> Reply:
        kind, identity = kind or self.kind, f"{self.sender}-{self.kind}-{next(self.ids)}"
        media = (Media("audio/ogg; codecs=opus", locator="note"),) if note else ()
        message = Inbound("test", kind, identity, self.sender, "", text, media, choice)
        with self.site.db.write() as tx:
            row = {
                "carrier": "test",
                "provider_id": identity,
                "kind": kind.value,
                "text": seal(inbound.c.text, inbound_name("test", identity), text),
                "sender": remember(tx, self.sender),
                "recipient": "",
                "received_at": 0,
            }
            row_id = tx.execute(inbound.insert().values(row).returning(inbound.c.id)).scalar_one()
            ids = [
                tx.execute(
                    photo.insert()
                    .values(
                        inbound_id=row_id,
                        position=position,
                        sender=self.sender,
                        mime_type="image/jpeg",
                        locator=f"media-{position}",
                        expected_sha256="",
                        state="received",
                        received_at=0,
                    )
                    .returning(photo.c.id)
                ).scalar_one()
                for position in range(photos)
            ]
            (reply,) = chat_turn(tx, message, photos=ids)
        return reply

    def read_on(self, reply: Reply) -> Reply:
        """The last page of what was answered."""
        while reply.more:
            reply = self.write("98")
        return reply


class Voice:
    """The person who was called, or who rang: then the `direction` is "inbound"."""

    def __init__(
        self, site: Runtime, msisdn: str = PATIENT, session: str = "ATVId_1", direction: str = "outbound"
    ) -> None:
        self.site, self.msisdn, self.session, self.direction = site, msisdn, session, direction

    def event(self, digits: str | None = None) -> VoiceStep:
        happened = VoiceEvent(self.session, self.direction, self.msisdn, "+254711082000", True, digits)
        with self.site.db.write() as tx:
            return voice_turn(tx, happened, person=self.msisdn)


def decide(site: Runtime, code: str, outcome: str) -> None:
    """What readings would have concluded."""
    with site.db.write() as tx:
        tx.execute(screening.update().where(screening.c.code == code).values(outcome=outcome, state="decided"))


def open_case(site: Runtime, *, language: str = "sw") -> str:
    """The code of a screening that the worker opened for the patient, who speaks `language`."""
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    return open_another(site, language=language)


def open_another(site: Runtime, *, language: str = "en") -> str:
    """The code of one more screening of the patient, by a worker who is known already."""
    with site.db.write() as tx:
        opened = open_screening(
            tx,
            worker=WORKER,
            sex="female",
            birth_year=1961,
            phone=PATIENT,
            language=language,
            consent_version="test",
            channel="ussd",
        )
    code: str = opened["code"]
    return code


def send_photograph(site: Runtime, code: str, eye: str, identity: str) -> Any:
    """One comes by MMS, as `identity`: its row, with the `kind` of message that brought it."""
    media = (Media("image/jpeg", content=identity.encode()),)
    assert receive(site, Inbound("mm7", Kind.MMS, identity, WORKER, "", f"{code} {eye}", media))
    with site.db.read() as tx:
        return tx.execute(
            sa.select(photo, inbound.c.kind)
            .join(inbound, inbound.c.id == photo.c.inbound_id)
            .order_by(photo.c.id.desc())
            .limit(1)
        ).one()


def reading_of(came: Any, **found: Any) -> dict[str, Any]:
    """The values of a reading of a photograph, gradable unless it is said otherwise."""
    values = {
        "photo_id": came.id, "screening_id": came.screening_id, "eye": came.eye, "gradable": True, "quality_score": 0.9,
        "quality_reasons": [], "signs": [], "tier": "full", "tier_reason": "best", "model_name": "m",
        "model_version": "1", "model_sha256": "0", "threshold": 0.5, "milliseconds": {}, "read_at": 1,
    }  # fmt: skip
    return values | found
