"""The planner's page: a form, a recommendation, and a probe of this machine that shows each step as it is done.

The probe is a command of its own, at low priority: this process, which answers carriers, never loads a model. One runs
at a time, and after each there is a pause, whoever asks.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from flask import Blueprint, Response, current_app, render_template, request, url_for

from services import runtime
from services.durable import write_durably
from services.site.plan.answers import QUESTIONS, BadAnswer, parse
from services.site.plan.environment import as_text
from services.site.plan.probe import Measured
from services.site.plan.recommend import measured_answers, recommend
from services.site.plan.render import megabytes

blueprint = Blueprint("plan", __name__, url_prefix="/console", template_folder="templates")

PAUSE_S = 60
_LOG = logging.getLogger(__name__)
_APP = Path(__file__).parents[2] / "app.py"
_PATIENCE_S = 300
_KEPT, _TURN = Path("site", "probe.json"), Path("site", "probe.lock")


class NotNow(Exception):
    """A probe is running, or ran just now. The text says when to come again."""


@blueprint.get("/plan")
def page() -> Response:
    """The form; with answers in the query, also the plan, or 400 and what is wrong with them."""
    site = runtime.current()
    given = {question.name: request.args[question.option] for question in QUESTIONS if question.option in request.args}
    kept = kept_probe(site.settings.data_dir)
    here = kept is not None and ("here" in request.args or not given)
    problems: list[str] = []
    plan = None
    known = measured_answers({}, kept) | given if here and kept is not None else given
    if given:
        try:
            plan = recommend(parse(known), kept if here else None, site.settings)
        except BadAnswer as bad:
            problems = str(bad).splitlines()
    shown = render_template(
        "plan.html",
        questions=QUESTIONS,
        known={question.name: known.get(question.name, question.usual) for question in QUESTIONS},
        problems=problems,
        plan=plan,
        env=as_text(plan.settings) if plan else "",
        megabytes=megabytes,
        kept=kept,
        here=here,
    )
    return Response(shown, 400 if problems else 200)


@blueprint.post("/plan/probe")
def probe() -> Response:
    """Measures this machine and shows each step once it is done. 429 while one runs, and for a minute after it."""
    data_dir = runtime.current().settings.data_dir
    try:
        turn = Turn(data_dir)
    except NotNow as reason:
        problem = [{"problem": str(reason)}]
        return Response(render_template("plan_probe.html", events=problem, back=url_for("plan.page")), 429)
    shown = current_app.jinja_env.get_template("plan_probe.html")
    answer = Response(shown.generate(events=_events(data_dir, turn), back=url_for("plan.page")), mimetype="text/html")
    answer.call_on_close(turn.end)
    return answer


def kept_probe(data_dir: Path) -> Measured | None:
    """What the last probe from this page found, None without one or when it cannot be read."""
    try:
        return Measured.from_json(json.loads((data_dir / _KEPT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


@dataclass
class Turn:
    """The right to probe, for one at a time on this machine. Raises NotNow."""

    data_dir: Path

    def __post_init__(self) -> None:
        path = self.data_dir / _TURN
        path.parent.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[str] | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._file: IO[str] | None = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise NotNow("A probe is running already. Try again in a minute.") from None
        self._file.seek(0)
        left = _pause_left(self._file.read())
        if left > 0:
            self._file.close()
            raise NotNow(f"This machine was measured just now. Try again in {left} seconds.")

    def run(self, *command: str) -> Iterator[str]:
        """The lines of a command's output. It is killed when the turn ends, or after five minutes."""
        pipe = subprocess.PIPE
        self._folder = TemporaryDirectory(prefix="jicho-probe-")  # ours, since who is killed cannot tidy up
        environment = os.environ | {"TMPDIR": self._folder.name}
        self._process = subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        limit = threading.Timer(_PATIENCE_S, self._kill)
        limit.daemon = True
        limit.start()
        assert self._process.stdout is not None
        try:
            yield from self._process.stdout
        finally:
            limit.cancel()

    def failure(self) -> str:
        """The end of what the command said about its failure, once its output has ended."""
        assert self._process is not None
        return self._process.communicate()[1][-1000:]

    def end(self) -> None:
        """Stops what is still running, and begins the pause. May be said twice."""
        if self._file is None:
            return
        if self._process is not None and self._process.poll() is None:
            self._kill()
            self._process.communicate()
        if self._folder is not None:
            self._folder.cleanup()
        self._file.truncate(0)
        self._file.write(str(time.time()))
        self._file.close()
        self._file = None

    def _kill(self) -> None:
        """With the process that reads with a model just then."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _pause_left(ended: str) -> int:
    """Whole seconds until the next probe may begin. A clock that was set back does not lengthen the pause."""
    try:
        passed = time.time() - float(ended)
    except ValueError:
        return 0
    return round(PAUSE_S - passed + 0.5) if 0 <= passed < PAUSE_S else 0


def _events(data_dir: Path, turn: Turn) -> Iterator[dict[str, Any]]:
    """Each step as `{"step", "found"}`, at last `{"done"}` or `{"problem"}`."""
    found: dict[str, Any] = {}
    for line in turn.run("nice", sys.executable, str(_APP), "plan", "--probe", "--json"):
        found = json.loads(line)
        if "step" in found:
            yield found
    if found.get("measured") is None:
        _LOG.error("probe failed", extra={"reason": turn.failure()})
        yield {"problem": "The probe broke off: this server's log says why."}
        return
    try:
        write_durably(data_dir / _KEPT, json.dumps(found["measured"]).encode())
    except OSError as error:
        yield {"problem": f"What was measured could not be kept: {error.strerror}."}
        return
    yield {"done": True}
