"""What the operator is told of referrals."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from phones import open_another, open_case

from services.commands.facility import facility as command
from services.runtime import Runtime
from services.screening.facilities import Facility, put
from services.screening.referral_report import Referrals, referrals_by_facility
from services.screening.results import announce
from services.store.clock import DAY_MS, now_ms
from services.store.migrate import migrate
from services.store.tables import METADATA, referral, screening

KISUMU = Facility("Kisumu Eye Unit", "Kisumu")


def refer(site: Runtime, **values: object) -> None:
    code = open_another(site)
    with site.db.write() as tx:
        found = tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one()
        announce(tx, found, "refer")
        tx.execute(referral.update().where(referral.c.screening_id == found).values(values or {"state": "open"}))


@pytest.fixture(autouse=True)
def site(site: Runtime) -> Runtime:
    """With the tables as migrations make them."""
    with site.db.write() as tx:
        METADATA.drop_all(tx)
    migrate(site.db)
    return site


@pytest.fixture
def referred(site: Runtime) -> Runtime:
    """Nobody is sent anywhere at first, then four to Kisumu, then one to Siaya, nearest since."""
    open_case(site)
    past = now_ms() - DAY_MS
    refer(site)
    with site.db.write() as tx:
        put(tx, KISUMU)
    refer(site, state="reminded", messages=2, due_at=past)
    refer(site, state="attended", messages=1, due_at=past)
    refer(site, state="unreached", messages=0)
    refer(site, state="not attended", messages=3, due_at=past)
    with site.db.write() as tx:
        put(tx, Facility("Eye Hospital", "Siaya", ours=True))
    refer(site, state="withdrawn", due_at=past)
    return site


EXPECTED = [
    Referrals("Kisumu Eye Unit, Kisumu", opened=4, reminded=3, unreached=1, attended=1, overdue=2),
    Referrals("Eye Hospital, Siaya", opened=1, reminded=0, unreached=0, attended=0, overdue=0),
    Referrals("the eye clinic", opened=1, reminded=0, unreached=0, attended=0, overdue=0),
]


def test_referrals_are_counted_by_facility(referred: Runtime) -> None:
    with referred.db.read() as tx:
        found = referrals_by_facility(tx)
    assert found[0] == EXPECTED[0]
    assert sorted(found[1:], key=lambda each: each.place) == EXPECTED[1:]


@pytest.mark.usefixtures("referred")
def test_the_command_prints_them_for_people_and_for_programs() -> None:
    done = CliRunner().invoke(command, ["report", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0] == EXPECTED[0].to_json()
    shown = CliRunner().invoke(command, ["report"]).stdout.splitlines()
    assert shown[0].split() == ["opened", "reminded", "unreached", "attended", "overdue", "facility"]
    assert shown[1].split(maxsplit=5) == ["4", "3", "1", "1", "2", "Kisumu Eye Unit, Kisumu"]


def test_nobody_yet() -> None:
    assert CliRunner().invoke(command, ["report"]).stdout == "Nobody was referred yet.\n"
