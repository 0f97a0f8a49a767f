"""Who may do what: one table.  A page or call that names no need is refused when the hub starts (`app.py`)."""

from typing import Literal, get_args

Role = Literal["administrator", "it", "clerk", "approver", "finance", "support", "auditor"]
Need = Literal[
    "own",
    "devices",
    "taps",
    "quarantine",
    "people",
    "audit",
    "tend",
    "inventory",
    "enrol",
    "order",
    "configure",
    "approve",
    "alerts",
    "tokens",
]

NEEDS: tuple[Need, ...] = get_args(Need)
ROLES: tuple[Role, ...] = get_args(Role)

# own: one's own account; devices, taps, audit: to look; tend: faults that were seen to; inventory: things and loans;
# enrol: identities, also to take them away; order: commands; configure: ordered settings and roll-outs;
# approve: another person's roll-out; alerts: who is told; tokens: the keys of the HTTP API.
_MAY: dict[Role, frozenset[Need]] = {
    "administrator": frozenset(NEEDS),
    "it": frozenset(set(NEEDS) - {"people"}),
    "clerk": frozenset({"own", "devices", "taps"}),
    "approver": frozenset({"own", "devices", "taps", "approve"}),
    "finance": frozenset({"own", "devices"}),
    "support": frozenset({"own", "devices", "inventory"}),
    "auditor": frozenset({"own", "devices", "taps", "audit"}),
}


# Whoever can change the fleet, or who may, shows a second factor (OWASP ASVS 5, 6.3.3).
_SHOWS_CODE: frozenset[Role] = frozenset({"administrator", "it"})


def needs_code(role: str) -> bool:
    """Whether the role signs in with a second factor only."""
    return role in _SHOWS_CODE


def may(role: str, need: Need) -> bool:
    """Whether a role covers a need; an unknown role covers nothing."""
    return any(role == known and need in needs for known, needs in _MAY.items())
