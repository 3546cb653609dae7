"""Golden transcripts as scenes: what people do with each flow, on every channel that it is offered on.

A scene is written once, in keys; each channel answers a choice in its own way. `scene("patient", "risk")` says whose
flow it shows, and that it is played on all four channels.
"""

from scenes import beginnings, calls, data, lists, moving, opening, photographs, results, risk, visits  # noqa: F401
from scenes.stage import SCENES as SCENES
from scenes.stage import Stage as Stage
