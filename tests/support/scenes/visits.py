"""Did you go? Reminders, what became of a referral, and the invitation a year later."""

import sqlalchemy as sa

from scenes.stage import SMS, VOICE, Stage, scene
from services.messaging.unreached import reach_otherwise
from services.store.tables import message

_END = "2"
_NOT_YET, _CANNOT = "2", "3"


@scene("patient", "visit")
def visit(stage: Stage) -> None:
    code, patient = stage.open_one(), stage.patient()
    stage.conclude(code, "refer")
    patient.choose("visit").answer("111112", code, _NOT_YET)
    patient.choose("visit").answer(code, _CANNOT, "5", "1")
    patient.choose("visit").answer(code, "1")
    patient.choose("visit").answer(code)


@scene("worker", "record")
def record(stage: Stage) -> None:
    worker = stage.worker()
    for answers in (("1",), (_NOT_YET,), (_CANNOT, "3")):
        code = stage.open_one()
        stage.conclude(code, "refer")
        worker.choose("record").answer(code, *answers)


@scene("worker", "visit", on=(VOICE,))
def record_by_ringing(stage: Stage) -> None:
    code = stage.open_one()
    stage.conclude(code, "refer")
    stage.worker().choose("visit").answer(code, "1")


@scene("patient", "attended", on=(SMS,))
def reminded(stage: Stage) -> None:
    code, patient = stage.open_one(), stage.patient()
    stage.conclude(code, "refer")
    stage.on_day(23)
    stage.on_day(33)
    patient.answer("9", _NOT_YET)
    stage.on_day(48)
    patient.answer(_CANNOT, "2")
    stage.on_day(49)


@scene("patient", "visit", on=(SMS,))
def reminded_of_two(stage: Stage) -> None:
    codes = [stage.open_one(), stage.open_one()]
    for code in codes:
        stage.conclude(code, "refer")
    stage.on_day(33)
    stage.patient().answer(codes[1], "1")


@scene("patient", "attended", on=(VOICE,))
def called_instead(stage: Stage) -> None:
    """The reminder did not arrive."""
    code = stage.open_one()
    stage.conclude(code, "refer")
    stage.on_day(23)
    _not_delivered(stage, "referral:1:1:sms")
    stage.patient().pick_up().answer("4", _CANNOT, "1")
    stage.on_day(24)


@scene("patient", "visit", on=(VOICE,))
def called_about_two(stage: Stage) -> None:
    codes = [stage.open_one(), stage.open_one()]
    for code in codes:
        stage.conclude(code, "refer")
    stage.on_day(33)
    _not_delivered(stage, "referral:1:1:sms")
    stage.patient().pick_up().answer(codes[1], "1")


@scene("patient", "invited", on=(VOICE,))
def invited_by_call(stage: Stage) -> None:
    stage.conclude(stage.open_one(), "rescreen")
    stage.on_day(365)
    _not_delivered(stage, "follow-up:1:sms")
    stage.patient().pick_up().answer("1")


def _not_delivered(stage: Stage, key: str) -> None:
    with stage.site.db.read() as tx:
        number = tx.execute(sa.select(message.c.id).where(message.c.dedupe_key == key)).scalar_one()
    with stage.told_by_message("(the SMS is not delivered)"):
        reach_otherwise(stage.site, {"message_id": number})


@scene("patient", "result", on=(VOICE,))
def urgent_call(stage: Stage) -> None:
    code = stage.open_one(urgent=True)
    stage.conclude(code, "refer")
    stage.patient().pick_up().answer(code, _END)


@scene("patient", "invited", on=(SMS,))
def a_year_later(stage: Stage) -> None:
    for day, answer in ((365, "1"), (731, "2")):
        stage.conclude(stage.open_one(), "rescreen")
        stage.on_day(day)
        stage.patient().answer(answer)


@scene()
def a_year_later_asked_for(stage: Stage) -> None:
    """Who lost the invitation finds it behind her code."""
    code = stage.open_one()
    stage.conclude(code, "rescreen")
    stage.on_day(365)
    stage.patient().choose("visit").answer(code, "1")
