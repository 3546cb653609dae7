"""Consent taken back, answers erased, calls and messages stopped."""

from scenes.stage import SMS, USSD, WHATSAPP, Stage, scene


@scene("patient", "data")
def my_data(stage: Stage) -> None:
    mine, patient = stage.open_one(), stage.patient()
    stage.conclude(mine, "refer")
    patient.choose("data").answer("1", "100009", mine, "2")
    patient.choose("data").answer("1", mine, "1")
    patient.choose("data").answer("1", mine)
    patient.choose("result").answer(mine)
    patient.choose("data").answer("2", "2")
    patient.choose("data").answer("2", "1")
    patient.choose("data").answer("3", "2")
    patient.choose("data").answer("3", "1")


@scene("worker", "withdraw")
def withdrawal(stage: Stage) -> None:
    code, worker = stage.open_one(), stage.worker()
    worker.choose("withdraw").answer("100009", code, "2")
    worker.choose("withdraw").answer(code, "1")
    worker.choose("withdraw").answer(code)


@scene("patient", "withdraw", on=(SMS, WHATSAPP))
def withdrawal_by_a_word(stage: Stage) -> None:
    code, patient = stage.open_one(), stage.patient()
    word = {"en": "WITHDRAW", "sw": "ondoa", "luo": "gol"}[stage.language]
    patient.write(word).answer("12", code, "1")
    patient.write(word).answer(code)


@scene(on=(SMS, WHATSAPP))
def stop_and_start(stage: Stage) -> None:
    patient = stage.patient()
    stop, start = {"en": ("Stop!", "start"), "sw": ("acha", "anza"), "luo": ("weo", "chaki")}[stage.language]
    patient.begin().write(stop).write(start)


@scene(on=(USSD,))
def stop_calls_then_ask(stage: Stage) -> None:
    """Calls that somebody asks for still come."""
    code, patient = stage.open_one(), stage.patient()
    stage.conclude(code, "rescreen")
    patient.choose("data").answer("3", "2")
    patient.choose("call").answer(code)
