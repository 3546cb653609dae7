"""The questions: risk of diabetes for anybody, symptoms for a patient at her health worker's."""

from phones import PATIENT

from scenes.stage import SMS, VOICE, WHATSAPP, Phone, Stage, scene

# no diabetes, 50 years, female, 160 cm, 72 kg, 90 cm; moves, no greens, no medicine, no high sugar, a parent: 13 points
THIRTEEN = ("2", "50", "1", "160", "72", "90", "1", "2", "2", "2", "3")
_END = "2"


@scene("patient", "risk")
def risk(stage: Stage) -> None:
    # What is kept on a phone is not written there: a call is offered.
    after = {VOICE: ("1", _END), SMS: ("1",), WHATSAPP: ("1",)}.get(stage.kind, ())
    end = {VOICE: (_END,), SMS: ("2",), WHATSAPP: ("2",)}.get(stage.kind, ())
    patient = stage.patient()
    patient.choose("risk").answer("1", *THIRTEEN, *after)
    patient.choose("risk").answer("1", "2", "17", "30", "2", "1", "20", "1", *"12223", *end)
    patient.choose("risk").answer("1", "2", "30", "2", "230", "30", "180", "70", "71", "80", *"11221", *end)
    patient.choose("risk").answer("1", "1")
    patient.choose("risk").answer("2")


@scene("worker", "risk")
def worker_risk(stage: Stage) -> None:
    worker = stage.worker()
    end = (_END,) if stage.kind is VOICE else ()
    worker.choose("risk").answer("1", "2", "66", "1", "150", "70", "96", *"22113", *end)
    worker.choose("risk").answer("2")


@scene("patient", "risk", on=(SMS, WHATSAPP))
def risk_by_a_word(stage: Stage) -> None:
    stage.patient().write({"en": "RISK", "sw": "hatari", "luo": "hinyruok"}[stage.language]).answer("1", "1")
    if stage.kind is WHATSAPP:
        stage.somebody("US.1234abcd", "hidden number").write("risk").answer("3")


@scene("patient", "risk-answer", on=(VOICE,))
def risk_answer(stage: Stage) -> None:
    Phone(stage, SMS, PATIENT, "patient").write("risk").answer("1", *THIRTEEN, "1")
    stage.patient().pick_up().answer("1", _END)


@scene("worker", "symptoms")
def symptoms(stage: Stage) -> None:
    worker = stage.worker()
    worker.choose("symptoms").answer("1", "15", "45", "1", "3", "2", *"212222222122")
    worker.choose("symptoms").answer("2")
