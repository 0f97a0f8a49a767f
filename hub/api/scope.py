"""What a token may be for, and what its maker's role must cover for that (rule)."""

from typing import Literal, get_args

from hub.access import Need, may

Scope = Literal[
    "devices:read",
    "inventory:write",
    "punches:read",
    "alerts:read",
    "alerts:write",
    "orders:read",
    "orders:write",
    "policy:read",
    "policy:write",
    "rollouts:read",
    "rollouts:write",
    "rollouts:approve",
    "enrolment:read",
    "enrolment:write",
    "people:read",
    "audit:read",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

NEED_OF: dict[Scope, Need] = {
    "devices:read": "devices",
    "inventory:write": "inventory",
    "punches:read": "taps",
    "alerts:read": "devices",
    "alerts:write": "tend",
    "orders:read": "order",
    "orders:write": "order",
    "policy:read": "configure",
    "policy:write": "configure",
    "rollouts:read": "devices",
    "rollouts:write": "configure",
    "rollouts:approve": "approve",
    "enrolment:read": "enrol",
    "enrolment:write": "enrol",
    "people:read": "people",
    "audit:read": "audit",
}


def within(role: str) -> tuple[Scope, ...]:
    """The scopes that somebody of this role can give away: a token never may more than its maker."""
    return tuple(scope for scope in SCOPES if may(role, NEED_OF[scope]))
