"""What every table of the site's store belongs to."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import NAMING

METADATA = sa.MetaData(naming_convention=NAMING, info={"keys": "site"})
