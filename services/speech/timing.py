"""The telephone's rate, and the silences between what is said. Imports nothing: the gateway joins clips with these."""

from __future__ import annotations

RATE = 8_000
# Carriers cut the first moments of a prompt when a call is answered.
LEAD_S = 0.4
# Silence after a sentence, after a part of a long one, and between a recorded and a synthesised part of one sentence.
PAUSE_S, BREATH_S, JOINT_S = 0.25, 0.1, 0.03
