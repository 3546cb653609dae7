"""The audit log takes entries and nothing else, and names the first one that somebody tampered with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, decide, open_case
from sqlalchemy.engine import Connection

from services.runtime import Runtime
from services.screening.cases import result_for
from services.store import audit
from services.store.audit import Broken, Head, by_account, by_command, by_phone, record, verify
from services.store.tables import audit as table

NUMBER = "+254711000001"


def three_entries(site: Runtime) -> None:
    with site.db.write() as tx:
        record(tx, by_phone(NUMBER), "result-told", "screening:1", channel="ussd")
    with site.db.write() as tx:
        record(tx, by_account("achieng"), "photograph-viewed", "photo:7")
        record(tx, by_command(), "forget", audit.phone(NUMBER), screenings=2)


def test_entries_follow_each_other_and_name_no_number(site: Runtime) -> None:
    three_entries(site)
    with site.db.read() as tx:
        rows, head = audit.newest(tx, 2), verify(tx)
        assert [row["action"] for row in rows] == ["photograph-viewed", "forget"]
        assert NUMBER[1:] not in str(list(audit.entries(tx)))
        assert head == Head(3, rows[-1]["hash"])
        assert verify(tx, head=Head(2, rows[0]["hash"])) == head
        assert verify(tx, head=Head(2, "0" * 64)) == Broken(2, "is not the one that was written down")


def test_what_is_undone_is_not_logged(site: Runtime) -> None:
    def fail_midway() -> None:
        with site.db.write() as tx:
            record(tx, audit.SYSTEM, "retention")
            raise LookupError

    with pytest.raises(LookupError):
        fail_midway()
    with site.db.read() as tx:
        assert verify(tx) == Head(0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "INSERT OR REPLACE INTO audit VALUES (2, 0, 'system', '', '', '', '{}', '', '')",
    ],
)
def test_the_store_refuses_to_change_an_entry(site: Runtime, statement: str) -> None:
    three_entries(site)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), site.db.write() as tx:
        tx.exec_driver_sql(statement)
    with site.db.read() as tx:
        assert isinstance(verify(tx), Head)


def reseal_with_no_key(tx: Connection) -> None:
    tx.exec_driver_sql("UPDATE audit SET actor = 'nobody', hash = previous WHERE number = 2")


@pytest.mark.parametrize(
    ("tampering", "first_broken"),
    [
        (lambda tx: tx.exec_driver_sql("UPDATE audit SET detail = '{}' WHERE number = 1"), 1),
        (lambda tx: tx.exec_driver_sql("UPDATE audit SET at = at - 1 WHERE number = 2"), 2),
        (lambda tx: tx.exec_driver_sql("DELETE FROM audit WHERE number = 2"), 2),
        (lambda tx: tx.exec_driver_sql("UPDATE audit SET number = 9 WHERE number = 3"), 3),
        (reseal_with_no_key, 2),
    ],
)
def test_tampering_round_the_triggers_shows(
    site: Runtime, tampering: Callable[[Connection], object], first_broken: int
) -> None:
    three_entries(site)
    with site.db.write() as tx:
        for name in ("update", "delete", "replace"):
            tx.exec_driver_sql(f"DROP TRIGGER audit_no_{name}")
        tampering(tx)
    with site.db.read() as tx:
        found = verify(tx)
    assert isinstance(found, Broken)
    assert found.number == first_broken


def test_a_log_cut_short_shows_to_who_wrote_its_head_down(site: Runtime) -> None:
    three_entries(site)
    with site.db.write() as tx:
        head = verify(tx)
        tx.exec_driver_sql("DROP TRIGGER audit_no_delete")
        tx.execute(table.delete().where(table.c.number == 3))
    assert isinstance(head, Head)
    with site.db.read() as tx:
        assert isinstance(verify(tx), Head)
        assert verify(tx, head=head) == Broken(3, "is missing")


def test_a_worker_s_look_at_a_result_is_logged_and_a_patient_s_is_not(site: Runtime) -> None:
    code = open_case(site)
    decide(site, code, "refer")
    with site.db.write() as tx:
        for number in (PATIENT, WORKER):
            assert result_for(tx, code=code, msisdn=number)["outcome"] == "refer"
        (entry,) = audit.entries(tx)
    assert (entry["actor"], entry["action"], entry["subject"]) == (audit.phone(WORKER), "result-told", "screening:1")
