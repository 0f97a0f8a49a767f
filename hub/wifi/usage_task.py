"""Loop: devices of a day are counted while their pseudonyms are there.

Every ten minutes those of the last days; once a day, and at the start, all whose pseudonyms are still kept.
"""

import asyncio
import logging
import time

from hub.db import Db, Fault
from hub.wifi import usage_store

log = logging.getLogger(__name__)

_EVERY_S = 600.0
_DAY_MS = 86_400_000
_LATELY_MS = 3 * _DAY_MS


async def run(db: Db) -> None:
    """Counts until cancelled; what cannot be written now is counted the next time."""
    whole_ms, failing = 0, False
    while True:
        now_ms = time.time_ns() // 1_000_000
        whole = now_ms - whole_ms >= _DAY_MS
        try:
            await count(db, 0 if whole else now_ms - _LATELY_MS)
        except Fault as fault:
            if not failing:
                log.warning("devices of the Wi-Fi are not counted: %s", fault)
            failing = True
        else:
            whole_ms, failing = now_ms if whole else whole_ms, False
        await asyncio.sleep(_EVERY_S)


async def count(db: Db, from_ms: int) -> None:
    """Counts the devices of sessions that began since then. Raises Fault."""
    found = await db.aread(lambda conn: usage_store.uncounted(conn, from_ms))
    if found:
        await db.write(lambda conn: usage_store.count(conn, found))
