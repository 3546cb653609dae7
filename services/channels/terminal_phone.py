"""A phone in the terminal: it dials through the stand-in carrier, so that everything on the way is real."""

from __future__ import annotations

import click
import httpx


def converse(carrier_url: str, phone: str, code: str) -> None:
    """Dials, shows each screen, sends what is typed, until the session ends. An empty line hangs up."""
    click.echo(f"{phone} dials {code}")
    body = {"msisdn": phone}
    while True:
        try:
            answer = httpx.post(f"{carrier_url}/phone/api/ussd", json=body, timeout=15)
        except httpx.HTTPError:
            raise click.ClickException(f"no stand-in carrier at {carrier_url}: start one with `make run`") from None
        found = answer.json()
        if "error" in found:
            raise click.ClickException(found["error"])
        click.echo(f"\n{found['screen']}\n")
        if found["ended"]:
            return
        typed = click.prompt("reply", default="", show_default=False, prompt_suffix="> ")
        if not typed:
            return
        body = {"msisdn": phone, "input": typed}
