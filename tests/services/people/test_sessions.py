"""Signing in: a wrong name, password or code are alike, guessing locks, and a session ends."""

from __future__ import annotations

import threading

import pytest

from services.people import accounts, lockout, sessions, totp
from services.people.passwords import Cost
from services.people.sessions import Life, Refused, begin, who
from services.runtime import Runtime
from services.store import clock
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS

CHEAP = Cost(passes=1, memory_kib=8)
GOOD = "the lake at dawn"
HERE, LIFE = "10.0.0.7", Life()


@pytest.fixture
def time_is(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clock's hand, to be moved."""
    hand = [clock.now_ms()]
    for module in (sessions, lockout, totp, accounts):
        monkeypatch.setattr(module, "now_ms", lambda: hand[0])
    return hand


@pytest.fixture(autouse=True)
def _achieng(site: Runtime) -> None:
    with site.db.write() as tx:
        accounts.add(tx, "achieng", {"nurse", "administrator"}, password=GOOD, cost=CHEAP)


def sign_in(site: Runtime, password: str = GOOD, code: str = "", *, name: str = "achieng", address: str = HERE) -> str:
    """A token, or why there is none."""
    try:
        return begin(site.db, name, password, code, address=address, life=LIFE, cost=CHEAP)[0]
    except Refused as refused:
        return refused.reason


def test_a_session_lasts_while_it_is_used_and_not_for_ever(site: Runtime, time_is: list[int]) -> None:
    token = sign_in(site)
    for _ in range(23):
        time_is[0] += 29 * MINUTE_MS
        assert who(site.db, token, LIFE) is not None
    time_is[0] += HOUR_MS
    assert who(site.db, token, LIFE) is None, "twelve hours are over"
    token = sign_in(site)
    time_is[0] += 31 * MINUTE_MS
    assert who(site.db, token, LIFE) is None, "unused for half an hour"


def test_sessions_end_here_or_elsewhere(site: Runtime) -> None:
    first, second = sign_in(site), sign_in(site)
    found = who(site.db, first, LIFE)
    assert found is not None
    with site.db.write() as tx:
        assert sessions.number(tx, found.id) == 2
        sessions.end_others(tx, found.id, first)
    assert who(site.db, second, LIFE) is None
    with site.db.write() as tx:
        sessions.end(tx, first)
    assert who(site.db, first, LIFE) is None
    assert who(site.db, "", LIFE) is None


@pytest.mark.parametrize("name", ["achieng", "nobody"])
def test_guessing_locks_an_account_known_or_not(site: Runtime, time_is: list[int], name: str) -> None:
    tries = [sign_in(site, f"guess {number}", name=name, address=f"10.0.0.{number}") for number in range(7)]
    assert tries == ["login-wrong"] * 5 + ["login-locked"] * 2
    assert sign_in(site, GOOD, name=name) == "login-locked"
    time_is[0] += MINUTE_MS + 1
    assert sign_in(site, "guess", name=name) == "login-wrong", "one more try"
    time_is[0] += MINUTE_MS + 1
    assert sign_in(site, "guess", name=name) == "login-locked", "for twice as long"
    time_is[0] += MINUTE_MS
    if name == "achieng":
        assert len(sign_in(site)) > 20
        assert sign_in(site, "guess") == "login-wrong", "the count is cleared"


def test_guessing_names_locks_an_address(site: Runtime, time_is: list[int]) -> None:
    tries = [sign_in(site, name=f"name {number}") for number in range(21)]
    assert tries == ["login-wrong"] * 20 + ["login-locked"]
    assert sign_in(site) == "login-locked"
    assert len(sign_in(site, address="10.0.0.8")) > 20, "others are let in"
    time_is[0] += DAY_MS
    assert len(sign_in(site)) > 20


def test_a_clock_that_was_put_back_locks_nobody_out(site: Runtime, time_is: list[int]) -> None:
    for number in range(6):
        sign_in(site, "guess", address=f"10.0.0.{number}")
    time_is[0] -= 40 * DAY_MS
    assert len(sign_in(site)) > 20


def test_a_code_is_asked_for_and_taken_once(site: Runtime, time_is: list[int]) -> None:
    secret = totp.new_secret()
    found = who(site.db, sign_in(site), LIFE)
    assert found is not None
    with site.db.write() as tx:
        accounts.set_second_factor(tx, found, secret, totp.code_at(secret, totp.current_step()))
    assert sign_in(site) == "login-wrong", "no code"
    assert sign_in(site, code=totp.code_at(secret, totp.current_step())) == "login-wrong", "that code set it up"
    time_is[0] += 30_000
    code = totp.code_at(secret, totp.current_step())
    assert sign_in(site, "wrong", code) == "login-wrong"
    assert len(sign_in(site, code=f"{code[:3]} {code[3:]}")) > 20
    assert sign_in(site, code=code) == "login-wrong", "somebody saw it being typed"
    time_is[0] += 60_000
    late = totp.code_at(secret, totp.current_step() - 2)
    assert sign_in(site, code=late) == "login-wrong"


def test_of_many_with_one_code_one_comes_in(site: Runtime) -> None:
    secret = totp.new_secret()
    found = who(site.db, sign_in(site), LIFE)
    assert found is not None
    step = totp.current_step()
    with site.db.write() as tx:
        accounts.set_second_factor(tx, found, secret, totp.code_at(secret, step - 1))
    code = totp.code_at(secret, totp.current_step())
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(sign_in(site, code=code))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(each) > 20 for each in answers) == [False, False, False, True]


def test_a_qr_code_names_clinic_and_account() -> None:
    uri = totp.uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", name="achieng", clinic="Siaya")
    assert uri == "otpauth://totp/Jicho%20Siaya:achieng?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Jicho%20Siaya"
    drawn = totp.qr(uri)
    assert drawn.startswith("<svg")
    assert "style=" not in drawn


@pytest.mark.parametrize(("step", "code"), [(1, "287082"), (37037036, "081804"), (666666666, "353130")])
def test_codes_are_those_of_the_standard(step: int, code: str) -> None:
    """RFC 6238, appendix B, at six digits."""
    assert totp.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", step) == code
