"""What an operator changed in the settings is in the log; no secret is."""

from __future__ import annotations

import json

from services.runtime import Runtime
from services.settings import Settings, load
from services.store import audit
from services.store.audit_settings import note_settings


def changed(site: Runtime, settings: Settings) -> dict[str, object]:
    with site.db.write() as tx:
        return note_settings(tx, settings)


def test_only_what_changed_is_logged_and_no_secret(site: Runtime) -> None:
    token, other = "t" * 30, "u" * 30
    first = load({"JICHO_AT_TOKEN": token, "JICHO_KEEP_DAYS": "60"})
    assert changed(site, first)["keep_days"] == 60
    assert changed(site, first) == {}
    second = load({"JICHO_AT_TOKEN": other, "JICHO_KEEP_DAYS": "90"})
    found = changed(site, second)
    assert found.keys() == {"keep_days", "at_token"}
    with site.db.read() as tx:
        entries = list(audit.entries(tx))
        assert isinstance(audit.verify(tx), audit.Head)
    assert len(entries) == 2
    assert json.loads(entries[1]["detail"])["keep_days"] == 90
    assert not [secret for secret in (token, other) if secret in str(entries)]
