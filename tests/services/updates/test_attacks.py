"""Whoever sits on the hub or on the way to it cannot have a site run anything else, forget what it knew, or fill
its disk.

The attacks are those of The Update Framework's specification, section 1.5.2; each against a real server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import SlowRetrievalError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from update_hub import Look, UpdateHub, risk_release

from services.runtime import Runtime
from services.screening.engines import MODELS
from services.updates import installed
from services.updates.downloads import TARGETS, HubFetcher
from services.updates.keys import KeyFolder, Role
from services.updates.trust import BadRoot, keep_root


def in_use(site: Runtime) -> str:
    best = installed.folders(site.settings.models_dir, "risk", MODELS)[0]
    return "shipped" if best == MODELS else best.name


def forged(hub: UpdateHub, role: Role, change: Callable[[Metadata], None]) -> None:
    """What somebody who holds the hub's own keys can make of a role's metadata."""
    folder, keys = hub.repository.metadata, KeyFolder(hub.repository.folder / "keys")
    newest = max(folder.glob(f"*{role}.json"), key=lambda path: path.stat().st_mtime_ns)
    document = Metadata.from_file(str(newest))
    document.signed.version += 1
    change(document)
    (signer,) = keys.load(role, hub.repository.root().roles[role].keyids)
    document.sign(signer)
    name = f"{role}.json" if role == "timestamp" else f"{document.signed.version}.{role}.json"
    document.to_file(str(folder / name))


@pytest.fixture
def updated(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> UpdateHub:
    """A hub whose second release the site has, and knows the list of."""
    for version in ("0.2.0", "0.3.0"):
        hub.publish(risk_release(tmp_path, version))
    assert look_once()["problem"] == ""
    assert in_use(site) == "0.3.0"
    return hub


def test_an_expired_timestamp(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    hub.repository.refresh(datetime.now(UTC) - timedelta(days=7, seconds=1))
    assert "timestamp.json is expired, by the clock of this machine: 20" in look_once()["problem"]
    assert in_use(site) == "shipped"
    hub.repository.refresh()
    assert look_once()["problem"] == ""
    assert in_use(site) == "0.2.0"


def test_an_older_timestamp(site: Runtime, updated: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    old = (updated.repository.metadata / "timestamp.json").read_bytes()
    updated.publish(risk_release(tmp_path, "0.4.0"))
    assert look_once()["problem"] == ""
    (updated.repository.metadata / "timestamp.json").write_bytes(old)
    assert "BadVersionNumberError: New timestamp version" in look_once()["problem"]
    assert in_use(site) == "0.4.0"


def test_a_new_timestamp_for_an_older_snapshot(site: Runtime, updated: UpdateHub, look_once: Look) -> None:
    def back(document: Metadata[Timestamp]) -> None:
        document.signed.snapshot_meta = MetaFile(version=2)

    forged(updated, "timestamp", back)
    assert "BadVersionNumberError: New snapshot version" in look_once()["problem"]
    assert in_use(site) == "0.3.0"


def test_a_new_snapshot_for_an_older_list(site: Runtime, updated: UpdateHub, look_once: Look) -> None:
    def back(document: Metadata[Snapshot]) -> None:
        document.signed.meta["targets.json"] = MetaFile(version=2)

    forged(updated, "snapshot", back)
    version = max(int(path.name.split(".")[0]) for path in updated.repository.metadata.glob("*.snapshot.json"))

    def newest(document: Metadata[Timestamp]) -> None:
        document.signed.snapshot_meta = MetaFile(version=version)

    forged(updated, "timestamp", newest)
    assert "BadVersionNumberError: Expected targets.json version" in look_once()["problem"]
    assert in_use(site) == "0.3.0"


def test_a_tampered_list(site: Runtime, updated: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    updated.publish(risk_release(tmp_path, "0.4.0"))
    updated.faults.spoil = lambda path, content: (
        content.replace(b'"0.4.0"', b'"9.4.0"') if path.endswith(".targets.json") else content
    )
    assert "UnsignedMetadataError: targets was signed by 0/1 keys" in look_once()["problem"]
    assert in_use(site) == "0.3.0"


@pytest.mark.parametrize("resumed", [False, True])
def test_a_tampered_file(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, resumed: bool) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=4000))
    if resumed:
        partial = site.settings.data_dir / "updates" / "partial"
        partial.mkdir(parents=True)
        for path in hub.repository.targets_dir.rglob("*.onnx.*.patch"):
            (partial / path.name).write_bytes(b"another file's")
    else:
        hub.faults.spoil = lambda path, content: (
            content[:-1] + bytes([content[-1] ^ 1]) if path.startswith(TARGETS) else content
        )
    told = look_once()["releases"]["models/risk"]
    assert (told["state"], told["reason"][:26]) == ("failed", "LengthOrHashMismatchError:")
    assert in_use(site) == "shipped"
    assert list((site.settings.data_dir / "updates" / "partial").iterdir()) == [], "nothing of it is kept"
    hub.faults.spoil = lambda _path, content: content
    assert look_once()["releases"]["models/risk"]["state"] == "installed"
    assert in_use(site) == "0.2.0"


def test_another_hub_with_keys_of_its_own(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    other = UpdateHub(tmp_path / "another")
    other.publish(risk_release(tmp_path, "0.2.0"))
    hub.repository.metadata.rename(tmp_path / "put-aside")
    other.repository.metadata.rename(hub.repository.metadata)
    assert "UnsignedMetadataError: timestamp was signed by 0/1 keys" in look_once()["problem"]
    assert in_use(site) == "shipped"


def test_a_root_that_the_old_one_did_not_sign(
    site: Runtime, updated: UpdateHub, look_once: Look, tmp_path: Path
) -> None:
    other = UpdateHub(tmp_path / "another")
    content = other.repository.renew("targets", other.keys)
    (updated.repository.metadata / "2.root.json").write_bytes(content)
    assert "UnsignedMetadataError: root was signed by 0/1 keys" in look_once()["problem"]
    assert in_use(site) == "0.3.0"


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_renewed_keys_are_followed(
    site: Runtime, updated: UpdateHub, look_once: Look, tmp_path: Path, role: Role
) -> None:
    before = set(updated.repository.root().roles[role].keyids)
    updated.repository.renew(role, updated.keys)
    assert before.isdisjoint(updated.repository.root().roles[role].keyids)
    updated.publish(risk_release(tmp_path, "0.4.0"))
    assert look_once()["problem"] == ""
    assert in_use(site) == "0.4.0"
    # Twice in a row, as for a site that was away.
    updated.repository.renew("root", updated.keys)
    updated.repository.renew(None, updated.keys)
    updated.publish(risk_release(tmp_path, "0.5.0"))
    assert look_once()["problem"] == ""
    assert in_use(site) == "0.5.0"


def test_a_stolen_key_ends_with_its_renewal(site: Runtime, updated: UpdateHub, look_once: Look) -> None:
    stolen = updated.keys[0].load("targets", updated.repository.root().roles["targets"].keyids)
    updated.repository.renew("targets", updated.keys)

    def forge(signed: Targets) -> None:
        signed.unrecognized_fields["withdrawn"] = {"models/risk": ["0.3.0"]}

    updated.repository.change_targets(forge, updated.keys)
    newest = max(updated.repository.metadata.glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
    document = Metadata.from_file(str(newest))
    document.sign(stolen[0])
    document.to_file(str(newest))
    assert "UnsignedMetadataError: targets was signed by 0/1 keys" in look_once()["problem"]
    assert in_use(site) == "0.3.0"


@pytest.mark.parametrize("role", ["2.root", "timestamp", "2.snapshot", "2.targets"])
def test_an_endless_list(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path, role: str) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    if role == "2.root":
        hub.repository.renew(None, hub.keys)
    hub.faults.endless = f"/updates/metadata/{role}"
    assert "DownloadLengthMismatchError" in look_once()["problem"]
    assert hub.sent < 8 * 2**20, "the connection was given up"
    assert in_use(site) == "shipped"


def test_an_endless_file(site: Runtime, hub: UpdateHub, look_once: Look, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0"))
    hub.faults.endless = TARGETS
    told = look_once()["releases"]["models/risk"]
    assert (told["state"], told["reason"].partition(":")[0]) == ("failed", "DownloadLengthMismatchError")
    partial = site.settings.data_dir / "updates" / "partial"
    assert sum(path.stat().st_size for path in partial.iterdir()) == 0
    assert in_use(site) == "shipped"


def test_bytes_that_trickle_are_given_up(hub: UpdateHub, tmp_path: Path) -> None:
    hub.publish(risk_release(tmp_path, "0.2.0", ballast=4000))
    hub.faults.trickle = True
    (path,) = hub.repository.targets_dir.rglob("*.onnx.*.patch")
    seconds = iter(range(10**6))
    with hub.client() as client:
        fetcher = HubFetcher(client, tmp_path / "partial", lambda _: None, clock=lambda: next(seconds))
        url = TARGETS + path.relative_to(hub.repository.targets_dir).as_posix()
        with pytest.raises(SlowRetrievalError, match="bytes in 60 s"), fetcher.download_file(url, path.stat().st_size):
            pass
    (kept,) = (tmp_path / "partial").iterdir()
    assert path.read_bytes().startswith(kept.read_bytes())
    assert kept.stat().st_size > 0, "what came is kept all the same"


def test_a_root_is_one(site: Runtime, hub: UpdateHub) -> None:
    document = Metadata[Root].from_bytes(hub.root)
    document.signed.version = 7
    for content in (
        b"",
        b"{}",
        b"<html>",
        document.to_bytes(),
        (hub.repository.metadata / "timestamp.json").read_bytes(),
    ):
        with pytest.raises(BadRoot):
            keep_root(site.settings.data_dir, content)
