"""Where it shows that this site is enrolled; so small that the launcher can import it."""

from __future__ import annotations

from pathlib import Path


def identity_file(data_dir: Path) -> Path:
    """The file that is there once, and only if, the site has a hub."""
    return data_dir / "site" / "identity.json"
