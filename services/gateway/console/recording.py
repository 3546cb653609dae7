"""The recording page: a speaker reads one text after the other into the browser's microphone.

A take is handed to the import command, so that this process, which answers carriers, never loads what works on sound.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, send_file

from flows.catalogue import LANGUAGES, text
from services import runtime
from services.calls.coverage import coverage
from services.calls.script import line_of
from services.speech.packs import packs_of

blueprint = Blueprint("recording", __name__, url_prefix="/console")

_LOG = logging.getLogger(__name__)
_APP = Path(__file__).parents[3] / "app.py"
_LARGEST_TAKE = 8 * 1024 * 1024  # a minute and a half at 48 kHz
_PATIENCE_S = 60


@blueprint.get("/recording")
def page() -> str:
    """The page itself; what it says to its user is English, what is to be read is the language's."""
    names = {language: text(language, f"language-{language}") for language in LANGUAGES}
    return render_template("console/recording.html", spoken=names, chosen=runtime.current().settings.language)


@blueprint.get("/recording/<language>")
def lines(language: str) -> Response:
    """What there is to read, in the script's order, and which of it is recorded."""
    _require(language)
    found = coverage(runtime.current().settings, language)
    recorded = {line.number for line in found.recorded}
    in_order = sorted([*found.recorded, *found.missing], key=lambda line: line.number)
    return jsonify(
        lines=[{"number": line.number, "text": line.text, "recorded": line.number in recorded} for line in in_order]
    )


@blueprint.post("/recording/<language>/<int:number>")
def take(language: str, number: int) -> tuple[Response, int]:
    """One take, a WAV file, with `pack`, `speaker` and `consent`. 422 with the `problem` when it cannot be used."""
    _require(language)
    sound = request.files.get("take") if (request.content_length or 0) <= _LARGEST_TAKE else None
    if sound is None:
        return jsonify(problem="The take is missing, or longer than a text needs."), 422
    with tempfile.TemporaryDirectory(prefix="jicho-take-") as folder:
        sound.save(Path(folder) / f"{number}.wav")
        details = [f"--{name}={request.form.get(name, '')}" for name in ("pack", "speaker", "consent")]
        done = _import(folder, "--language", language, *details, "--json")
    if done.stdout.strip():
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return jsonify(found), 422 if found["problem"] else 200
    if done.stderr.startswith("Error: "):
        return jsonify(problem=done.stderr.removeprefix("Error: ").strip()), 422
    _LOG.error("a take could not be imported", extra={"reason": done.stderr[-1000:]})
    return jsonify(problem="Something is wrong on this server: its log says what."), 500


@blueprint.get("/recording/<language>/<int:number>.wav")
def listen(language: str, number: int) -> Response:
    """A piece as calls play it."""
    _require(language)
    settings = runtime.current().settings
    try:
        line = line_of(settings, language, number)
    except LookupError:
        abort(404)
    path = packs_of(language, settings.voices_dir).file_of(line.message, line.piece, line.text)
    if path is None:
        abort(404)
    return send_file(path.resolve(), mimetype="audio/wav", max_age=0)


def _require(language: str) -> None:
    if language not in LANGUAGES:
        abort(404)


def _import(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, str(_APP), "voices", "import", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        abort(503, "This machine is too busy to work on sound now. Try again.")
