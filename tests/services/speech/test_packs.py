"""Packs of recordings on disk: found by their words, replaced whole, distrusted when changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.speech.packs import MANIFEST, PackError, Packs, packs_of, read_manifest, remove, store

WHO = {"speaker": "Achieng", "consent": "agreed, 2026-11-24"}
SOUND = np.arange(800, dtype=np.int16)


def keep(folder: Path, text: str = "Erokamano.", message: str = "goodbye", sound: np.ndarray = SOUND) -> None:
    store(folder, message, 1, text, sound, **WHO)


def test_a_recording_is_found_by_its_place_and_its_words(tmp_path: Path) -> None:
    keep(tmp_path / "luo" / "achieng")
    packs = packs_of("luo", tmp_path)
    assert np.array_equal(packs.find("goodbye", 1, "Erokamano."), SOUND)  # type: ignore[arg-type]
    assert packs.find("goodbye", 1, "Erokamano ahinya.") is None
    assert packs.find("goodbye", 2, "Erokamano.") is None
    assert packs.find("voice-wait", 1, "Erokamano.") is None
    assert packs_of("sw", tmp_path).find("goodbye", 1, "Erokamano.") is None


def test_the_manifest_says_who_spoke_and_what_was_agreed(tmp_path: Path) -> None:
    keep(tmp_path)
    (entry,) = json.loads((tmp_path / MANIFEST).read_text())["recordings"]
    assert len(entry.pop("sha256")) == 64
    assert entry.pop("file").startswith("goodbye-1-")
    assert entry == {"message": "goodbye", "piece": 1, "text": "Erokamano.", "seconds": 0.1, **WHO}


def test_a_new_take_replaces_the_old_one(tmp_path: Path) -> None:
    keep(tmp_path)
    keep(tmp_path, "Oriti.", sound=SOUND[::-1].copy())
    keep(tmp_path, "apar", message="number-ang'wen")
    assert len(list(tmp_path.glob("*.wav"))) == 2
    packs = Packs((tmp_path,))
    assert packs.find("goodbye", 1, "Erokamano.") is None
    assert packs.find("goodbye", 1, "Oriti.") is not None


def test_the_first_pack_that_has_a_piece_is_heard(tmp_path: Path) -> None:
    for name, sound in (("b", SOUND), ("a", SOUND + 1)):
        keep(tmp_path / "luo" / name, sound=sound)
    assert packs_of("luo", tmp_path).find("goodbye", 1, "Erokamano.")[0] == 1  # type: ignore[index]


def test_a_changed_file_is_not_played(tmp_path: Path) -> None:
    keep(tmp_path)
    (path,) = tmp_path.glob("*.wav")
    path.write_bytes(path.read_bytes()[:-2] + b"\1\1")
    assert Packs((tmp_path,)).find("goodbye", 1, "Erokamano.") is None
    path.unlink()
    assert Packs((tmp_path,)).find("goodbye", 1, "Erokamano.") is None


def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    keep(folder)
    (path,) = folder.glob("*.wav")
    path.rename(tmp_path / path.name)
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text().replace(path.name, f"../{path.name}"))
    assert Packs((folder,)).find("goodbye", 1, "Erokamano.") is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"recordings": [{}]}', '{"recordings": 3}'])
def test_a_torn_manifest_leaves_its_pack_out(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(PackError, match=MANIFEST):
        read_manifest(tmp_path)
    assert list(Packs((tmp_path,)).recordings()) == []


def test_a_pack_can_be_deleted(tmp_path: Path) -> None:
    keep(tmp_path / "luo" / "achieng")
    assert remove(tmp_path / "luo" / "achieng") == 1
    assert packs_of("luo", tmp_path).folders == ()
    (tmp_path / "piper").mkdir()
    with pytest.raises(FileNotFoundError):
        remove(tmp_path / "piper")


def test_the_console_can_read_packs_without_numpy() -> None:
    heavy = "{'numpy', 'soxr', 'soundfile', 'piper'}"
    code = f"import sys, services.gateway.console.recording; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
