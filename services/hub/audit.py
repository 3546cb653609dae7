"""Who did what at the hub: a log as a site's, chained by the hub's own keyring."""

from __future__ import annotations

from services.hub.tables import audit
from services.store.audit import Log
from services.store.keyring import hub_keys

LOG = Log(audit, hub_keys)
