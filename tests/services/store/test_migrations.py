"""What earlier releases wrote means the same after a migration."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from services.store.database import Database
from services.store.migrate import migrate
from services.store.tables import reading

OLD_ROWS = (
    "INSERT INTO worker (id, msisdn, name, added_at) VALUES (1, '+254711000001', 'Achieng', 0)",
    "INSERT INTO screening (id, code, programme, worker_id, sex, birth_year, language, state, opened_at)"
    " VALUES (1, '482913', 'dr', 1, 'female', 1961, 'luo', 'decided', 0)",
    "INSERT INTO inbound (id, carrier, provider_id, kind, sender, recipient, text, received_at)"
    " VALUES (1, 'mm7', '1', 'mms', '+254711000001', '', '', 0)",
)
OLD_READINGS = (("refer", 1, 0.9), ("rescreen", 1, 0.1), ("retake", 0, None))  # outcome, gradable, probability


def test_readings_from_before_the_band_of_doubt(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'store.db'}")
    migrate(db, "0001")
    with db.write() as tx:
        for statement in OLD_ROWS:
            tx.exec_driver_sql(statement)
        for number, (outcome, gradable, probability) in enumerate(OLD_READINGS, start=1):
            tx.exec_driver_sql(
                "INSERT INTO photo (id, inbound_id, position, sender, mime_type, locator, expected_sha256, state,"
                " received_at) VALUES (?, 1, ?, '', '', '', '', 'read', 0)",
                (number, number),
            )
            tx.exec_driver_sql(
                "INSERT INTO reading (photo_id, screening_id, eye, outcome, gradable, quality_score, quality_reasons,"
                " probability, tier, tier_reason, model_name, model_version, model_sha256, threshold, milliseconds,"
                " read_at) VALUES (?, 1, 'left', ?, ?, 1, '[]', ?, 'full', 'best', 'm', '1', '', 0.17, '{}', 0)",
                (number, outcome, gradable, probability),
            )
    migrate(db)
    with db.read() as tx:
        rows = tx.execute(sa.select(reading).order_by(reading.c.id)).all()
    db.close()
    assert [(row.outcome, row.signs, row.confidence, row.doubt) for row in rows] == [
        ("refer", ["retinopathy"], 0.9, 0.17),
        ("rescreen", [], 0.9, 0.17),
        ("retake", [], None, 0.17),
    ]
    assert {(row.oedema_probability, row.oedema_threshold, row.heatmap) for row in rows} == {(None, None, None)}
