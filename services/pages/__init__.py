"""What the pages of the hub and of a site's console have in common: words, charts, style. Knows neither store."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).with_name("static")
