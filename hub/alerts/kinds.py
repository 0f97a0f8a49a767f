"""What an alert can be about: how grave, whether it breaks the quiet, how long it must last to begin (rule).

| column | says |
|---|---|
| word | `fault` ■ something does not work or was lost; `warning` ▲ it soon may not |
| tells | `at_once` urgent, also in the town's closing hours; `in_hours` while it is open |
| after | how long it must be so without a break before it is an alert |
| path | where its one button leads; `{device}` is the device's name |
"""

from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "offline",
    "place_offline",
    "town_offline",
    "broker",
    "broker_rules",
    "spool_full",
    "spool_broken",
    "reader",
    "alarm",
    "lost",
    "disk",
    "undervoltage",
    "hot",
    "throttled",
    "clock",
    "backlog",
    "process",
    "restarting",
    "unreadable",
    "unreadable_messages",
    "drift",
    "unapplied",
    "clone",
    "stolen_seen",
    "rollout",
    "certificate",
    "town_certificate",
    "crl",
    "backup",
    "hub_disk",
    "requests",
    "month_open",
    "card_refused",
    "roster",
    "access_point",
    "kit",
    "portal_certificate",
    "help",
    "paper",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

MINUTE_MS = 60_000
_DEVICE = "/devices/{device}"


class Nature(NamedTuple):
    """What is so of every alert of a kind."""

    word: Literal["fault", "warning"]
    tells: Literal["at_once", "in_hours"]
    after_ms: int
    path: str

    @property
    def urgent(self) -> bool:
        """Whether it breaks the quiet."""
        return self.tells == "at_once"


# In the order in which they are shown: the gravest first.
NATURE: dict[Kind, Nature] = {
    "broker": Nature("fault", "in_hours", MINUTE_MS, "/alerts?kind=broker"),
    "broker_rules": Nature("fault", "at_once", 0, "/settings/identity"),
    "town_offline": Nature("fault", "in_hours", MINUTE_MS, "/devices?condition=offline"),
    "crl": Nature("fault", "at_once", 0, "/settings/identity"),
    "clone": Nature("fault", "at_once", 0, "/settings/clones"),
    "stolen_seen": Nature("fault", "at_once", 0, _DEVICE),
    "spool_full": Nature("fault", "at_once", 0, _DEVICE),
    "hub_disk": Nature("fault", "at_once", MINUTE_MS, "/settings"),
    "place_offline": Nature("fault", "in_hours", MINUTE_MS, "/devices?condition=offline"),
    "reader": Nature("fault", "in_hours", MINUTE_MS, _DEVICE),
    "lost": Nature("fault", "in_hours", 0, _DEVICE),
    "spool_broken": Nature("fault", "in_hours", 0, _DEVICE),
    "offline": Nature("fault", "in_hours", MINUTE_MS, _DEVICE),
    "process": Nature("fault", "in_hours", 2 * MINUTE_MS, _DEVICE),
    "disk": Nature("fault", "in_hours", MINUTE_MS, _DEVICE),
    "access_point": Nature("fault", "in_hours", 2 * MINUTE_MS, "/wifi/points/{device}"),
    "alarm": Nature("fault", "in_hours", 0, _DEVICE),
    "rollout": Nature("fault", "in_hours", 0, "/rollouts/{subject}"),
    "town_certificate": Nature("fault", "in_hours", 0, "/settings/identity"),
    "certificate": Nature("warning", "in_hours", 0, _DEVICE),
    "unreadable": Nature("warning", "in_hours", 0, "/settings/quarantine"),
    "unreadable_messages": Nature("warning", "in_hours", 0, "/settings/quarantine"),
    "restarting": Nature("warning", "in_hours", 10 * MINUTE_MS, _DEVICE),
    "undervoltage": Nature("warning", "in_hours", MINUTE_MS, _DEVICE),
    "hot": Nature("warning", "in_hours", 3 * MINUTE_MS, _DEVICE),
    "throttled": Nature("warning", "in_hours", 10 * MINUTE_MS, _DEVICE),
    "clock": Nature("warning", "in_hours", 15 * MINUTE_MS, _DEVICE),
    "backlog": Nature("warning", "in_hours", 10 * MINUTE_MS, _DEVICE),
    "drift": Nature("warning", "in_hours", 5 * MINUTE_MS, _DEVICE),
    "unapplied": Nature("warning", "in_hours", 0, _DEVICE),
    "backup": Nature("warning", "in_hours", 0, "/settings"),
    "requests": Nature("warning", "in_hours", 0, "/attendance/requests"),
    "month_open": Nature("warning", "in_hours", 0, "/attendance/open"),
    "card_refused": Nature("warning", "in_hours", 0, "/taps?device={device}"),
    "roster": Nature("fault", "in_hours", MINUTE_MS, "/staff/cards"),
    "kit": Nature("fault", "in_hours", MINUTE_MS, "/wifi/terms"),
    "portal_certificate": Nature("fault", "in_hours", 0, "/wifi/terms"),
    "help": Nature("warning", "in_hours", 0, "/tablets"),
    "paper": Nature("fault", "in_hours", MINUTE_MS, "/tablets"),
}
ORDER: dict[str, int] = {kind: place for place, kind in enumerate(NATURE)}
# What only shows that a device or a place was not heard: nothing is known of it while the hub itself hears nobody.
ABSENCE: frozenset[Kind] = frozenset({"offline", "place_offline", "town_offline"})
