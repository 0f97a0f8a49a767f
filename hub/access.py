"""Who may do what: one table.  A page or call that names no need is refused when the hub starts (`app.py`)."""

from typing import Literal, get_args

Role = Literal["administrator", "clerk", "viewer"]
Need = Literal["own", "devices", "taps", "quarantine", "people", "audit", "tend"]

NEEDS: tuple[Need, ...] = get_args(Need)
ROLES: tuple[Role, ...] = get_args(Role)

# Who tends the devices, who closes the month, who only looks (an auditor).
_MAY: dict[Role, frozenset[Need]] = {
    "administrator": frozenset(NEEDS),
    "clerk": frozenset({"own", "devices", "taps"}),
    "viewer": frozenset({"own", "devices", "taps", "audit"}),
}


def may(role: str, need: Need) -> bool:
    """Whether a role covers a need; an unknown role covers nothing."""
    return any(role == known and need in needs for known, needs in _MAY.items())
