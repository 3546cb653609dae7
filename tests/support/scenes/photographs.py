"""A photograph comes: of whom, of which eye; and the one that has to be taken again."""

import sqlalchemy as sa
from phones import reading_of

from scenes.stage import SMS, USSD, VOICE, WHATSAPP, Phone, Stage, scene
from services.channels.base import Kind
from services.screening.results import settle
from services.store.tables import inbound, photo, reading


def send(phone: Phone, caption: str = "", *, photos: int = 1) -> Phone:
    """By WhatsApp, or by MMS, which is answered by SMS."""
    return phone.write(caption, photos=photos, kind=Kind.MMS if phone.kind is SMS else phone.kind)


@scene("worker", "photograph", on=(SMS, WHATSAPP))
def photograph(stage: Stage) -> None:
    code, worker = stage.open_one(), stage.worker()
    send(worker).answer("111111", code, "1")
    send(worker, f"{code} R")
    send(worker, photos=2).answer(code, "1", "2")
    send(worker).answer("12", "100009", "1", "100009", "1", "100009", "1")


@scene("worker", "photograph", on=(USSD, VOICE))
def photograph_continued(stage: Stage) -> None:
    """The link is gone once the photograph is: its eye is said by other means."""
    code = stage.open_one()
    send(stage.worker(WHATSAPP)).answer(code)
    stage.worker().begin().answer("1", "2")


@scene(on=(WHATSAPP,))
def photographs_in_a_queue(stage: Stage) -> None:
    mine, other, worker = stage.open_one(), stage.open_one(), stage.worker()
    send(worker)
    send(worker)
    send(worker, f"{other} R").answer(mine, "1", "2")


@scene(on=(SMS, WHATSAPP))
def retake(stage: Stage) -> None:
    """Asked for with its reason; reminded of; and referred in the end."""
    code = stage.open_one()
    send(stage.worker(), f"{code} L")
    with stage.told_by_message("(read)"), stage.site.db.write() as tx:
        came = tx.execute(sa.select(photo, inbound.c.kind).join(inbound, inbound.c.id == photo.c.inbound_id)).one()
        found = reading_of(came, gradable=False, outcome="retake", quality_reasons=["quality-blurred"])
        tx.execute(reading.insert().values(found))
        tx.execute(photo.update().values(state="read"))
        settle(tx, came, reason="quality-blurred")
    for day in (1, 14):
        stage.on_day(day)


@scene(on=(WHATSAPP,))
def voice_note(stage: Stage) -> None:
    stage.patient().begin().answer("1").write("", note=True)
