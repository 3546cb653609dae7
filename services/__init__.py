"""Jicho's services."""

from datetime import date

VERSION = "0.4.0"
RELEASED = date(2026, 11, 26)
"""The day of this version: a clock that is before it is wrong."""
