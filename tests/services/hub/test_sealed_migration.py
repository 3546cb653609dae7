"""What a hub of an earlier release kept in the clear is sealed at the first start; it can be given another key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import settings
from services.hub.enrolment import patient_key
from services.hub.resealing import pieces_again, secrets_again
from services.hub.runtime import _SCRIPTS, Hub
from services.hub.tables import media_keys
from services.hub.uploads import content_of
from services.store.keyring import hub_keys
from services.store.migrate import migrate
from services.store.rotation import rotate

SECRET, PIECES, EYE, FILE = b"k" * 32, (b"first piece, ", b"second piece"), b"\xff\xd8\xff an eye", "1/7-ab.jpg"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of before, with a photograph, another on its way, and the key that its sites share."""
    monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    found = Hub(settings.current())
    migrate(found.db, "0004", scripts=_SCRIPTS, keys=lambda: found.keys)
    with found.db.write() as tx:
        tx.exec_driver_sql("INSERT INTO secret (name, value) VALUES ('patient-key', ?)", (SECRET,))
        tx.exec_driver_sql("INSERT INTO site (id, name, public_key, enrolled_at) VALUES (1, 'Siaya', x'00', 0)")
        tx.exec_driver_sql(
            'INSERT INTO upload (id, token, site_id, photo_ref, metadata, length, "offset", state, created_at,'
            " expires_at) VALUES (1, 'tok', 1, 8, '', 25, 25, 'receiving', 0, 0)"
        )
        for offset, piece in ((0, PIECES[0]), (13, PIECES[1])):
            tx.exec_driver_sql(
                'INSERT INTO upload_chunk (upload_id, "offset", content) VALUES (1, ?, ?)', (offset, piece)
            )
        tx.exec_driver_sql(
            "INSERT INTO photograph (site_id, photo_ref, screening_ref, eye, sha256, bytes, media_key, received_at)"
            " VALUES (1, 7, 1, 'left', '', 9, ?, 0)",
            (FILE,),
        )
    file = tmp_path / "hub" / "photographs" / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(EYE)
    yield found
    found.db.close()
    settings.current.cache_clear()


def check(hub: Hub, folder: Path) -> None:
    with hub.db.write() as tx:
        assert patient_key(tx) == SECRET
        assert content_of(tx, 1) == b"".join(PIECES)
    assert hub.media.get(FILE) == EYE
    raw = b"".join(path.read_bytes() for path in (folder / "hub").glob("hub.db*"))
    assert not [word for word in (SECRET, *PIECES) if word in raw]
    assert EYE not in (folder / "hub" / "photographs" / FILE).read_bytes()


def test_a_hub_of_before_is_sealed(hub: Hub, tmp_path: Path) -> None:
    for _ in range(2):
        hub.migrate()
        check(hub, tmp_path)


def test_and_gets_another_key(hub: Hub, tmp_path: Path) -> None:
    hub.migrate()
    old = hub_keys().ring.current

    def files() -> int:
        with hub.db.read() as tx:
            return sum(hub.media.seal_again(name) for name in media_keys(tx))

    done = rotate(
        hub.db,
        hub.keys,
        (lambda: secrets_again(hub.db, hub.keys), lambda: pieces_again(hub.db, hub.keys), files),
        notice_s=0,
    )
    assert done == [1, 2, 1]
    assert old not in hub_keys().ring.keys
    check(hub, tmp_path)
