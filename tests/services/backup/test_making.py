"""Copies are whole or not there, share what they can, and outlive sticks that are full, worn or pulled."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from recovery import KEY

from services.backup import making, restoring, sealed, shelf
from services.backup.errors import BackupError
from services.backup.place import Place
from services.backup.recovery_key import recipient_file
from services.runtime import Runtime
from services.store.database import Database
from services.store.tables import sync_mark

PHOTOGRAPHS = [bytes([number]) * 2000 for number in range(3)]


def photograph(site: Runtime, content: bytes) -> str:
    return site.media.receive(content)


def marks(path: Path) -> list[str]:
    """What the tests wrote into a store: of its tables the one with nothing personal in it."""
    db = Database(f"sqlite:///{path}")
    with db.read() as tx:
        found = list(tx.execute(sa.select(sync_mark.c.name).order_by(sync_mark.c.id)).scalars())
    db.close()
    return found


def write(site: Runtime, *names: str) -> None:
    with site.db.write() as tx:
        tx.execute(sync_mark.insert(), [{"name": name, "value": 0} for name in names])


def photographs(folder: Path) -> list[Path]:
    return [path for path in folder.glob("photographs/**/*") if path.is_file()]


def attempt(place: Place, stick: Path) -> str:
    """What the operator is told of a copy that fails; empty if it does not."""
    try:
        making.make(place, stick, keep=2)
    except BackupError as error:
        return str(error)
    return ""


def opened(copy: shelf.Copy, folder: Path) -> Place:
    """The copy, put back into a folder of its own."""
    target = Place("site", folder, f"sqlite:///{folder / 'jicho.db'}", folder / "jicho.db", None)
    restoring.restore(copy, KEY, target, bring_up=lambda _url: None)
    return target


def test_a_copy_holds_the_store_and_every_file_and_shows_nothing(
    site: Runtime, place: Place, stick: Path, tmp_path: Path
) -> None:
    write(site, "a-mark")
    names = [photograph(site, content) for content in PHOTOGRAPHS]
    (place.directory / "site").mkdir()
    (place.directory / "site" / "identity.json").write_text('{"key": "secret"}')
    (place.directory / "queue").mkdir()
    (place.directory / "queue" / "appendonly.aof").write_text("disposable")
    made = making.make(place, stick, keep=3)

    for path in stick.rglob("*"):
        if path.is_file():
            assert not any(word in path.read_bytes() for word in (b"a-mark", b"secret", PHOTOGRAPHS[1][:50]))
            assert not any(name in path.name for name in names)
    there = opened(made.copy, tmp_path / "new").directory
    assert marks(there / "jicho.db") == ["a-mark"]
    assert (there / "site" / "identity.json").read_text() == '{"key": "secret"}'
    before = {path.relative_to(place.directory): path.read_bytes() for path in photographs(place.directory)}
    assert {path.relative_to(there): path.read_bytes() for path in photographs(there)} == before
    assert len(before) == len(PHOTOGRAPHS)
    assert not (there / "queue").exists()


def test_the_second_copy_writes_only_what_is_new(site: Runtime, place: Place, stick: Path) -> None:
    for content in PHOTOGRAPHS:
        photograph(site, content)
    first = making.make(place, stick, keep=3)
    photograph(site, b"one more")
    second = making.make(place, stick, keep=3)
    photographs = {name for name in first.copy.objects if name.startswith("objects/")}
    assert photographs < set(second.copy.objects)
    assert second.new_files == 3, "the photograph, the store and what is in the copy"


def test_old_copies_go_and_what_only_they_had(site: Runtime, place: Place, stick: Path) -> None:
    old = photograph(site, PHOTOGRAPHS[0])
    making.make(place, stick, keep=2)
    site.media.erase(old)
    photograph(site, PHOTOGRAPHS[1])
    for _ in range(3):
        made = making.make(place, stick, keep=2)
    found = shelf.copies(made.copy.folder)
    assert [copy.number for copy in found] == [3, 4]
    assert [copy.faults() for copy in found] == [[], []]
    on_stick = {path.relative_to(made.copy.folder).as_posix() for path in made.copy.folder.rglob("*.age")}
    assert on_stick == {name for copy in found for name in copy.objects}


def test_writers_go_on_and_the_copy_is_of_one_moment(site: Runtime, place: Place, stick: Path, tmp_path: Path) -> None:
    ended = threading.Event()

    def go_on() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            write(site, f"{number}a", f"{number}b")  # a copy between the two would have an odd number

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        copies = [making.make(place, stick, keep=5).copy for _ in range(3)]
    finally:
        ended.set()
        thread.join()
    counts = [len(marks(opened(copy, tmp_path / str(copy.number)).store_file)) for copy in copies]
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)
    assert counts[-1] > counts[0], "they wrote meanwhile"


@pytest.mark.parametrize("reason", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_a_stick_that_goes_away_at_any_moment_costs_only_the_copy_that_was_made(
    site: Runtime, place: Place, stick: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    photograph(site, PHOTOGRAPHS[0])
    making.make(place, stick, keep=2)
    photograph(site, PHOTOGRAPHS[1])
    real, calls = os.replace, 0

    def pulled(at: int) -> Any:
        def rename(source: Any, target: Any) -> None:
            nonlocal calls
            calls += str(target).startswith(str(stick))
            if calls == at:
                raise OSError(reason, os.strerror(reason))
            real(source, target)

        return rename

    for at in range(1, 10):
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", pulled(at))
            problem = attempt(place, stick)
        assert making.last(place)["problem"] == problem
        found = shelf.copies(next(stick.iterdir()))
        assert found
        assert all(copy.faults() == [] for copy in found)
        if not problem:
            break
        assert "older copies are whole" in problem or "read-only" in problem
    assert at == 4, "the store, the photograph and the rest; what was whole on the stick is not written again"
    assert making.last(place)["problem"] == ""
    assert not list(stick.rglob(f"*{sealed.PART}")), "what was left half is gone"


def test_a_stick_that_gives_back_something_else_is_found_at_once(
    site: Runtime, place: Place, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph(site, PHOTOGRAPHS[0])
    real = sealed.fingerprint
    monkeypatch.setattr(sealed, "fingerprint", lambda path: (real(path)[0], "0" * 64))
    with pytest.raises(BackupError, match="the medium is worn"):
        making.make(place, stick, keep=2)
    assert shelf.copies(next(stick.iterdir())) == []


def test_damage_is_found_and_nothing_is_put_back(site: Runtime, place: Place, stick: Path, tmp_path: Path) -> None:
    photograph(site, PHOTOGRAPHS[0])
    copy = making.make(place, stick, keep=2).copy
    victim = next(copy.folder.glob("objects/*/*"))
    content = bytearray(victim.read_bytes())
    content[-20] ^= 1
    victim.write_bytes(content)
    assert [fault.split(" was")[0] for fault in copy.faults()] == [victim.relative_to(copy.folder).as_posix()]
    with pytest.raises(BackupError, match="is damaged: objects/"):
        opened(copy, tmp_path / "new")
    victim.unlink()
    assert "is missing" in copy.faults()[0]
    assert not (tmp_path / "new").exists()


def test_a_full_stick_is_said_and_older_copies_stay(site: Runtime, place: Place, stick: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", stick], check=False).returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        photograph(site, PHOTOGRAPHS[0])
        first = making.make(place, stick, keep=3).copy
        photograph(site, os.urandom(700_000))
        with pytest.raises(BackupError, match="is full: use a larger medium"):
            making.make(place, stick, keep=3)
        assert shelf.copies(first.folder) == [first]
        assert first.faults() == []
    finally:
        subprocess.run(["umount", "-l", stick], check=True)


def test_a_damaged_store_is_not_copied_over_good_copies(place: Place, stick: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    place = replace(place, store_url=f"sqlite:///{file}", store_file=file)
    db = Database(place.store_url)
    db.create_missing()
    with db.write() as tx:
        tx.execute(sync_mark.insert(), [{"name": f"{number:0200}", "value": 0} for number in range(2000)])
    db.close()
    making.make(place, stick, keep=1)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + b"\xff" * 8192 + whole[len(whole) // 2 + 8192 :])
    with pytest.raises(BackupError, match="the store cannot be copied: "):
        making.make(place, stick, keep=1)
    assert [copy.number for copy in shelf.copies(next(stick.iterdir()))] == [1]


def test_two_at_once_and_no_stick_and_no_key(place: Place, stick: Path, tmp_path: Path) -> None:
    with making._alone(place), pytest.raises(BackupError, match="another copy is being made"):
        making.make(place, stick, keep=1)
    with pytest.raises(BackupError, match="is not there: put the stick in"):
        making.make(place, tmp_path / "no-stick", keep=1)
    recipient_file(place.directory).unlink()
    with pytest.raises(BackupError, match="no recovery key yet"):
        making.make(place, stick, keep=1)
