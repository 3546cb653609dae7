"""What only a call has: silence, keys for again, slower, another language, a health worker."""

from scenes.stage import VOICE, Stage, scene


@scene("patient", "result", on=(VOICE,))
def placed_call(stage: Stage) -> None:
    code = stage.open_one()
    stage.conclude(code, "refer")
    stage.patient().pick_up().answer("123", "111111", code, "1", "2")
    stage.patient().pick_up().answer("", "", "")


@scene(on=(VOICE,))
def call_too_early(stage: Stage) -> None:
    code = stage.open_one()
    stage.patient().pick_up().answer(code)
    stage.patient().pick_up().answer("100009", "100009", "100009")


@scene("patient", "person", on=(VOICE,))
def aside(stage: Stage) -> None:
    code = stage.open_one()
    stage.conclude(code, "rescreen")
    stage.patient().pick_up().answer("0", "7", "1", "0", "2", code, "0", "3", "3", "0", "2", "2")
    stage.patient().begin().answer("0", "4")
    stage.somebody("+254733000009", "stranger").begin().answer("6")
