"""Rule: how busy the channel is, from two of the radio's own counts (`iw dev … survey dump`)."""

import re

import msgspec


class Survey(msgspec.Struct, frozen=True):
    """Since the radio began, in ms: how long it listened, and how much of that the channel was busy."""

    active_ms: int
    busy_ms: int


def survey(text: str) -> Survey | None:
    """The counts of the channel in use; None where the radio does not tell."""
    for part in text.split("Survey data from ")[1:]:
        if "[in use]" in part:
            active, busy = (re.search(rf"channel {what} time:\s*(\d{{1,18}}) ms", part) for what in ("active", "busy"))
            return Survey(int(active[1]), int(busy[1])) if active and busy else None
    return None


def permille(before: Survey | None, after: Survey | None) -> int | None:
    """Of the time between the two; None where they do not follow one another."""
    if before is None or after is None or after.active_ms <= before.active_ms or after.busy_ms < before.busy_ms:
        return None
    return min(1000, (after.busy_ms - before.busy_ms) * 1000 // (after.active_ms - before.active_ms))
