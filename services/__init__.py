"""Jicho's services."""

VERSION = "0.3.0"
