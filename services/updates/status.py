"""What an operator asks about updates: what is in use, what is offered, and why it is not used."""

from __future__ import annotations

from typing import Any

from services.runtime import Runtime
from services.speech import fetched
from services.updates import installed, notes
from services.updates.installed import MODELS
from services.updates.places import chosen_name
from services.updates.trust import fingerprint, trusted_root
from voices import LANGUAGES, voice_for


def status(site: Runtime) -> dict[str, Any]:
    """`{"in_use": {subject: {"version", "from"}}, "offered": {subject: {"version", "state", "reason"}}, "problem",
    "root"}`; `from` is "shipped", "hub" or "site", `root` the fingerprint of what is trusted."""
    told, root = notes.read(site.settings.data_dir), trusted_root(site.settings.data_dir)
    models = {f"models/{path.parent.name}": _model(site, path.parent.name) for path in MODELS.glob("*/manifest.json")}
    voices = {f"voices/{language}": _voice(site, language) for language in LANGUAGES}
    return {
        "in_use": dict(sorted(models.items())) | voices,
        "offered": told["releases"],
        "problem": told["problem"],
        "root": fingerprint(root) if root else None,
    }


def _model(site: Runtime, programme: str) -> dict[str, str]:
    best = installed.folders(site.settings.models_dir, programme, MODELS)[0]
    if best == MODELS:
        return {"version": installed.shipped_version(MODELS, programme), "from": "shipped"}
    return {"version": best.name, "from": "hub"}


def _voice(site: Runtime, language: str) -> dict[str, str]:
    name = chosen_name(site.settings.voices_dir, language)
    own = {"version": voice_for(language).package, "from": "shipped"}
    if not name.startswith(fetched.FETCHED):
        return {"version": name, "from": "site"} if name else own
    choice = fetched.serving(site.settings.voices_dir, language, name)
    return {"version": choice.name.rpartition("-")[2], "from": "hub"} if choice else own
