"""A key that a person writes down and types: mistakes are found, and the program `age` understands it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pyrage.x25519 import Identity
from recovery import KEY

from services.backup import recovery_key
from services.backup.errors import BackupError
from services.backup.sealed import Unsealed, open_sealed, write_sealed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_key_is_seven_groups_of_four() -> None:
    assert KEY == "000G-40R4-0M30-E209-185G-R38E-1WTZ"
    assert recovery_key.new() != recovery_key.new()


@pytest.mark.parametrize(
    "typed",
    [
        KEY.lower(),
        KEY.replace("-", ""),
        KEY.replace("-", " "),
        f"  {KEY}\n",
        KEY.replace("0", "O").replace("1", "l"),
        KEY.replace("0", "o").replace("1", "I"),
    ],
)
def test_how_it_is_typed_does_not_matter(typed: str) -> None:
    assert recovery_key.public_half(typed) == recovery_key.public_half(KEY)


def test_a_wrong_letter_is_found() -> None:
    """Ten bits of check: all but one in a thousand. One that slips through opens nothing."""
    letters = KEY.replace("-", "")
    wrong = [
        letters[:at] + one + letters[at + 1 :] for at in range(len(letters)) for one in set(ALPHABET) - {letters[at]}
    ]
    assert sum(map(is_key, wrong)) <= 2


def is_key(typed: str) -> bool:
    try:
        recovery_key.identity(typed)
    except BackupError:
        return False
    return True


@pytest.mark.parametrize("typed", ["", "000G", f"{KEY}-0000", KEY.replace("W", "!"), "é" * 28])
def test_what_is_no_key_is_said(typed: str) -> None:
    with pytest.raises(BackupError, match="seven groups of four"):
        recovery_key.identity(typed)


def test_age_reads_it_as_its_own() -> None:
    written = recovery_key.as_age_identity(KEY)
    assert str(Identity.from_str(written)) == written, "checked by age's own Bech32"


def test_without_a_key_no_copy(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="recovery-key` makes one"):
        recovery_key.recipient(tmp_path)
    recovery_key.keep_public_half(tmp_path, "age1nonsense")
    with pytest.raises(BackupError, match="cannot be used"):
        recovery_key.recipient(tmp_path)


def test_what_is_sealed_opens_with_the_key_from_paper_alone(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    sealed = tmp_path / "photograph.age"
    write_sealed(sealed, BytesIO(content), recovery_key.identity(KEY).to_public())
    assert content[:64] not in sealed.read_bytes()
    opened = BytesIO()
    open_sealed(sealed, opened, recovery_key.identity(KEY))
    assert opened.getvalue() == content
    whole = sealed.read_bytes()
    for damaged in (b"", whole[:100], whole[:-70_000], whole[:-1], whole[:5000] + b"x" + whole[5001:]):
        sealed.write_bytes(damaged)
        with pytest.raises(Unsealed):
            open_sealed(sealed, BytesIO(), recovery_key.identity(KEY))
    sealed.write_bytes(whole)
    with pytest.raises(Unsealed, match="No matching keys"):
        open_sealed(sealed, BytesIO(), recovery_key.identity(recovery_key.new()))
