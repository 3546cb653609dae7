"""Diabetic retinopathy: screenings with a code, risk and symptom questions, visits and what is kept of a patient."""

from __future__ import annotations

from flows.consent import my_data, withdraw
from flows.findrisc import risk_questions
from flows.lists import my_screenings
from flows.open_screening import open_new
from flows.programmes import HELP, LANGUAGE, Offer
from flows.referral import visit
from flows.result import call_me, finish, result
from flows.symptoms import symptom_questions

# People who use a menu daily know its numbers: what is added comes last.
OFFER = Offer(
    worker={
        "open": open_new,
        "result": result,
        "finish": finish,
        LANGUAGE: None,
        "symptoms": symptom_questions,
        "risk": risk_questions,
        "lists": my_screenings,
        "withdraw": withdraw,
        "record": visit,
        HELP: None,
    },
    anyone={
        "result": result,
        "call": call_me,
        LANGUAGE: None,
        HELP: None,
        "risk": risk_questions,
        "data": my_data,
        "visit": visit,
    },
    calling={"result": result, "risk": risk_questions, "visit": visit, "data": my_data, HELP: None},
    help_worker=("help-worker-open", "help-worker-result", "help-worker-questions", "help-worker-lists"),
    help_anyone=("help-result", "help-risk", "help-data"),
)
