"""Rule: when a button counts as pressed: held down for five seconds, and let go before it counts again."""

import struct
from typing import NamedTuple

HELD_MS = 5_000
# `struct input_event` (linux/input.h): two longs of time, type, code, value.
EVENT = struct.Struct("@llHHi")
_EV_KEY = 0x01
_UP, _DOWN = 0, 1


class Held(NamedTuple):
    """Since when it is down (monotonic ms; None: it is up), and whether that has counted already."""

    since_ms: int | None = None
    counted: bool = False


class Short(NamedTuple):
    """It was let go too early, after so long."""

    held_ms: int


class Press(NamedTuple):
    """It was held long enough."""

    held_ms: int


def moved(held: Held, *, down: bool, now_ms: int) -> tuple[Held, Short | None]:
    """The button is seen up or down."""
    if down:
        return (held, None) if held.since_ms is not None else (Held(now_ms), None)
    if held.since_ms is None or held.counted:
        return Held(), None
    return Held(), Short(now_ms - held.since_ms)


def passed(held: Held, now_ms: int) -> tuple[Held, Press | None]:
    """Time passes while it is as it was."""
    if held.since_ms is None or held.counted or now_ms - held.since_ms < HELD_MS:
        return held, None
    return Held(held.since_ms, counted=True), Press(now_ms - held.since_ms)


def keys_in(data: bytes) -> list[bool]:
    """What the events of an input device say of its keys, in order: down or up. Repeats say nothing new."""
    whole = len(data) - len(data) % EVENT.size
    events = EVENT.iter_unpack(data[:whole])
    return [value == _DOWN for _, _, kind, _, value in events if kind == _EV_KEY and value in (_UP, _DOWN)]
