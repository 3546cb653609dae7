"""Keys and signatures at the hub: who must sign, what is refused, and what an interrupted publication leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from update_hub import UpdateHub, risk_release

from services.updates.keys import BadKey, KeyFolder
from services.updates.publish import read_model, withdraw
from services.updates.releases import BadRelease, read_offer
from services.updates.repository import NotPublished, Repository


def test_offline_keys_are_encrypted_and_not_at_the_hub(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "stick", "a word")
    repository = Repository(tmp_path / "updates")
    repository.begin([folder])
    kept = {path.name.partition("-")[0]: path for path in (tmp_path / "stick").iterdir()}
    assert set(kept) == {"root", "targets"}
    for path in kept.values():
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert path.stat().st_mode & 0o777 == 0o600
    assert {path.name.partition("-")[0] for path in (tmp_path / "updates" / "keys").iterdir()} == {
        "snapshot",
        "timestamp",
    }
    for wrong in (None, "another word"):
        with pytest.raises(BadKey, match="passphrase"):
            repository.change_targets(lambda _: None, [KeyFolder(folder.path, wrong)])
    with pytest.raises(NotPublished, match="has keys already"):
        repository.begin([folder])


def test_so_many_people_must_sign(tmp_path: Path) -> None:
    people = [KeyFolder(tmp_path / name, name) for name in ("achieng", "otieno", "wanjiru")]
    repository = Repository(tmp_path / "updates")
    with pytest.raises(NotPublished, match="cannot give so many"):
        repository.begin(people, 1, 4)
    repository.begin(people, 2, 2)
    assert repository.root().roles["targets"].threshold == 2
    with pytest.raises(NotPublished, match=r"2 targets key\(s\) must sign, 1"):
        repository.change_targets(lambda _: None, people[:1])
    with pytest.raises(NotPublished, match="2 targets"):
        repository.change_targets(lambda _: None, [people[0], people[0]])
    before = repository.targets().version
    repository.change_targets(lambda _: None, people[1:])
    assert repository.targets().version == before + 1
    with pytest.raises(NotPublished, match="2 root"):
        repository.renew("root", people[:1])


def test_the_timestamp_is_signed_daily_and_the_snapshot_rarely(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "updates")
    repository.begin([KeyFolder(tmp_path / "stick")])
    snapshot, timestamp = repository.snapshot().version, repository.timestamp().version
    now = datetime.now(UTC)
    for day in range(1, 17):
        repository.refresh(now + timedelta(days=day))
    assert repository.timestamp().version == timestamp + 16
    assert repository.snapshot().version == snapshot + 1
    assert repository.timestamp().snapshot_meta.version == repository.snapshot().version


def test_what_was_cut_short_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    stick = KeyFolder(tmp_path / "stick")
    repository = Repository(tmp_path / "updates")
    repository.begin([stick])
    before = repository.targets().version, repository.snapshot().version
    timestamp = (repository.metadata / "timestamp.json").read_bytes()
    repository.change_targets(
        lambda signed: signed.unrecognized_fields.update(withdrawn={"models/dr": ["9.9"]}), [stick]
    )
    (repository.metadata / "timestamp.json").write_bytes(timestamp)  # the last write, which the power cut took
    assert (repository.targets().version, repository.snapshot().version) == before
    assert read_offer(repository.targets()).withdrawn == {}
    repository.change_targets(lambda _: None, [stick])
    assert repository.targets().version == before[0] + 1
    assert read_offer(repository.targets()).withdrawn == {}


@pytest.mark.real_trial
def test_only_what_passes_its_trial_and_is_newer_is_signed(tmp_path: Path) -> None:
    hub = UpdateHub(tmp_path)
    damaged = risk_release(tmp_path, "0.2.0")
    content = bytearray((damaged / "risk.onnx").read_bytes())
    content[5000] ^= 1
    (damaged / "risk.onnx").write_bytes(content)
    with pytest.raises(BadRelease, match=r"nothing was signed: risk\.onnx: sha256"):
        hub.publish(damaged)
    wrong = risk_release(tmp_path, "0.2.1", change=lambda manifest: manifest["golden"][0].update(probability=0.01))
    with pytest.raises(BadRelease, match="nothing was signed: jicho-symptoms: golden case"):
        hub.publish(wrong)
    assert read_offer(hub.repository.targets()).releases == {}
    hub.publish(risk_release(tmp_path, "0.3.0"))
    for version in ("0.3.0", "0.2.9"):
        folder = risk_release(tmp_path / "again", version)
        with pytest.raises(BadRelease, match=r"risk 0\.3\.0 was published"):
            hub.publish(folder)


@pytest.mark.parametrize(("path", "said"), [("../../etc/passwd", "cannot be a file"), ("missing.onnx", "No such file")])
def test_a_manifest_names_files_of_its_folder(tmp_path: Path, path: str, said: str) -> None:
    folder = risk_release(tmp_path, "0.2.0", change=lambda manifest: manifest["tiers"]["full"].update(file=path))
    with pytest.raises(BadRelease, match=said), read_model(folder):
        pass


def test_a_withdrawn_release_gives_way_to_the_one_before(tmp_path: Path) -> None:
    hub = UpdateHub(tmp_path)
    for version in ("0.2.0", "0.3.0"):
        hub.publish(risk_release(tmp_path, version))
    shipped = tmp_path / "nothing-shipped"
    assert withdraw(hub.repository, "models/risk", "0.3.0", hub.keys, shipped) == "0.2.0"
    offer = read_offer(hub.repository.targets())
    assert offer.releases["models/risk"].version == "0.2.0"
    assert offer.withdrawn == {"models/risk": {"0.3.0"}}
    for file in offer.releases["models/risk"].files:
        for way in file.ways:
            folder, _, name = way.target.rpartition("/")
            assert list((hub.repository.targets_dir / folder).glob(f"*.{name}")), "what is offered is there"
    assert withdraw(hub.repository, "models/risk", "0.2.0", hub.keys, shipped) == ""
    assert read_offer(hub.repository.targets()).releases == {}
    folder = risk_release(tmp_path / "again", "0.3.0")
    with pytest.raises(BadRelease, match=r"0\.3\.0 was published"):
        hub.publish(folder)
