"""What a code opens: the result on a screen or in a call, the call that is asked for, and one eye only."""

from phones import decide

from scenes.stage import SMS, USSD, VOICE, WHATSAPP, Stage, scene

_REPEAT, _END = "1", "2"


@scene("patient", "result")
def result(stage: Stage) -> None:
    code, patient = stage.open_one(), stage.patient()
    patient.choose("result").answer(code)
    stage.conclude(code, "rescreen")
    ways = {VOICE: (_REPEAT, _END), SMS: ("1",), WHATSAPP: ("2",)}.get(stage.kind, ())
    patient.choose("result").answer("123456", "111112", code, *ways)
    second = stage.open_one()
    stage.conclude(second, "refer")
    ways = {VOICE: (_END,), SMS: ("2",), WHATSAPP: ("1",)}.get(stage.kind, ())
    patient.choose("result").answer(second, *ways)
    third = stage.open_one(urgent=True)
    stage.conclude(third, "refer")
    patient.choose("result").answer(third, *{VOICE: (_END,), SMS: ("2",), WHATSAPP: ("3",)}.get(stage.kind, ()))


@scene("worker", "result")
def worker_result(stage: Stage) -> None:
    code, worker = stage.open_one(), stage.worker()
    stage.conclude(code, "refer")
    worker.choose("result").answer(code, *((_END,) if stage.kind is VOICE else ()))
    second = stage.open_one()
    decide(stage.site, second, "rescreen")
    worker.choose("result").answer(second, *((_END,) if stage.kind is VOICE else ()))


@scene("patient", "call")
def call_me(stage: Stage) -> None:
    code, patient = stage.open_one(), stage.patient()
    patient.choose("call").answer(code)
    decide(stage.site, code, "refer")
    if stage.kind is VOICE:
        patient.choose("call").answer(code, _END)
        return
    for _ in range(4):
        patient.choose("call").answer(code)


@scene("worker", "finish")
def one_eye(stage: Stage) -> None:
    code, worker = stage.open_one(), stage.worker()
    worker.choose("finish").answer(code)
    decide(stage.site, code, "rescreen")
    worker.choose("finish").answer(code)


@scene()
def wrong_codes(stage: Stage) -> None:
    code = stage.open_one()
    patient = stage.patient()
    patient.choose("result").answer("100009", "100009", "100009")
    patient.choose("result").answer("100009", "100009", code)


@scene(on=(USSD,))
def back_at_a_code(stage: Stage) -> None:
    code = stage.open_one()
    stage.patient().choose("call").answer("100009", "0", "100009", code)
