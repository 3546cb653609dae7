"""Jicho's services."""

VERSION = "0.1.0"
