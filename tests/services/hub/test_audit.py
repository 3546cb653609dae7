"""The hub's log names who came in, who saw which photograph, and who let whom in; nobody can change it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app import main
from services.hub.audit import LOG
from services.hub.enrolment import issue, redeem, revoke
from services.hub.reviewers import add, begin, remove, secure
from services.hub.runtime import Hub
from services.hub.tables import audit
from services.store.audit import Broken, Head


def logged(hub: Hub) -> list[tuple[str, str, str]]:
    with hub.db.read() as tx:
        return [(row["actor_kind"], row["action"], row["subject"]) for row in LOG.entries(tx)]


def test_people_and_sites_are_in_it(hub: Hub) -> None:
    with hub.db.write() as tx:
        password = add(tx, "Otieno", "operator")
    begin(hub.db, "Otieno", "wrong")
    begin(hub.db, "Otieno", password)
    begin(hub.db, "Nobody", "wrong")
    with hub.db.write() as tx:
        secure(tx, "Otieno")
        word = issue(tx, "Siaya", "https://hub", "").rpartition("#")[2]
    with hub.db.write() as tx:
        site = redeem(tx, word, bytes(32)).site_id
        revoke(tx, site)
        remove(tx, "Otieno")
    assert logged(hub) == [
        ("command", "person-added", "person:Otieno"),
        ("account", "sign-in-refused", ""),
        ("account", "sign-in", ""),
        ("command", "second-factor-given", "person:Otieno"),
        ("command", "site-invited", "invitation:Siaya"),
        ("system", "site-enrolled", f"site:{site}"),
        ("command", "site-revoked", f"site:{site}"),
        ("command", "person-removed", "person:Otieno"),
    ]
    with hub.db.read() as tx:
        assert isinstance(LOG.verify(tx), Head)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_it_takes_entries_and_nothing_else(hub: Hub, statement: str) -> None:
    with hub.db.write() as tx:
        add(tx, "Otieno", "operator")
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), hub.db.write() as tx:
        tx.exec_driver_sql(statement)
    with hub.db.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER audit_no_update")
        tx.execute(audit.update().values(actor="somebody else"))
        assert LOG.verify(tx) == Broken(1, "was changed, or was not written with these keys")


def test_the_commands_show_and_verify_it(migrated: Hub) -> None:
    with migrated.db.write() as tx:
        add(tx, "Otieno", "operator")
    run = CliRunner().invoke
    shown = run(main, ["audit", "show", "--hub"])
    assert "person-added  person:Otieno" in shown.output
    found = run(main, ["audit", "verify", "--hub"])
    assert (found.exit_code, "The log is whole: 1 entries" in found.output) == (0, True)
