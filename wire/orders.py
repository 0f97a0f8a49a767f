"""What may be ordered of a device: a fixed list, the same on both sides.

1. A name that is not in the list is refused, and so is an argument that is not the order's: it is done whole or not.
2. Each is good for so long; after that it is never carried out.
3. What cannot be undone is asked once (`asks`), in words that say what will happen.
"""

from typing import Annotated, Any, Literal, get_args

import msgspec

OrderName = Literal[
    "ping",
    "identify",
    "wifi_scan",
    "diagnostics",
    "restart",
    "reboot",
    "lock",
    "unlock",
    "wipe",
    "wifi_end",
    "disaster",
]
DeviceKind = Literal["terminal", "tablet", "access_point"]

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_EVERY: frozenset[DeviceKind] = frozenset(get_args(DeviceKind))

# A bundle of diagnostics: at most so many parts of so many bytes each (a record's body holds 14,000 in base64).
PART_BYTES = 10_500
BUNDLE_PARTS = 200
BUNDLE_BYTES = PART_BYTES * BUNDLE_PARTS
# What a refusal or failure may say, before a colon and its particulars; both sides know these words.
Reason = Literal[
    "signature",
    "no_key",
    "unknown_order",
    "not_for_this_kind",
    "arguments",
    "clock_unset",
    "used_before",
    "too_many",
    "disk",
    "interrupted",
    "too_long",
    "no_supervisor",
    "no_such_process",
    "not_running_again",
    "no_reboot_here",
    "still_up",
    "no_wifi",
    "nothing_to_show",
    "no_screen",
    "not_whole",
    "no_guests",
    "no_such_session",
    "disaster_runs",
    "fault",
]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order without particulars."""


class Restart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which process of the device's own group; the agent itself may be it."""

    process: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z", max_length=64)]


class Identify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long it shows itself."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] = 15


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom whoever finds it may call; empty for what the device's own settings say."""

    contact: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Wipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether unsent records are given up. Also locks it: what is wiped must be enrolled anew."""

    at_once: bool = False


class WifiEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which session of guests or staff is ended."""

    session: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z", max_length=32)]


class Disaster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The disaster network (00000JAPAN): begun for so many minutes, ended, or tried without changing anything on air.

    `run` names the decision at the hub, or `standing` for the order that was signed in advance.  `until_ms` is when it
    is over at the hub (UTC; 0: not said): an access point that hears of it late does not run on after the others.
    """

    action: Literal["begin", "end", "drill"]
    run: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z", max_length=40)]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=43_200)] = 1440
    until_ms: Annotated[int, msgspec.Meta(ge=0)] = 0


class Verb(msgspec.Struct, frozen=True):
    """One thing that may be ordered.

    `despite_clock`: carried out by a device that does not know what time it is, and so cannot tell whether it is too
    late.  That holds for what harms nothing when late, and for what must not be escaped by taking out a battery.
    `shared`: many at once may be told to.  `page`: given on a page of its own, not on that of orders.
    """

    name: OrderName
    good_for_ms: int
    arguments: type[msgspec.Struct] = Nothing
    asks: bool = False
    despite_clock: bool = False
    shared: bool = True
    page: bool = False
    kinds: frozenset[DeviceKind] = _EVERY


_SCREENS: frozenset[DeviceKind] = frozenset({"terminal", "tablet"})
_ON_AIR: frozenset[DeviceKind] = frozenset({"access_point"})
# How long the order in a kit is good for; a new kit brings a new one long before.
STANDING_MS = 400 * _DAY_MS

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("ping", 2 * _MINUTE_MS, despite_clock=True),
        Verb("identify", 2 * _MINUTE_MS, Identify, despite_clock=True),
        Verb("wifi_scan", 5 * _MINUTE_MS, despite_clock=True),
        Verb("diagnostics", _HOUR_MS, despite_clock=True),
        Verb("restart", 5 * _MINUTE_MS, Restart),
        Verb("reboot", 5 * _MINUTE_MS, asks=True),
        Verb("lock", 30 * _DAY_MS, Lock, asks=True, despite_clock=True, kinds=_SCREENS),
        Verb("unlock", 30 * _DAY_MS, kinds=_SCREENS),
        Verb("wipe", 365 * _DAY_MS, Wipe, asks=True, despite_clock=True, shared=False),
        Verb("wifi_end", 5 * _MINUTE_MS, WifiEnd, asks=True, shared=False, page=True, kinds=_ON_AIR),
        Verb("disaster", _DAY_MS, Disaster, asks=True, despite_clock=True, page=True, kinds=_ON_AIR),
    )
}


def read_arguments(verb: Verb, plain: dict[str, Any]) -> msgspec.Struct | None:
    """An order's arguments as their type; None when they are not this order's."""
    try:
        found: msgspec.Struct = msgspec.convert(plain, verb.arguments)
    except msgspec.ValidationError:
        return None
    return found
