"""What is personal is sealed: phone numbers, names, codes, what was said and written. Rows of before are, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from services.logs import redact
from services.store.keyring import site_keys
from services.store.lock import SCRUB, SEAL_FILES, leave_note
from services.store.sealing import carrier_token, code_token, phone_token, seal_at, unseal_at

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PAGE = 1_000
_CHATS = ("sms", "whatsapp")
_NUMBERS = (
    ("caller", "msisdn"),
    ("opt_out", "msisdn"),
    ("consent", "msisdn"),
    ("photo", "sender"),
    ("risk_assessment", "msisdn"),
)


def upgrade() -> None:
    op.create_table(
        "phone_number",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_number")),
        sa.UniqueConstraint("token", name=op.f("uq_phone_number_token")),
    )
    op.add_column("screening", _sealed("code_sealed"))
    op.add_column("conversation", _sealed("content"))
    for table, column in (("message", "buttons"), ("clip", "params")):
        op.alter_column(table, column, new_column_name="plain")
        op.add_column(table, _sealed(column))
    tx = op.get_bind()
    tx.exec_driver_sql("DELETE FROM clip WHERE private")
    numbers = _Numbers(tx)
    for name, columns, change in _changes(numbers):
        _rewrite(tx, name, columns, change)
    numbers.keep()
    for table, names in (
        ("conversation", ("caller", "journal", "ussd_text", "last_answer")),
        ("message", ("plain",)),
        ("clip", ("plain",)),
    ):
        for column in names:
            op.drop_column(table, column)
    leave_note(tx, SCRUB)
    leave_note(tx, SEAL_FILES)


def downgrade() -> None:
    """Lays everything open again. Carriers' ids stay hashes: a report about what is on its way now finds nothing."""
    tx = op.get_bind()
    for table, column in (("message", "buttons"), ("clip", "params")):
        op.alter_column(table, column, new_column_name="sealed")
        op.add_column(table, sa.Column(column, sa.JSON(), nullable=False, server_default="[]"))
    for column in ("caller", "journal"):
        op.add_column("conversation", sa.Column(column, sa.JSON(), nullable=False, server_default="[]"))
    for column in ("ussd_text", "last_answer"):
        op.add_column("conversation", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    for name, columns, change in _openings(_opened_numbers(tx)):
        _rewrite(tx, name, columns, change, json_columns=("buttons", "params", "caller", "journal"))
    op.drop_column("screening", "code_sealed")
    op.drop_column("conversation", "content")
    op.drop_column("message", "sealed")
    op.drop_column("clip", "sealed")
    op.drop_table("phone_number")


class _Numbers:
    """The phone numbers that are met, for the one table that has them."""

    def __init__(self, tx: sa.Connection) -> None:
        self._tx, self._found = tx, dict[str, str]()

    def token(self, msisdn: str | None) -> str | None:
        if msisdn:
            return self._found.setdefault(msisdn, phone_token(msisdn))
        return msisdn

    def keep(self) -> None:
        table = sa.table("phone_number", *map(sa.column, ("token", "sealed", "added_at")))
        rows = [
            {"token": token, "sealed": _seal("phone_number", token, "sealed", msisdn), "added_at": 0}
            for msisdn, token in self._found.items()
        ]
        for start in range(0, len(rows), _PAGE):
            self._tx.execute(table.insert(), rows[start : start + _PAGE])


def _changes(numbers: _Numbers) -> Iterator[tuple[str, Sequence[str], Callable[[Any], dict[str, Any]]]]:
    """Each table, the columns that are read and what each row becomes."""
    for table, column in _NUMBERS:
        yield table, (column,), lambda row, column=column: {column: numbers.token(getattr(row, column))}  # type: ignore[misc]

    def worker(row: Any) -> dict[str, Any]:
        token = phone_token(row.msisdn)
        return {"msisdn": numbers.token(row.msisdn), "name": _seal("worker", token, "name", row.name)}

    def screening(row: Any) -> dict[str, Any]:
        token = code_token(row.code)
        sealed = _seal("screening", token, "code_sealed", row.code)
        return {"code": token, "code_sealed": sealed, "patient_msisdn": numbers.token(row.patient_msisdn)}

    def inbound(row: Any) -> dict[str, Any]:
        token = carrier_token(row.provider_id)
        text = _seal("inbound", f"{row.carrier}.{token}", "text", row.text)
        return {"provider_id": token, "sender": numbers.token(row.sender), "text": text}

    def message(row: Any) -> dict[str, Any]:
        buttons = _loaded(row.plain)
        return {
            "recipient": numbers.token(row.recipient),
            "provider_id": row.provider_id and carrier_token(row.provider_id),
            "text": _seal("message", row.dedupe_key, "text", row.text),
            "buttons": _seal("message", row.dedupe_key, "buttons", _dumped(buttons) if buttons else ""),
            "reason": redact(row.reason),
        }

    def conversation(row: Any) -> dict[str, Any]:
        kept = _loaded(row.caller)
        content = {
            "caller": kept.get("caller"),
            "arguments": kept.get("arguments"),
            "notes": kept.get("notes", {}),
            "journal": _loaded(row.journal),
            "heard": row.ussd_text,
            "said": row.last_answer,
        }
        chat = row.channel in _CHATS and ":" not in row.session_id
        name = f"{phone_token(row.msisdn)}.{row.channel}.{row.created_at}"
        return {
            "msisdn": numbers.token(row.msisdn),
            "session_id": carrier_token(row.session_id) if chat else row.session_id,
            "content": _seal("conversation", name, "content", _dumped(content)),
        }

    def clip(row: Any) -> dict[str, Any]:
        params = _loaded(row.plain)
        return {"params": _seal("clip", row.key, "params", _dumped(params) if params else "")}

    yield "worker", ("msisdn", "name"), worker
    yield "screening", ("code", "patient_msisdn"), screening
    yield "inbound", ("carrier", "provider_id", "sender", "text"), inbound
    yield "message", ("dedupe_key", "recipient", "provider_id", "text", "plain", "reason"), message
    talked = ("msisdn", "channel", "session_id", "created_at", "caller", "journal", "ussd_text", "last_answer")
    yield "conversation", talked, conversation
    yield "clip", ("key", "plain"), clip
    yield "outbox", ("error",), lambda row: {"error": redact(row.error)}


def _opened_numbers(tx: sa.Connection) -> dict[str, str]:
    table = sa.table("phone_number", sa.column("token"), sa.column("sealed"))
    rows = tx.execute(sa.select(table.c.token, table.c.sealed)).all()
    return {token: _open("phone_number", token, "sealed", sealed) for token, sealed in rows}


def _openings(numbers: dict[str, str]) -> Iterator[tuple[str, Sequence[str], Callable[[Any], dict[str, Any]]]]:
    def number(token: Any) -> Any:
        return numbers.get(token, token)  # who was forgotten stays so

    for table, column in _NUMBERS:
        yield table, (column,), lambda row, column=column: {column: number(getattr(row, column))}  # type: ignore[misc]

    def inbound(row: Any) -> dict[str, Any]:
        text = _open("inbound", f"{row.carrier}.{row.provider_id}", "text", row.text)
        return {"sender": number(row.sender), "text": text}

    def message(row: Any) -> dict[str, Any]:
        return {
            "recipient": number(row.recipient),
            "text": _open("message", row.dedupe_key, "text", row.text),
            "buttons": json.dumps(json.loads(_open("message", row.dedupe_key, "buttons", row.sealed) or "[]")),
        }

    def conversation(row: Any) -> dict[str, Any]:
        name = f"{row.msisdn}.{row.channel}.{row.created_at}"
        content = json.loads(_open("conversation", name, "content", row.content) or "{}")
        kept = {key: content.get(key, {}) for key in ("caller", "arguments")}
        kept |= {"notes": content["notes"]} if content.get("notes") else {}
        return {
            "msisdn": number(row.msisdn),
            "caller": json.dumps(kept),
            "journal": json.dumps(content.get("journal", [])),
            "ussd_text": content.get("heard", ""),
            "last_answer": content.get("said", ""),
        }

    def worker(row: Any) -> dict[str, Any]:
        return {"msisdn": number(row.msisdn), "name": _open("worker", row.msisdn, "name", row.name)}

    def screening(row: Any) -> dict[str, Any]:
        code = _open("screening", row.code, "code_sealed", row.code_sealed)
        return {"code": code, "patient_msisdn": number(row.patient_msisdn)}

    def clip(row: Any) -> dict[str, Any]:
        return {"params": _open("clip", row.key, "params", row.sealed) or "{}"}

    yield "worker", ("msisdn", "name"), worker
    yield "screening", ("code", "code_sealed", "patient_msisdn"), screening
    yield "inbound", ("carrier", "provider_id", "sender", "text"), inbound
    yield "message", ("dedupe_key", "recipient", "text", "sealed"), message
    yield "conversation", ("msisdn", "channel", "created_at", "content"), conversation
    yield "clip", ("key", "sealed"), clip


def _rewrite(
    tx: sa.Connection,
    name: str,
    columns: Sequence[str],
    change: Callable[[Any], dict[str, Any]],
    json_columns: Sequence[str] = (),
) -> None:
    after = 0
    while True:
        read = sa.table(name, sa.column("id"), *map(sa.column, columns))
        rows = tx.execute(sa.select(read).where(read.c.id > after).order_by(read.c.id).limit(_PAGE)).all()
        if not rows:
            return
        changed = [change(row) for row in rows]
        table = sa.table(name, sa.column("id"), *map(sa.column, changed[0]))
        statement = table.update().where(table.c.id == sa.bindparam("row_id"))
        values = {column: _new(tx, column, is_json=column in json_columns) for column in changed[0]}
        tx.execute(
            statement.values(values),
            [
                {"row_id": row.id, **{f"new_{column}": value for column, value in each.items()}}
                for row, each in zip(rows, changed, strict=True)
            ],
        )
        after = rows[-1].id


def _new(tx: sa.Connection, column: str, *, is_json: bool) -> Any:
    value = sa.bindparam(f"new_{column}", type_=sa.Text)
    return value.op("::")(sa.text("json")) if is_json and tx.dialect.name == "postgresql" else value


def _sealed(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _seal(table: str, row: str, column: str, text: str) -> str:
    return str(seal_at(site_keys(), table, row, column, text)) if text else ""


def _open(table: str, row: str, column: str, sealed: str) -> str:
    return unseal_at(site_keys(), table, row, column, sealed) if sealed else ""


def _loaded(content: Any) -> Any:
    return json.loads(content) if isinstance(content, str) else content  # PostgreSQL's driver has parsed it


def _dumped(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
