"""`python app.py doctor`: what is wrong with this machine, and how to mend it."""

from __future__ import annotations

import json
import sys

import click

from services.commands import clear_errors, configure

_EXIT = {"fine": 0, "note": 0, "warning": 1, "broken": 2}
_SIGN = {"fine": "ok", "note": "note", "warning": "WARN", "broken": "BAD"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object a finding, one a line")
@click.option("--quick", is_flag=True, help="neither models nor voices, which take half a minute")
@click.option("--offline", is_flag=True, help="asks nobody over the link")
@click.option("--all", "with_fine", is_flag=True, help="also what is well")
def doctor(as_json: bool, quick: bool, offline: bool, with_fine: bool) -> None:
    """Look at everything this site rests on. Exit status 0: well; 1: warnings; 2: something is broken."""
    from services import runtime
    from services.site.doctor.examination import AWAY, CHECKS, SLOW, examine, worst

    with clear_errors():
        configure("doctor")
        site = runtime.current()
        left_out = (SLOW if quick else ()) + (AWAY if offline else ())
        findings = []
        for found in examine(site, [name for name in CHECKS if name not in left_out]):
            findings.append(found)
            if as_json:
                click.echo(json.dumps(found.as_json()))
            elif found.level != "fine" or with_fine:
                click.echo(f"{_SIGN[found.level]:5} {found.check}: {found.says}")
                if found.mend:
                    click.echo(f"      -> {found.mend}")
    level = worst(findings)
    if not as_json:
        well = sum(found.level == "fine" for found in findings)
        bad = len([found for found in findings if found.level in ("warning", "broken")])
        click.echo(f"{well} things are well, {bad} are not.")
    sys.exit(_EXIT[level])
