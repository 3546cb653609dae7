"""An SMPP 3.4 carrier: one link, bound as transceiver, for SMS in both directions and delivery reports."""
