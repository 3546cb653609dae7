"""The planner: from what a site has to the stack that fits it, what that costs, and the `.env` to start with.

`answers` asks, `probe` measures instead, `stacks` and `recommend` decide, `estimate` counts, `environment` writes the
settings, `advice` and `render` say it. `figures.json` holds what was measured, each with the command that measured it.
"""
