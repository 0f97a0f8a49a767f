"""Loop: what nobody needs to press a button for.

1. A device that knows more than this hub remembers (the hub was put back from a backup) gets what it was ordered
   last in a new incarnation.
2. Where the calendar of national holidays in a device's document comes to its end, the same document is published
   again with a longer one.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

from hub import audit
from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.policy import calendar, store
from hub.signing import Signing

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 600.0
_GATHER_S = 1.0
_JAPAN = timezone(timedelta(hours=9))
_NAMES_SHOWN = 30


async def run(db: Db, live: Live, signing: Signing, wake: Callable[[], None]) -> None:
    """Looks when a device came or answered, and every few minutes, until cancelled."""
    heard, failing = asyncio.Event(), False

    def told(change: Change) -> None:
        if change.down:
            heard.set()

    live.watch(told)
    while True:
        heard.clear()
        now_ms = time.time_ns() // 1_000_000
        try:
            # Read first: nothing is written while there is nothing to do.
            if await db.aread(lambda conn: due(conn, now_ms)):  # noqa: B023 (awaited here)
                await db.write(lambda conn: publish_due(conn, signing, now_ms))  # noqa: B023
                wake()
        except Fault as fault:
            if not failing:
                log.warning("ordered settings cannot be looked after: %s", fault)
            failing = True
        else:
            failing = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await heard.wait()
        await asyncio.sleep(_GATHER_S)


def due(conn: Connection, now_ms: int) -> dict[int, str]:
    """Devices that need the same once more, and why: `ahead` or `calendar`."""
    today = datetime.fromtimestamp(now_ms / 1000, _JAPAN).date()
    found = dict.fromkeys(_calendars_that_end(conn, today), "calendar")
    return found | dict.fromkeys(store.ahead(conn, now_ms), "ahead")


def _calendars_that_end(conn: Connection, today: date) -> list[int]:
    return [
        device_id
        for device_id, one in store.ordered(conn).items()
        if calendar.ends_soon(one.document, _day(one.made_ms), today)
    ]


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, _JAPAN).date()


def publish_due(conn: Connection, signing: Signing, now_ms: int) -> None:
    """Publishes it."""
    found = due(conn, now_ms)
    ordered = store.ordered(conn, list(found))
    documents = {device_id: calendar.without_holidays(one.document) for device_id, one in ordered.items()}
    store.publish_many(conn, signing, documents, now_ms, audit.SYSTEM)
    names = dict(conn.execute("SELECT id, name FROM device"))
    for why in sorted(set(found.values())):
        some = sorted(names[device_id] for device_id in found if found[device_id] == why)
        listed = ", ".join(some[:_NAMES_SHOWN]) + (f" … ({len(some)})" if len(some) > _NAMES_SHOWN else "")
        log.info("ordered settings are published again (%s): %s", why, listed)
        audit.note(conn, now_ms, audit.SYSTEM, "policy_publish", why, listed)
