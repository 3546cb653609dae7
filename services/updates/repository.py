"""The signed repository as files: `metadata/` and `targets/` are served, `keys/` holds the hub's own two keys.

Metadata is written in the order in which clients trust it backwards: targets, snapshot, and last the timestamp. Until
that one is replaced everybody sees the repository as it was, whatever was cut short.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, Snapshot, T, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from services.durable import write_durably
from services.updates.keys import ROLES, KeyFolder, Role

LIFE: dict[Role, timedelta] = {
    # Offline keys: somebody has to come with them before these are over.
    "root": timedelta(days=3 * 365),
    "targets": timedelta(days=2 * 365),
    "snapshot": timedelta(days=30),
    # For so long can a site be kept from news without noticing; and a hub that is down for longer stops updates.
    "timestamp": timedelta(days=7),
}
_KEPT_VERSIONS = 3
_SERIALIZER = JSONSerializer(compact=True)


class NotPublished(Exception):
    """The repository cannot be read or changed. The text says why and what to do."""


class Repository:
    """A repository in `folder`; it is there once `begin` has made it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata, self.targets_dir = folder / "metadata", folder / "targets"
        self._hub_keys = KeyFolder(folder / "keys")

    @property
    def exists(self) -> bool:
        return (self.metadata / "timestamp.json").is_file()

    def first_root(self) -> bytes | None:
        """The root that a site which enrols now has to trust, the newest; None before there is one."""
        return self._path(Root.type, None).read_bytes() if self.exists else None

    def root(self) -> Root:
        """Whose keys sign what. Raises NotPublished."""
        return self._read(Root).signed

    def targets(self) -> Targets:
        """What is offered. Raises NotPublished."""
        return self._read(Targets).signed

    def snapshot(self) -> Snapshot:
        """Which version of `targets` is the newest. Raises NotPublished."""
        return self._read(Snapshot).signed

    def timestamp(self) -> Timestamp:
        """Which version of `snapshot` is the newest. Raises NotPublished."""
        return self._read(Timestamp).signed

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One process at a time changes the repository. Raises NotPublished, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def begin(self, offline: Sequence[KeyFolder], root_threshold: int = 1, targets_threshold: int = 1) -> bytes:
        """Makes the repository: a root and a targets key in each offline folder, of which so many must sign, and the
        hub's own two. The first root. Raises NotPublished, OSError."""
        if self.exists:
            raise NotPublished(f"{self.folder} has keys already: `models keys --renew ROLE` changes one")
        if not 1 <= max(root_threshold, targets_threshold) <= len(offline):
            raise NotPublished(f"{len(offline)} folders of keys cannot give so many signatures")
        root = Root(consistent_snapshot=True)
        signers: dict[Role, list[CryptoSigner]] = {
            role: [folder.make(role) for folder in (offline if role in ("root", "targets") else (self._hub_keys,))]
            for role in ROLES
        }
        for role, theirs in signers.items():
            for signer in theirs:
                root.add_key(signer.public_key, role)
        root.roles["root"].threshold, root.roles["targets"].threshold = root_threshold, targets_threshold
        targets = _first(Targets(unrecognized_fields={"releases": {}, "withdrawn": {}}))
        self._sign(root, signers["root"], version=1)
        self._write_all(targets, signers["targets"])
        return self._path(Root.type, 1).read_bytes()

    def change_targets(self, change: Callable[[Targets], None], keys: Iterable[KeyFolder]) -> None:
        """Signs a changed list of what is offered, and what names it. Raises NotPublished, BadKey, OSError."""
        targets = self.targets()
        change(targets)
        signers = self._signers("targets", keys)
        self._write_all(targets, signers)

    def refresh(self, now: datetime | None = None) -> None:
        """Signs the timestamp anew, and the snapshot when half its life is over (it costs every site its bytes).
        Raises NotPublished, BadKey, OSError."""
        snapshot, now = self.snapshot(), now or datetime.now(UTC)
        if snapshot.expires - now < LIFE["snapshot"] / 2:
            self._sign(snapshot, self._signers("snapshot"), now)
        self._write_timestamp(snapshot, now)

    def renew(self, role: Role | None, keys: Sequence[KeyFolder]) -> bytes:
        """Replaces a role's keys by new ones, in the same folders (None: nobody's; root only lives longer). Signed by
        the old root keys and the new, so that sites follow. The new root. Raises NotPublished, BadKey, OSError."""
        root = self.root()
        old = self._signers("root", keys)
        if role:
            for key_id in list(root.roles[role].keyids):
                root.revoke_key(key_id, role)
            for folder in keys if role in ("root", "targets") else (self._hub_keys,):
                root.add_key(folder.make(role).public_key, role)
            if len(root.roles[role].keyids) < root.roles[role].threshold:
                raise NotPublished(f"{role} needs {root.roles[role].threshold} folders of keys")
        content = self._sign(root, old + (self._signers("root", keys, root) if role == "root" else []))
        if role == "targets":
            self._write_all(self.targets(), self._signers("targets", keys))
        elif role in ("snapshot", "timestamp"):
            snapshot = self.snapshot()
            self._sign(snapshot, self._signers("snapshot"))
            self._write_timestamp(snapshot)
        return content

    def _write_all(self, targets: Targets, signers: Sequence[CryptoSigner]) -> None:
        self._sign(targets, signers)
        snapshot = self.snapshot() if self._path(Snapshot.type, None).is_file() else _first(Snapshot())
        snapshot.meta = {"targets.json": MetaFile(version=targets.version)}
        self._sign(snapshot, self._signers("snapshot"))
        self._write_timestamp(snapshot)
        self._prune()

    def _write_timestamp(self, snapshot: Snapshot, now: datetime | None = None) -> None:
        there = (self.metadata / "timestamp.json").is_file()
        timestamp = self.timestamp() if there else _first(Timestamp())
        timestamp.snapshot_meta = MetaFile(version=snapshot.version)
        self._sign(timestamp, self._signers("timestamp"), now)

    def _signers(self, role: Role, offline: Iterable[KeyFolder] = (), root: Root | None = None) -> list[CryptoSigner]:
        asked = (root or self.root()).roles[role]
        found = [signer for folder in (*offline, self._hub_keys) for signer in folder.load(role, asked.keyids)]
        if len({signer.public_key.keyid for signer in found}) < asked.threshold:
            raise NotPublished(
                f"{asked.threshold} {role} key(s) must sign, {len(found)} of this repository's were found: "
                "give the folders that `models keys` wrote (--keys)"
            )
        return found

    def _sign(
        self,
        signed: T,
        signers: Sequence[CryptoSigner],
        now: datetime | None = None,
        *,
        version: int | None = None,
    ) -> bytes:
        """Numbers, dates, signs, checks and writes one file of metadata."""
        signed.version = version or signed.version + 1
        signed.expires = (now or datetime.now(UTC)).replace(microsecond=0) + _life(signed)
        document: Metadata[T] = Metadata(signed)
        for signer in signers:
            document.sign(signer, append=True)
        root = signed if isinstance(signed, Root) else self.root()
        try:
            root.verify_delegate(signed.type, document.signed_bytes, document.signatures)
        except UnsignedMetadataError as error:
            raise NotPublished(f"too few {signed.type} keys signed: {error}") from None
        content = document.to_bytes(_SERIALIZER)
        write_durably(self._path(signed.type, signed.version), content, mode=0o644)
        return content

    def _read(self, kind: type[T]) -> Metadata[T]:
        try:
            return Metadata[T].from_bytes(self._path(kind.type, None).read_bytes())
        except (OSError, DeserializationError, RepositoryError) as error:
            problem = f"{self.folder} has no {kind.type} that can be read ({error}): see `models keys`"
            raise NotPublished(problem) from None

    def _path(self, role: str, version: int | None) -> Path:
        """The file of a version, or of the one that is in force."""
        if role == Timestamp.type:
            return self.metadata / "timestamp.json"
        if version is None:
            version = self._in_force(role)
        return self.metadata / f"{version}.{role}.json"

    def _in_force(self, role: str) -> int:
        """The newest root; of the others, what the timestamp leads to: a later one was cut short, and is replaced."""
        if role == Root.type:
            return max((_number(path) for path in self.metadata.glob("*.root.json")), default=0)
        if not (self.metadata / "timestamp.json").is_file():
            return 0
        if role == Snapshot.type:
            return self.timestamp().snapshot_meta.version
        return self.snapshot().meta["targets.json"].version

    def _prune(self) -> None:
        """Every root stays: a site follows them one by one."""
        for role in (Targets.type, Snapshot.type):
            newest = self._in_force(role)
            for path in self.metadata.glob(f"*.{role}.json"):
                if _number(path) <= newest - _KEPT_VERSIONS:
                    os.unlink(path)


def _first(signed: T) -> T:
    """To be signed for the first time: signing numbers it."""
    signed.version = 0
    return signed


def _life(signed: Signed) -> timedelta:
    return next(life for role, life in LIFE.items() if role == signed.type)


def first_root(hub_dir: Path) -> bytes | None:
    """What enrolment tells a site to trust; None while the hub has no keys for updates."""
    return Repository(hub_dir / "updates").first_root()


def _number(path: Path) -> int:
    first = path.name.partition(".")[0]
    return int(first) if first.isdigit() else 0
