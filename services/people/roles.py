"""What an account may be. Who runs a site sees no patient by it, and who sees patients does not run the site; in a
small clinic one account has several roles, and may do what any of them may."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["nurse", "reviewer", "operator", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
CLINICAL: frozenset[Role] = frozenset({"nurse", "reviewer"})
"""Those who see patients."""
RUNNING: frozenset[Role] = frozenset({"operator", "administrator"})
"""Those who keep the site running."""
EVERYBODY: frozenset[Role] = frozenset(ROLES)
