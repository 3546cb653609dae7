"""The stand-in carrier: Africa's Talking, Meta's Cloud API, an MMSC and a Twilio-shaped provider on one port.

It speaks their wire protocols in both directions, so that the genuine SDK and the gateway's own code run unchanged on a
laptop without an account. `/phone` is a feature phone and a smartphone to try it with.
"""

from services.channels.simulator.application import create_simulator
from services.channels.simulator.state import SimulatorConfig

__all__ = ["SimulatorConfig", "create_simulator"]
