"""The console's list of what people hear and read, each translation with how far it is: most are drafts."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, abort, render_template, request

from flows.catalogue import LANGUAGES, text
from flows.translation.check import SOURCE
from flows.translation.review import STATES, review_states

blueprint = Blueprint("messages", __name__, url_prefix="/console")

_TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE)


@blueprint.get("/messages")
def page() -> str:
    """Every message of one `language`, or only those in one `state`. 404 for another language or state."""
    language = request.args.get("language", _TRANSLATED[0])
    state = request.args.get("state", "")
    if language not in _TRANSLATED or state not in ("", *STATES):
        abort(404)
    found = review_states([language])
    return render_template(
        "console/messages.html",
        translated={each: text(SOURCE, f"language-{each}") for each in _TRANSLATED},
        shown=language,
        state=state,
        counted=Counter(each.state for each in found),
        states=STATES,
        listed=[each for each in found if state in ("", each.state)],
    )
