from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from services.channels.terminal_phone import converse
from tests.services.channels.conftest import Callback, Carrier, Gateway

WORKER = "+254711000001"
AT = "/at/at-token-of-128-bits-"


def dial(url: str, typed: str, code: str = "*384*77#") -> Result:
    command = click.Command("dial", callback=lambda: converse(url, WORKER, code))
    return CliRunner().invoke(command, input=typed)


def answer(callback: Callback) -> str:
    text = callback.form["text"]
    return f"END Bye {text}" if text == "1*2" else f"CON Menu {text!r}"


def test_a_dialogue_to_its_end(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = answer
    done = dial(carrier.config.own_url, "1\n2\n")
    assert done.exit_code == 0
    assert [line for line in done.output.splitlines() if line.startswith(("Menu", "Bye"))] == [
        "Menu ''",
        "Menu '1'",
        "Bye 1*2",
    ]


def test_an_empty_line_hangs_up(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[f"{AT}/ussd"] = answer
    assert dial(carrier.config.own_url, "\n").exit_code == 0
    assert gateway.wait_for(f"{AT}/ussd-end")[0].form["status"] == "Incomplete"


@pytest.mark.parametrize(
    ("code", "words"), [("*100#", "Nobody answers that code"), ("*384*77#", "the gateway's answer ends the session")]
)
def test_trouble_is_one_clear_line(carrier: Carrier, gateway: Gateway, code: str, words: str) -> None:
    gateway.answers[f"{AT}/ussd"] = ("", 500)
    done = dial(carrier.config.own_url, "", code)
    assert done.exit_code == 1
    assert words in done.output


def test_no_carrier_says_how_to_start_one() -> None:
    done = dial("http://127.0.0.1:9", "")
    assert done.exit_code == 1
    assert "make run" in done.output
