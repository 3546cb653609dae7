"""What was begun on one channel goes on on another."""

from scenes.stage import SMS, USSD, VOICE, WHATSAPP, Stage, scene


@scene(on=(USSD,))
def goes_on(stage: Stage) -> None:
    stage.worker(SMS).begin().answer("1", "1", "1961")
    stage.worker().begin().answer("1", "1", "1", "1", "2")


@scene("patient", "risk", on=(SMS, WHATSAPP))
def goes_on_where_it_stays(stage: Stage) -> None:
    dialled = stage.patient(USSD).begin().answer("5", "1", "2", "50")
    stage.patient().write("hello").answer("1", "1", "160")
    dialled.answer("160")


@scene(on=(WHATSAPP,))
def goes_on_with_an_opening(stage: Stage) -> None:
    stage.worker(USSD).begin().answer("1", "2")
    stage.worker().write("hello").answer("1", "1950", "1", "2")


@scene("patient", "risk", on=(USSD, VOICE))
def risk_continued(stage: Stage) -> None:
    stage.patient(WHATSAPP).write("risk").answer("1", "2")
    stage.patient().begin().answer("1", "50", "1", "160")


@scene(on=(VOICE,))
def many_choices(stage: Stage) -> None:
    stage.worker(SMS).begin().answer("4", "2")
    stage.worker().begin().answer("1", "9", "2", "4")
