"""A phone in the terminal: it dials through the stand-in carrier, so that everything on the way is real."""

from __future__ import annotations

from typing import Any

import click
import httpx


def converse(carrier_url: str, phone: str, code: str) -> None:
    """Dials, shows each screen, sends what is typed, until the session ends. An empty line hangs up."""
    click.echo(f"{phone} dials {code}")
    answer = _ask(carrier_url, "ussd", msisdn=phone, dial=code)
    while True:
        click.echo(f"\n{answer['screen']}\n")
        if answer["ended"]:
            return
        typed = click.prompt("reply", default="", show_default=False, prompt_suffix="> ")
        if not typed:
            _ask(carrier_url, "ussd/end", msisdn=phone)
            return
        answer = _ask(carrier_url, "ussd", msisdn=phone, input=typed)


def _ask(carrier_url: str, path: str, **body: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = httpx.post(f"{carrier_url}/phone/api/{path}", json=body, timeout=15).json()
    except (httpx.HTTPError, ValueError):
        raise click.ClickException(f"no stand-in carrier at {carrier_url}: start one with `make run`") from None
    if "error" in answer:
        raise click.ClickException(answer["error"])
    return answer
