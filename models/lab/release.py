"""Freeze exported graphs as tiers: what is decided on val, golden cases, manifest.

    python -m models.lab.release --version 0.3.0
    python -m models.lab.release --programme maize

Every `<tier>.onnx` in the folder of exports becomes a tier. Refuses to release when a drawn picture does not come out
as it must. The test split is not touched.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from models.lab import release_classes, release_grades
from models.lab.programme import named
from models.lab.settings import read, word
from models.lab.tiers import exports
from services.inference.manifest import FORMAT


def main(settings: release_grades.Settings | release_classes.Settings) -> dict[str, Any]:
    """Write models/<programme>: graphs, golden cases, manifest."""
    if isinstance(settings, release_grades.Settings):
        said = release_grades.contents(settings)
    else:
        said = release_classes.contents(settings)
    name = settings.programme
    known = {"format": FORMAT, "programme": name, "name": f"jicho-{name}", "version": settings.version}
    manifest: dict[str, Any] = known | said
    folder = Path(settings.models) / name
    for tier in manifest["tiers"].values():
        (folder / tier["file"]).write_bytes((exports(settings) / tier["file"]).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def settings_of(argv: list[str]) -> release_grades.Settings | release_classes.Settings:
    """A programme of classes has other things to freeze than one of grades, and takes other settings."""
    graded = named(word(argv, "programme", "dr")).head.kind == "grades"
    return read(release_grades.Settings, argv) if graded else read(release_classes.Settings, argv)


if __name__ == "__main__":
    released = main(settings_of(sys.argv[1:]))
    print(json.dumps({"tiers": released["tiers"], "golden": released["golden"]}, indent=1))
