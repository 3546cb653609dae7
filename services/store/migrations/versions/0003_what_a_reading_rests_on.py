"""What a reading rests on: confidence, the band of doubt, suspected oedema, its signs and their heat map."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("confidence", sa.Float()),
        sa.Column("oedema_probability", sa.Float()),
        sa.Column("signs", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("heatmap", sa.Text()),
        sa.Column("doubt", sa.Float()),
        sa.Column("oedema_threshold", sa.Float()),
    ):
        op.add_column("reading", column)  # without batch: SQLite adds these in place, whatever the table's size
    # Until now a model looked for retinopathy only and had no band of doubt.
    op.execute("UPDATE reading SET doubt = threshold")
    op.execute("UPDATE reading SET signs = '[\"retinopathy\"]' WHERE outcome = 'refer'")
    op.execute(
        "UPDATE reading SET confidence = CASE WHEN probability < 0.5 THEN 1 - probability ELSE probability END"
        " WHERE probability IS NOT NULL"
    )


def downgrade() -> None:
    for name in ("oedema_threshold", "doubt", "heatmap", "signs", "oedema_probability", "confidence"):
        op.drop_column("reading", name)
