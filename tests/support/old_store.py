"""A store of the release before anything was sealed, with a row of each kind that is sealed now."""

from __future__ import annotations

import sqlalchemy as sa

from services.screening.codes import code_of
from services.screening.people import workers
from services.store.database import Database
from services.store.migrate import migrate
from services.store.phones import number_of
from services.store.rows import opened, opened_json
from services.store.tables import clip, conversation, inbound, message, opt_out, phone_number, screening

WORKER, PATIENT, NAME, CODE = "+254711000001", "+254722000002", "Achieng Nyambura", "482913"
WAMID = "wamid.HBgMMjU0NzExMDAwMDAx"
OLD_ROWS = (
    f"INSERT INTO worker (id, msisdn, name, active, added_at) VALUES (1, '{WORKER}', '{NAME}', true, 0)",
    f"INSERT INTO caller (id, msisdn, language, updated_at) VALUES (1, '{PATIENT}', 'luo', 0)",
    f"INSERT INTO opt_out (id, msisdn, kind, at) VALUES (1, '{PATIENT}', 'voice', 0)",
    "INSERT INTO screening (id, code, programme, worker_id, sex, birth_year, patient_msisdn, language, state,"
    f" opened_at) VALUES (1, '{CODE}', 'dr', 1, 'female', 1961, '{PATIENT}', 'luo', 'open', 0)",
    "INSERT INTO consent (id, screening_id, version, language, msisdn, channel, given_at)"
    f" VALUES (1, 1, '2026-01', 'luo', '{PATIENT}', 'ussd', 0)",
    "INSERT INTO inbound (id, carrier, provider_id, kind, sender, recipient, text, received_at)"
    f" VALUES (1, 'whatsapp', '{WAMID}', 'whatsapp', '{WORKER}', '38477', '{CODE} left', 0)",
    "INSERT INTO photo (id, inbound_id, position, sender, mime_type, locator, expected_sha256, state, received_at)"
    f" VALUES (1, 1, 0, '{WORKER}', 'image/jpeg', '', '', 'received', 0)",
    "INSERT INTO message (id, dedupe_key, kind, recipient, purpose, language, text, buttons, state, provider_id,"
    f" reason, created_at, expires_at) VALUES (1, 'read:1:sms', 'sms', '{WORKER}', 'result-worker', 'sw',"
    f""" 'Code {CODE}: refer', '[["1", "Yes"]]', 'failed', 'ATXid_1', 'InvalidPhoneNumber {WORKER}', 0, 9)""",
    "INSERT INTO conversation (id, msisdn, channel, session_id, flow, caller, journal, language, ussd_text,"
    f" last_answer, counter, state, created_at, updated_at) VALUES (1, '{WORKER}', 'ussd', 'ATUid_1', 'menu',"
    f""" '{{"caller": {{"msisdn": "{WORKER}", "channel": "ussd", "worker": true, "name": "{NAME}","""
    """ "language": "sw"}, "arguments": {}}', '[["answer", "menu", "open"],"""
    f""" ["answer", "ask-patient-phone", "{PATIENT}"]]',"""
    " 'sw',"
    f" '1*1', 'CON {NAME}, {CODE}', 0, 'active', 5, 6)",
    "INSERT INTO clip (id, key, language, message, params, private, pace, call, state, created_at)"
    """ VALUES (1, 'ab', 'sw', 'goodbye', '{"place": "place-eye-clinic"}', false, 'normal', '', 'ready', 0)""",
    "INSERT INTO clip (id, key, language, message, params, private, pace, call, state, created_at)"
    f""" VALUES (2, 'cd', 'sw', 'list', '{{"code": "{CODE}"}}', true, 'normal', 'ATVId_1', 'ready', 0)""",
)
SECRET = [WORKER[1:], PATIENT[1:], NAME, CODE, WAMID]


def write_old(db: Database) -> None:
    """Rows as they lay open, in the schema of their time."""
    migrate(db, "0014")
    with db.write() as tx:
        for statement in OLD_ROWS:
            tx.exec_driver_sql(statement)


def check(db: Database) -> None:
    """Everything means what it did."""
    with db.read() as tx:
        assert workers(tx) == [{"msisdn": WORKER, "name": NAME, "active": True}]
        case = tx.execute(sa.select(screening).where(screening.c.code == CODE)).one()
        assert (code_of(case), number_of(tx, case.patient_msisdn)) == (CODE, PATIENT)
        assert tx.execute(sa.select(opt_out.c.kind).where(opt_out.c.msisdn == PATIENT)).scalar_one() == "voice"
        came = tx.execute(sa.select(inbound).where(inbound.c.provider_id == WAMID)).one()
        assert opened(inbound.c.text, came) == f"{CODE} left"
        sent = tx.execute(sa.select(message).where(message.c.recipient == WORKER)).one()
        assert opened(message.c.text, sent) == f"Code {CODE}: refer"
        assert opened_json(message.c.buttons, sent) == [["1", "Yes"]]
        assert sent.reason == "InvalidPhoneNumber …"
        talk = opened_json(conversation.c.content, tx.execute(sa.select(conversation)).one())
        assert talk["caller"]["msisdn"] == WORKER
        assert (talk["heard"], talk["said"]) == ("1*1", f"CON {NAME}, {CODE}")
        assert talk["journal"][1] == ["answer", "ask-patient-phone", PATIENT]
        kept = tx.execute(sa.select(clip)).one()
        assert opened_json(clip.c.params, kept) == {"place": "place-eye-clinic"}
        assert len(tx.execute(sa.select(phone_number)).all()) == 2
