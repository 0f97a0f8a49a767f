"""Two devices with one identity (a copied card), and records of two lives under one number (rule).

1. Each start of an agent draws a random `run`; an agent of another make that tells none is known by its boot.
2. A device has one agent at a time, so a run that was followed by another is over. One that connects anew after that
   is a second device: no reboot, power cut, bad network, restart of the hub or restored backup makes a run return.
3. What the broker tells twice is no return: its connection has been heard. A run counts its connections upwards.
4. A number of a lane belongs to one boot for ever. The same number from another boot is another record: a disk that
   was put back from a copy, or a second device that has not been found out yet. It is kept apart, never dropped.
5. Limits: a machine whose memory was put back (a snapshot of a virtual one) is a second device to this rule. Two copies
   of which one is never connected are not seen, nor is a run that 16 others have followed. What a lane's last 16 boots
   have sent is known, older is not.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

from wire.messages import Presence, Record

# More starts of an agent than this within what a broker may tell twice (some hundred messages) are no device's.
RUNS_KEPT = 16
BOOTS_KEPT = 16
_first = itemgetter(0)
_BOOT = "boot "


class Run(NamedTuple):
    """One start of an agent, and the newest connection that was heard of it."""

    name: str
    connection: int


class Stretch(NamedTuple):
    """From this seq on, a lane's records are of this boot."""

    first_seq: int
    boot: str


def run_of(presence: Presence) -> Run:
    """Whose presence it is."""
    return Run(presence.run or _BOOT + presence.boot, presence.connection)


def addressed(runs: Sequence[Run]) -> str:
    """Which run an answer is for; empty when that cannot be told to it."""
    return runs[-1].name if runs and not runs[-1].name.startswith(_BOOT) else ""


def hear(runs: tuple[Run, ...], heard: Run) -> tuple[tuple[Run, ...], bool]:
    """The runs of a device after a presence, newest last, and whether there are two of it."""
    known = next((run for run in runs if run.name == heard.name), None)
    if known is None:
        return (*runs, heard)[-RUNS_KEPT:], False
    if heard.connection <= known.connection:
        return runs, False
    if known is runs[-1]:
        return (*runs[:-1], heard), False
    return (heard,), True


def strangers(stretches: Sequence[Stretch], records: Iterable[Record], through: int) -> list[Record]:
    """Records that bear a number which the lane has from another boot."""
    found = []
    for record in records:
        if record.seq > through:
            break
        place = bisect_right(stretches, record.seq, key=_first)
        if place and stretches[place - 1].boot != record.boot:
            found.append(record)
    return found


def follow(last: str, records: Sequence[Record]) -> list[Stretch]:
    """The stretches that begin in new records of a lane whose last boot is `last`."""
    if records[0].boot == last and records[-1].boot == last:
        # One boot from end to end: it cannot have been another in between.
        return []
    found = []
    for record in records:
        if record.boot != last:
            last = record.boot
            found.append(Stretch(record.seq, last))
    return found


def spool_of(spool: str, run: str, boot: str) -> str:
    """The name under which kept records are taken in: always the same, so that they count once."""
    return sha256(f"{spool} {run} {boot}".encode()).hexdigest()[:16]
