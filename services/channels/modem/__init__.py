"""A modem with a SIM on this machine, through gammu: SMS in and out without the internet."""
