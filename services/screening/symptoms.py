"""Answers to the symptom questions: written down in the conversation's transaction, judged by a worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from services.channels.base import Kind
from services.messaging.outbox import INFERENCE, enqueue, post
from services.runtime import Runtime
from services.screening.people import caller_for, worker_id
from services.settings import current
from services.store.clock import now_ms
from services.store.tables import symptom_assessment, worker

if TYPE_CHECKING:
    from services.inference.risk import RiskModel

# What `models/risk/manifest.json` reads, in its order: conversations may not load the model to ask it.
SYMPTOMS = (
    "polyuria", "polydipsia", "weight-loss", "weakness", "polyphagia", "thrush", "blurred-vision", "itching",
    "irritability", "slow-healing", "paresis", "stiffness", "hair-loss", "obesity",
)  # fmt: skip
YOUNGEST, OLDEST = 16, 90  # years; beyond them the model has seen nobody


def record_symptoms(
    tx: Connection, *, msisdn: str, age: int, symptoms: Sequence[str], consent_version: str, channel: str
) -> dict[str, Any]:
    """Keeps the answers of a person who consented and asks for their judgement: `{"number": …}`, by which the health
    worker will know the answer; None if `msisdn` is no health worker's any more. No name and no phone of the person
    is kept. Raises ValueError for a symptom that nobody asks about."""
    unknown = set(symptoms) - set(SYMPTOMS)
    if unknown:
        raise ValueError(f"no symptom: {', '.join(sorted(unknown))}")
    asks = worker_id(tx, msisdn)
    if asks is None:
        return {"number": None}
    row = {
        "worker_id": asks,
        "channel": channel,
        "age": age,
        "symptoms": list(symptoms),
        "consent_version": consent_version,
        "asked_at": now_ms(),
    }
    number = tx.execute(symptom_assessment.insert().values(row).returning(symptom_assessment.c.id)).scalar_one()
    enqueue(tx, INFERENCE, "assess_symptoms", {"assessment_id": number}, key=f"symptoms:{number}")
    return {"number": number}


def assess_symptoms(site: Runtime, argument: Mapping[str, Any]) -> None:
    """The job: judges the answers `argument["assessment_id"]`, unless that was done before, and tells who asked."""
    number = int(argument["assessment_id"])
    with site.db.read() as tx:
        row = tx.execute(
            sa.select(symptom_assessment, worker.c.msisdn)
            .join(worker, worker.c.id == symptom_assessment.c.worker_id)
            .where(symptom_assessment.c.id == number, symptom_assessment.c.judged_at.is_(None))
        ).first()
    if row is None:
        return
    released = model()
    found = released.assess(released.answers(row.age, row.symptoms))
    with site.db.write() as tx:
        changed = tx.execute(
            symptom_assessment.update()
            # Still open: of two workers with the same job, the database lets one conclude.
            .where(symptom_assessment.c.id == number, symptom_assessment.c.judged_at.is_(None))
            .values(
                probability=found.probability,
                advised=found.advised,
                model_name=found.name,
                model_version=found.version,
                model_sha256=found.sha256,
                threshold=found.threshold,
                judged_at=now_ms(),
            )
        )
        if changed.rowcount:
            _tell(tx, row, "symptoms-advised" if found.advised else "symptoms-not-advised")


def _tell(tx: Connection, row: Any, message_id: str) -> None:
    language = caller_for(tx, row.msisdn)["language"] or current().language
    words = text(language, message_id, number=row.id, age=row.age)
    # On the channel where she is looking; a dialled code leaves nothing to read, so SMS.
    kind = Kind.WHATSAPP if row.channel == Kind.WHATSAPP else Kind.SMS
    post(tx, kind, row.msisdn, words, key=f"symptoms:{row.id}", purpose="reply", language=language)


def model() -> RiskModel:
    """The symptom model in use, verified, loaded once a version. Raises ModelError."""
    from services.screening.engines import risk_model

    return risk_model(current().models_dir)
