"""Keys lie outside the data, open what they sealed where it was sealed, and can be changed while the service runs."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import conversations, messages
from phones import PATIENT, WORKER, Ussd, open_case

from services import settings
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.people import workers
from services.store import rotation
from services.store.files import seal_again
from services.store.keyring import Keyring, KeyringError, NotOurs, site_keys
from services.store.lock import lock, unlock
from services.store.phones import forget_number, number_of
from services.store.rotation import RotationFailed, rotate, seal_fields_again
from services.store.rows import NAMES
from services.store.sealing import SealedText, phone_token, seal, unseal
from services.store.tables import METADATA, message, worker


@pytest.fixture
def stored(site: Runtime) -> Runtime:
    """A site with a locked store, a case, a message, a conversation and a photograph."""
    with site.db.write() as tx:
        lock(tx, site_keys())
    open_case(site)
    Ussd(site).dial()
    with site.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, "Your eye check is ready.", key="one", purpose="reply", language="en")
    site.media.receive(b"an eye")
    return site


def everything(site: Runtime) -> list[Any]:
    """What is sealed, opened."""
    with site.db.read() as tx:
        said = [(row.text, row.recipient) for row in messages(tx)]
        return [workers(tx), said, [row.said for row in conversations(tx)], site.media.content(sha256_of(site))]


def start(site: Runtime) -> None:
    """What every start does first."""
    with site.db.write() as tx:
        unlock(tx, site_keys())


def sha256_of(site: Runtime) -> str:
    return next(path.name for path in site.personal_files())


def turn(site: Runtime) -> list[int]:
    def files() -> int:
        return sum(seal_again(path, site_keys()) for path in site.personal_files())

    return rotate(site.db, site_keys(), (lambda: seal_fields_again(site.db, site_keys(), NAMES), files), notice_s=0)


def test_a_ring_is_readable_by_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    keys = Keyring(tmp_path / "deep" / "keys.json")
    keys.create()
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    with pytest.raises(KeyringError, match="holds a keyring already"):
        keys.create()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"current": "ab", "keys": {}, "lookup": "", "audit": ""}'])
def test_a_damaged_ring_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(KeyringError, match="is damaged"):
        _ = Keyring(tmp_path / "keys.json").ring


def test_what_is_sealed_opens_in_its_place_only(keys: Keyring) -> None:
    sealed = keys.seal(b"Achieng", b"worker:1:name")
    assert b"Achieng" not in sealed
    assert keys.open(sealed, b"worker:1:name") == b"Achieng"
    assert keys.seal(b"Achieng", b"worker:1:name") != sealed, "the same twice does not show"
    for broken, place in ((sealed, b"worker:2:name"), (sealed[:-1], b"worker:1:name"), (sealed[:9], b"worker:1:name")):
        with pytest.raises(NotOurs):
            keys.open(broken, place)
    flipped = bytes([*sealed[:-1], sealed[-1] ^ 1])
    with pytest.raises(NotOurs):
        keys.open(flipped, b"worker:1:name")


def test_the_keyring_must_lie_outside_the_data(tmp_path: Path) -> None:
    given = {"JICHO_DATA_DIR": str(tmp_path), "JICHO_KEYRING": str(tmp_path / "keys.json")}
    with pytest.raises(settings.SettingsError, match="JICHO_KEYRING must lie outside"):
        settings.load(given, dotenv=tmp_path / "none")


def test_a_sealed_column_takes_nothing_in_the_clear(site: Runtime) -> None:
    with site.db.write() as tx, pytest.raises(sa.exc.StatementError, match="holds sealed values"):
        tx.execute(worker.insert().values(msisdn=WORKER, name="Achieng", added_at=0))


def test_a_field_that_was_moved_to_another_row_is_refused(stored: Runtime) -> None:
    with stored.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, "Another.", key="two", purpose="reply", language="en")
        first = tx.execute(sa.select(message.c.text).where(message.c.dedupe_key == "one")).scalar_one()
        tx.execute(message.update().where(message.c.dedupe_key == "two").values(text=first))
    with stored.db.read() as tx, pytest.raises(NotOurs):
        messages(tx)


def test_errors_of_the_store_tell_nothing(site: Runtime) -> None:
    with site.db.write() as tx, pytest.raises(sa.exc.DBAPIError) as problem:
        tx.execute(sa.text("SELECT nothing FROM worker WHERE msisdn = :number"), {"number": WORKER})
    assert WORKER not in str(problem.value)


def test_every_sealed_column_is_known_to_a_rotation() -> None:
    sealed = {column for table in METADATA.sorted_tables for column in table.c if isinstance(column.type, SealedText)}
    assert sealed == set(NAMES)


def test_a_number_is_kept_once_and_forgotten_with_one_row(stored: Runtime) -> None:
    token = phone_token(PATIENT)
    with stored.db.write() as tx:
        assert number_of(tx, token) == PATIENT
        assert number_of(tx, PATIENT) == PATIENT
        assert forget_number(tx, PATIENT)
        assert number_of(tx, token) is None
        assert not forget_number(tx, token)


def test_a_start_without_the_keys_or_with_others_fails_clearly(stored: Runtime) -> None:
    ring = site_keys().path
    kept = ring.read_bytes()
    ring.unlink()
    site_keys()._ring = None
    with pytest.raises(KeyringError, match="there is no keyring at"):
        start(stored)
    assert not ring.exists(), "a new one would make the old data unreadable for good"
    Keyring(ring).create()
    site_keys()._ring = None
    with pytest.raises(KeyringError, match="is another store's"):
        start(stored)
    ring.write_bytes(kept)
    site_keys()._ring = None
    start(stored)


def test_a_rotation_seals_everything_anew_and_retires_the_old_key(stored: Runtime) -> None:
    before, old = everything(stored), site_keys().ring
    fields, files = turn(stored)
    assert files == 1
    assert fields >= 6
    assert everything(stored) == before
    assert list(site_keys().ring.keys) == [site_keys().ring.current] != [old.current]
    start(stored)  # the store knows its keyring again
    with stored.db.read() as tx:
        kept = tx.execute(sa.select(worker)).one()
    with pytest.raises(NotOurs):
        old.open(b"", b"")
    assert unseal(worker.c.name, kept.msisdn, kept.name) == "Achieng"
    assert turn(stored)[0] >= fields, "and once more"


def test_a_rotation_that_was_broken_off_goes_on(stored: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = everything(stored), rotation._seal_column_again
    done: list[str] = []

    def die_midway(*given: Any) -> int:
        done.append(given[2].table.name)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(rotation, "_seal_column_again", die_midway)
    with pytest.raises(KeyboardInterrupt):
        turn(stored)
    assert len(site_keys().ring.keys) == 2
    assert everything(stored) == before, "half under the old key, half under the new"
    current = site_keys().ring.current
    monkeypatch.setattr(rotation, "_seal_column_again", real)
    turn(stored)
    assert list(site_keys().ring.keys) == [current], "no third key"
    assert everything(stored) == before


@pytest.mark.usefixtures("stored")
def test_another_process_notices_a_new_key() -> None:
    other = Keyring(site_keys().path)
    sealed_before = other.seal(b"before", b"place")
    site_keys().write(site_keys().ring.with_new_key())
    fresh = site_keys().seal(b"after", b"place")
    assert other.open(fresh, b"place") == b"after", "at once, for what it must open"
    assert site_keys().open(sealed_before, b"place") == b"before"


def test_a_host_that_goes_on_with_the_old_key_keeps_it_alive(stored: Runtime) -> None:
    with pytest.raises(RotationFailed):
        rotate(stored.db, site_keys(), (lambda: 1,), notice_s=0)
    assert len(site_keys().ring.keys) == 2


@pytest.mark.usefixtures("site")
def test_a_field_opens_in_its_column_only() -> None:
    sealed = seal(message.c.text, "one", "word")
    with pytest.raises(NotOurs):
        unseal(message.c.buttons, "one", sealed)
    assert seal(message.c.text, "one", "word") != sealed
