"""tus 1.0 as the specification says it: status codes, headers and offsets, by hand."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from uploading import HEAT, Sender, about, enrolled, header, photograph

from services.hub import photographs, uploads
from services.hub.runtime import Hub
from services.hub.tables import media_erasure, result, site, upload, upload_chunk
from services.hub.tables import photograph as photograph_table
from services.store.clock import DAY_MS, now_ms


@pytest.fixture
def sender(hub: Hub) -> Sender:
    return Sender(hub, enrolled(hub))


def rows(hub: Hub, table: sa.Table) -> list[Any]:
    with hub.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)))


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, content).digest()).decode()}"


@pytest.mark.parametrize("path", ["/files", "/files/", "/files/any"])
def test_options_says_what_is_known_without_a_version(sender: Sender, path: str) -> None:
    answer = sender.http.options(path, headers={"Tus-Resumable": "0.2.2"})
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer.headers["Tus-Max-Size"]) == 1024 * 1024


def test_an_upload_from_beginning_to_end(hub: Hub, sender: Sender) -> None:
    content = photograph()
    answer = sender.create(content)
    where = answer.headers["Location"]
    assert answer.status_code == 201
    assert len(where.removeprefix("/files/")) == 24
    expires = parsedate_to_datetime(answer.headers["Upload-Expires"]).timestamp() * 1000
    assert now_ms() + 6 * DAY_MS < expires < now_ms() + 8 * DAY_MS

    answer = sender.head(where)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (200, "0")
    assert answer.headers["Upload-Length"] == str(len(content))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Upload-Metadata"] == header(about(content))

    answer = sender.patch(where, 0, content[:1000])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "1000")
    assert "Upload-Expires" in answer.headers
    answer = sender.patch(where, 1000, content[1000:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(content)))
    assert "Upload-Expires" not in answer.headers, "what is complete does not expire"

    assert sender.head(where).headers["Upload-Offset"] == str(len(content))
    (row,) = rows(hub, photograph_table)
    assert (row.site_id, row.photo_ref, row.screening_ref, row.eye) == (sender.identity.site, 1, 1, "left")
    assert (row.bytes, row.probability_before, row.probability_after) == (len(content), 0.91, 0.88)
    assert hub.media.get(row.media_key) == content
    with Image.open(io.BytesIO(hub.media.get(row.heatmap_key))) as heat:
        assert heat.format == "JPEG"
    assert rows(hub, upload_chunk) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus_Resumable": "0.2.2"}, 412),
        ({"Tus_Resumable": None}, 412),
        ({"Upload_Length": None}, 400),
        ({"Upload_Length": "-1"}, 400),
        ({"Upload_Length": "1.5"}, 400),
        ({"Upload_Length": "0"}, 400),
        ({"Upload_Length": str(1024 * 1024 + 1)}, 413),
        ({"Upload_Defer_Length": "1"}, 400),
        ({"Upload_Concat": "partial"}, 400),
        ({"Upload_Metadata": None}, 400),
        ({"Upload_Metadata": "photo_ref MQ==,photo_ref MQ=="}, 400),
        ({"Upload_Metadata": "photo_ref ???"}, 400),
        ({"Authorization": None}, 401),
        ({"Authorization": "Jicho 99." + 86 * "A"}, 401),
    ],
)
def test_what_cannot_be_begun(hub: Hub, sender: Sender, headers: dict[str, Any], status: int) -> None:
    answer = sender.create(photograph(), **headers)
    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert ("Tus-Version" in answer.headers) == (status == 412)
    assert rows(hub, upload) == []


@pytest.mark.parametrize(
    ("offset", "headers", "status"),
    [
        (0, {"Content_Type": "application/octet-stream"}, 415),
        (0, {"Tus_Resumable": "2.0.0"}, 412),
        (0, {"Upload_Offset": None}, 400),
        (0, {"Upload_Offset": "-3"}, 400),
        (999, {}, 409),
        (2000, {}, 409),
        (1000, {"Upload_Checksum": "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}, 400),
        (1000, {"Upload_Checksum": "sha1 ???"}, 400),
        (1000, {"Upload_Checksum": checksum("sha1", b"something else")}, 460),
        (1000, {"Upload_Checksum": checksum("sha256", b"something else")}, 460),
    ],
)
def test_what_moves_nothing(hub: Hub, sender: Sender, offset: int, headers: dict[str, Any], status: int) -> None:
    content = photograph()
    where = sender.begun(content)
    sender.patch(where, 0, content[:1000])
    assert sender.patch(where, offset, content[offset : offset + 500], **headers).status_code == status
    assert sender.head(where).headers["Upload-Offset"] == "1000"
    assert sender.patch(where, 1000, content[1000:]).status_code == 204
    assert len(rows(hub, photograph_table)) == 1


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_right_checksum_moves_the_offset(sender: Sender, algorithm: str) -> None:
    content = photograph()
    where = sender.begun(content)
    answer = sender.patch(where, 0, content[:700], Upload_Checksum=checksum(algorithm, content[:700]))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "700")


@pytest.mark.parametrize("sum_", [None, checksum("sha1", b"")])
def test_an_empty_piece_leaves_its_place_to_the_next(hub: Hub, sender: Sender, sum_: str | None) -> None:
    content = photograph()
    where = sender.begun(content)
    for _ in range(2):
        answer = sender.patch(where, 0, b"", Upload_Checksum=sum_)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "0")
    assert sender.patch(where, 0, content).status_code == 204
    assert len(rows(hub, photograph_table)) == 1


def test_more_bytes_than_announced_are_refused(hub: Hub, sender: Sender) -> None:
    content = photograph()
    where = sender.begun(content)
    assert sender.patch(where, 0, content + b"more").status_code == 413
    assert sender.head(where).headers["Upload-Offset"] == "0"
    assert sender.create(content, body=content + b"more").status_code == 413
    assert len(rows(hub, upload)) == 1


def test_a_creation_may_carry_the_first_bytes_or_all(hub: Hub, sender: Sender) -> None:
    content = photograph()
    answer = sender.create(content, body=content[:300])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "300")
    assert sender.create(content, body=content[:300], Content_Type="image/jpeg").status_code == 415
    wrong = sender.create(content, body=content[:300], Upload_Checksum=checksum("sha1", b"else"))
    assert wrong.status_code == 460
    assert sender.patch(answer.headers["Location"], 300, content[300:]).status_code == 204
    whole = sender.create(photograph(2), about(photograph(2), photo_ref=2), body=photograph(2))
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(photograph(2))))
    assert len(rows(hub, photograph_table)) == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "HEAD"])
def test_the_method_may_be_named_in_a_header(sender: Sender, method: str) -> None:
    content = photograph()
    where = sender.begun(content)
    headers = {
        "Tus-Resumable": "1.0.0",
        "X-HTTP-Method-Override": method,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
    }
    answer = sender.http.post(where, data=content[:10] if method == "PATCH" else b"", headers=headers)
    assert answer.status_code == {"PATCH": 204, "DELETE": 204, "HEAD": 200}[method]
    assert answer.headers.get("Upload-Offset") == {"PATCH": "10", "DELETE": None, "HEAD": "0"}[method]


def test_what_is_terminated_is_gone(hub: Hub, sender: Sender) -> None:
    content = photograph()
    where = sender.begun(content)
    sender.patch(where, 0, content[:1000])
    assert sender.delete(where).status_code == 204
    for answer in (sender.head(where), sender.patch(where, 1000, content[1000:]), sender.delete(where)):
        assert answer.status_code == 410
        assert "Upload-Offset" not in answer.headers
    assert rows(hub, upload_chunk) == []
    assert sender.head("/files/never-was").status_code == 404
    assert sender.patch("/files/never-was", 0, b"x").status_code == 404


def test_what_is_not_finished_in_time_expires(hub: Hub, sender: Sender) -> None:
    content = photograph()
    where = sender.begun(content)
    sender.patch(where, 0, content[:1000])
    with hub.db.write() as tx:
        tx.execute(upload.update().values(expires_at=now_ms() - 1))
    assert sender.head(where).status_code == 410
    assert sender.patch(where, 1000, content[1000:]).status_code == 410
    sender.begun(content)
    assert rows(hub, upload_chunk) == [], "its bytes are given back at the next occasion"
    with hub.db.write() as tx:
        tx.execute(upload.update().where(upload.c.state == "expired").values(expires_at=now_ms() - 31 * DAY_MS))
    sender.begun(content)
    assert sender.head(where).status_code == 404


def test_a_revoked_site_goes_on_with_nothing(hub: Hub, sender: Sender) -> None:
    where = sender.begun(photograph())
    with hub.db.write() as tx:
        tx.execute(site.update().values(revoked_at=now_ms()))
    assert sender.create(photograph()).status_code == 403
    assert sender.patch(where, 0, b"x").status_code == 403
    assert sender.head(where).status_code == 403


def test_another_content_than_announced_is_refused_and_forgotten(hub: Hub, sender: Sender) -> None:
    content = photograph()
    where = sender.begun(content)
    assert sender.patch(where, 0, content[:-1] + b"x").status_code == 460
    assert sender.head(where).status_code == 410
    assert rows(hub, photograph_table) == rows(hub, upload_chunk) == []


def test_what_is_no_photograph_is_refused(hub: Hub, sender: Sender) -> None:
    page = b"<script>alert(1)</script>"
    where = sender.begun(page)
    assert sender.patch(where, 0, page).status_code == 422
    assert rows(hub, photograph_table) == []


def test_the_same_photograph_again_changes_nothing(hub: Hub, sender: Sender) -> None:
    content = photograph()
    for _ in range(2):
        assert sender.create(content, body=content).status_code == 201
    other = photograph(2)
    assert sender.create(other, about(other), body=other).status_code == 201
    (row,) = rows(hub, photograph_table)
    assert hub.media.get(row.media_key) == content
    kept = {path.name for path in (hub.settings.hub_dir / "photographs").rglob("*.jpg")}
    assert kept == {row.media_key.split("/")[1], row.heatmap_key.split("/")[1]}


def test_two_sites_may_number_alike(hub: Hub, sender: Sender) -> None:
    other = Sender(hub, enrolled(hub, name="Homa Bay"))
    for each in (sender, other):
        assert each.create(photograph(), body=photograph()).status_code == 201
    assert len(rows(hub, photograph_table)) == 2


def test_a_photograph_that_could_not_be_put_away_does_not_count_as_sent(
    hub: Hub, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = photograph()
    where = sender.begun(content)
    with monkeypatch.context() as patched:
        patched.setattr(hub.media, "put", _full)
        assert sender.patch(where, 0, content).status_code == 500
        assert sender.head(where).status_code == 500
    assert rows(hub, photograph_table) == []
    answer = sender.head(where)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (200, str(len(content)))
    assert len(rows(hub, photograph_table)) == 1


def test_a_request_from_before_the_break_writes_nothing_more(hub: Hub, sender: Sender) -> None:
    where = sender.begun(photograph())
    token = where.removeprefix("/files/")
    before = uploads.find(hub.db, token)
    assert before is not None
    assert sender.head(where).headers["Upload-Offset"] == "0"
    with pytest.raises(uploads.Moved):
        uploads.append(hub.db, before, b"late", keep_ms=DAY_MS)
    assert sender.patch(where, 0, photograph()).status_code == 204


def test_a_withdrawn_consent_takes_the_photographs_with_it(hub: Hub, sender: Sender) -> None:
    content = photograph()
    with hub.db.write() as tx:
        row = {"site_id": sender.identity.site, "screening_ref": 7, "received_at": 1}
        (number,) = tx.execute(result.insert().values(row).returning(result.c.id)).one()
    sender.create(content, about(content, photo_ref=1, screening_ref=7), body=content)
    sender.create(content, about(content, photo_ref=2, screening_ref=8), body=content)
    half = sender.begun(content, about(content, photo_ref=3, screening_ref=7))
    sender.patch(half, 0, content[:1000])
    with hub.db.write() as tx:
        tx.execute(result.update().values(withdrawn=True))
        photographs.erase_withdrawn(tx, sender.identity.site, [number])
    (left,) = rows(hub, photograph_table)
    assert left.photo_ref == 2
    names = {path.name for path in (hub.settings.hub_dir / "photographs").rglob("*.jpg")}
    assert all(name.startswith("2-") for name in names)
    assert rows(hub, upload_chunk) == []
    assert sender.patch(half, 1000, content[1000:]).status_code == 410
    assert sender.create(content, about(content, photo_ref=4, screening_ref=7)).status_code == 403


def test_a_consent_taken_back_while_the_last_bytes_come(hub: Hub, sender: Sender) -> None:
    content = photograph()
    where = sender.begun(content)
    with hub.db.write() as tx:
        row = {"site_id": sender.identity.site, "screening_ref": 1, "withdrawn": True, "received_at": 1}
        tx.execute(result.insert().values(row))
    sender.patch(where, 0, content)
    assert rows(hub, photograph_table) == []
    assert list((hub.settings.hub_dir / "photographs").rglob("*.jpg")) == []


def test_a_file_that_cannot_be_deleted_now_is_deleted_later(
    hub: Hub, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = photograph()
    with hub.db.write() as tx:
        row = {"site_id": sender.identity.site, "screening_ref": 1, "received_at": 1}
        (number,) = tx.execute(result.insert().values(row).returning(result.c.id)).one()
    sender.create(content, about(content, heat=None), body=content)
    with monkeypatch.context() as patched:
        patched.setattr(hub.media, "delete", _full)
        with hub.db.write() as tx:
            photographs.erase_withdrawn(tx, sender.identity.site, [number])
    assert len(rows(hub, media_erasure)) == 1
    photographs.erase_due(hub)
    assert rows(hub, media_erasure) == []
    assert list((hub.settings.hub_dir / "photographs").rglob("*.jpg")) == []


def _full(*_: object) -> None:
    raise OSError("no space left on device")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(pieces=[(0, 0, "good"), (0, 700, "good")])
@given(
    pieces=st.lists(
        st.tuples(st.integers(-300, 300), st.integers(0, 9000), st.sampled_from(["", "good", "bad"])), max_size=12
    )
)
def test_whatever_pieces_come_the_bytes_are_those_of_the_photograph(
    hub: Hub, sender: Sender, pieces: list[tuple[int, int, str]]
) -> None:
    """Pieces that begin at the right byte or elsewhere, of any size, with a right, a wrong or no checksum."""
    content = photograph(3, 300)
    with hub.db.write() as tx:
        tx.execute(photograph_table.delete())
    where = sender.begun(content)
    at = 0
    for shift, size, sum_ in pieces:
        begins = max(0, at + shift)
        piece = content[begins : begins + size]
        said = {"good": checksum("sha1", piece), "bad": checksum("sha1", piece + b"!")}
        answer = sender.patch(where, begins, piece, Upload_Checksum=said.get(sum_))
        if begins != at:
            assert answer.status_code == 409
        elif sum_ == "bad":
            assert answer.status_code == 460
        else:
            assert answer.status_code == 204
            at += len(piece)
            assert answer.headers["Upload-Offset"] == str(at)
        assert sender.head(where).headers["Upload-Offset"] == str(at)
    if at < len(content):
        assert rows(hub, photograph_table) == []
        assert sender.patch(where, at, content[at:]).status_code == 204
    (row,) = rows(hub, photograph_table)
    assert hub.media.get(row.media_key) == content


def test_the_grid_of_a_heat_map_keeps_its_cells() -> None:
    described = about(photograph())
    assert type(described).from_metadata(described.as_metadata()) == described
    assert len(HEAT.as_text()) == 12
