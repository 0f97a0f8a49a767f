"""The cursor rule (wire design, "The promise" 2 and 3): what of a batch is new, and whether it joins.

1. The cursor of (device, spool, lane) is the seq through which the hub has everything.
2. A batch whose `after` is not beyond the cursor joins: its records past the cursor are new.
3. One whose `after` is beyond it does not join, and nothing of it is taken.
4. `missing` counts what lay between `after` and the first record.  Where the cursor has come further than `after`
   meanwhile, at most as many are missing as there are seqs between the cursor and that record.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from wire.codec import Oddity, Received
from wire.messages import Record

_seq = attrgetter("seq")


class Taken(NamedTuple):
    """What a batch adds: new records and oddities, the cursor after it, and how many it says are missing."""

    records: Sequence[Record]
    oddities: Sequence[Oddity]
    through: int
    missing: int


def take(cursor: int, received: Received) -> Taken | None:
    """What is new in a batch, or None when it does not join."""
    batch = received.batch
    if batch.after > cursor:
        return None
    records, oddities = batch.records, received.oddities
    first = records[0].seq if records else 0
    if oddities and (not first or oddities[0].seq < first):
        first = oddities[0].seq
    if first <= cursor:
        # A repeat, at least in part: what it says is missing was counted when its first record was new.
        records = records[bisect_right(records, cursor, key=_seq) :]
        oddities = oddities[bisect_right(oddities, cursor, key=_seq) :]
        return Taken(records, oddities, max(cursor, received.through), 0)
    return Taken(records, oddities, received.through, min(batch.missing, first - cursor - 1))
