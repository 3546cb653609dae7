"""`python app.py sbom`: what this release is made of."""

from __future__ import annotations

import json
from pathlib import Path

import click

from services.commands import clear_errors


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path), default="-")
def sbom(out: Path) -> None:
    """Write the bill of materials to OUT (default: the screen) as CycloneDX 1.6 JSON."""
    from services.deploy.sbom import bill

    with clear_errors(OSError, ValueError):
        text = json.dumps(bill(), indent=1, sort_keys=True)
        if str(out) == "-":
            click.echo(text)
            return
        out.write_text(text + "\n", encoding="utf-8")
