"""Who may do what: one table.  A page or call that names no need is refused when the hub starts (`app.py`)."""

from typing import Literal, get_args

Role = Literal["administrator", "it", "clerk", "approver", "finance", "support", "auditor", "staff"]
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
    "staff",
    "my_time",
    "attendance",
    "attend",
    "approve_time",
    "close",
    "profile",
    "payroll",
    "wifi",
    "vouchers",
    "wifi_rules",
    "disaster",
    "inquiry",
    "tablets",
    "content",
    "waivers",
    "apply",
    "decide",
    "bills",
    "waiver_rules",
    "benefits",
]

NEEDS: tuple[Need, ...] = get_args(Need)
ROLES: tuple[Role, ...] = get_args(Role)

# own: one's own account; devices, taps, audit: to look; tend: faults that were seen to; inventory: things and loans;
# enrol: identities, also to take them away; order: commands; configure: ordered settings and roll-outs;
# approve: another person's roll-out; alerts: who is told; tokens: the keys of the HTTP API;
# staff: who works here, and their cards; my_time: one's own hours and requests; attendance: everybody's hours, to look;
# attend: to enter for others; approve_time: others' requests; close: the month; profile: the rules' values;
# payroll: files for the payroll; wifi: access points and what they are used for, to look; vouchers: to make and print;
# wifi_rules: terms, retention, other makers' access points; disaster: to ask for the disaster network, or to confirm
# another person's; inquiry: to enter a lawful inquiry, or to decide on another person's.
# tablets: lent tablets and who asks for help, to look and to see to; content: what they show; waivers: residents,
# lines, the month, statements and reports, to look; apply: registers and applications, to enter; decide: on another
# person's application; bills: the carrier's bill, receipts, the month's closing; waiver_rules: tariffs, rules, layouts;
# benefits: grants and cards.
# What the IT officer, who keeps the machines, has no part in: people and their hours.
_OF_PEOPLE: set[Need] = {
    "people",
    "attendance",
    "attend",
    "approve_time",
    "close",
    "profile",
    "payroll",
    "inquiry",
    "waivers",
    "apply",
    "decide",
    "bills",
    "waiver_rules",
    "benefits",
}
_MAY: dict[Role, frozenset[Need]] = {
    "administrator": frozenset(NEEDS),
    "it": frozenset(set(NEEDS) - _OF_PEOPLE),
    "clerk": frozenset(
        {
            "own",
            "devices",
            "taps",
            "staff",
            "my_time",
            "attendance",
            "attend",
            "close",
            "profile",
            "payroll",
            "wifi",
            "vouchers",
            "inquiry",
            "tablets",
            "content",
            "waivers",
            "apply",
            "benefits",
        }
    ),
    "approver": frozenset(
        {
            "own",
            "devices",
            "taps",
            "approve",
            "my_time",
            "attendance",
            "approve_time",
            "wifi",
            "disaster",
            "inquiry",
            "waivers",
            "decide",
        }
    ),
    "finance": frozenset({"own", "devices", "my_time", "payroll", "waivers", "bills", "waiver_rules"}),
    "support": frozenset({"own", "devices", "inventory", "my_time", "wifi", "vouchers", "tablets", "content"}),
    "auditor": frozenset({"own", "devices", "taps", "audit", "my_time", "attendance", "wifi", "waivers"}),
    "staff": frozenset({"own", "my_time"}),
}


# Whoever can change the fleet, or who may, shows a second factor (OWASP ASVS 5, 6.3.3).
_SHOWS_CODE: frozenset[Role] = frozenset({"administrator", "it"})


def needs_code(role: str) -> bool:
    """Whether the role signs in with a second factor only."""
    return role in _SHOWS_CODE


def may(role: str, need: Need) -> bool:
    """Whether a role covers a need; an unknown role covers nothing."""
    return any(role == known and need in needs for known, needs in _MAY.items())
