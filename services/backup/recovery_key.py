"""The recovery key: made once, written on paper, never kept by a machine.

What a machine keeps is its public half, to which copies are sealed: whoever takes the machine or the stick reads no
copy. The key is 128 random bits, written as seven groups of four letters and digits that are hard to confuse
(Crockford's base 32), the last two of them a check. It stands for an X25519 key of the age format
(age-encryption.org/v1), so that a copy can also be opened with the program `age` and `as_age_identity`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from services.backup.errors import BackupError
from services.durable import write_durably

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_LOOKS_LIKE = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})
_SEED_BYTES, _SEED_CHARACTERS, _CHECK_CHARACTERS, _GROUP = 16, 26, 2, 4
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DOMAIN = b"jicho recovery key, version 1"


def new() -> str:
    """A recovery key, as it is written down: `7K2F-…`, seven groups of four."""
    return _written(secrets.token_bytes(_SEED_BYTES))


def identity(written: str) -> Identity:
    """The key that opens copies, from what somebody typed; case, spaces and dashes do not matter, and letters that look
    like digits are taken for them. Raises BackupError."""
    from pyrage.x25519 import Identity

    return Identity.from_str(as_age_identity(written))


def as_age_identity(written: str) -> str:
    """The same key as the program `age` takes it in a file (`AGE-SECRET-KEY-1…`). Raises BackupError."""
    scalar = hmac.digest(_seed(written), _DOMAIN, hashlib.sha256)
    return _bech32("age-secret-key-", scalar).upper()


def public_half(written: str) -> str:
    """What a machine keeps of it: `age1…`."""
    return str(identity(written).to_public())


def recipient_file(data_dir: Path) -> Path:
    """Where a site keeps the public half."""
    return data_dir / "backup" / "recipient"


def keep_public_half(data_dir: Path, public: str) -> None:
    """Copies are sealed to this from now on. Raises OSError."""
    write_durably(recipient_file(data_dir), f"{public}\n".encode())


def recipient(data_dir: Path) -> tuple[str, Recipient]:
    """The public half, as text and as a key. Raises BackupError without one."""
    from pyrage import RecipientError
    from pyrage.x25519 import Recipient

    file = recipient_file(data_dir)
    try:
        text = file.read_text(encoding="ascii").strip()
        return text, Recipient.from_str(text)
    except FileNotFoundError:
        raise BackupError(
            "there is no recovery key yet: `python app.py recovery-key` makes one to write down"
        ) from None
    except (OSError, ValueError, RecipientError) as error:
        raise BackupError(
            f"{file} cannot be used: {error}; `python app.py recovery-key --replace` makes a new one"
        ) from None


def _written(seed: bytes) -> str:
    bits = int.from_bytes(seed, "big") << (_SEED_CHARACTERS * 5 - len(seed) * 8)
    letters = "".join(_ALPHABET[bits >> shift & 31] for shift in range((_SEED_CHARACTERS - 1) * 5, -1, -5))
    letters += _check(seed)
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def _check(seed: bytes) -> str:
    digest = hashlib.sha256(_DOMAIN + seed).digest()
    return "".join(_ALPHABET[byte & 31] for byte in digest[:_CHECK_CHARACTERS])


def _seed(written: str) -> bytes:
    letters = "".join(written.upper().split()).replace("-", "").translate(_LOOKS_LIKE)
    if len(letters) != _SEED_CHARACTERS + _CHECK_CHARACTERS or set(letters) - set(_ALPHABET):
        raise BackupError("a recovery key is seven groups of four letters and digits: look at the paper again")
    bits = 0
    for letter in letters[:_SEED_CHARACTERS]:
        bits = bits << 5 | _ALPHABET.index(letter)
    spare = _SEED_CHARACTERS * 5 - _SEED_BYTES * 8
    seed = (bits >> spare).to_bytes(_SEED_BYTES, "big")
    if bits & ((1 << spare) - 1) or not hmac.compare_digest(_check(seed), letters[_SEED_CHARACTERS:]):
        raise BackupError("that is not a recovery key: a letter or digit is wrong, compare it with the paper")
    return seed


def _bech32(prefix: str, content: bytes) -> str:
    """BIP 173, as age writes its keys."""
    bits, values = int.from_bytes(content, "big") << (-len(content) * 8 % 5), -(-len(content) * 8 // 5)
    data = [bits >> 5 * (values - 1 - at) & 31 for at in range(values)]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = _polymod(expanded + data + [0] * 6) ^ 1
    data += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return prefix + "1" + "".join(_BECH32[value] for value in data)


def _polymod(values: list[int]) -> int:
    found = 1
    for value in values:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            found ^= generator if top >> at & 1 else 0
    return found
