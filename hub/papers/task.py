"""Loop: devices are told what changed of papers of one kind, a moment after it was committed.

1. It looks every second (one small row), and now and then at everything, for what changes without a mark: the time,
   settings, a renewed certificate.
2. What keeps devices from being told is said once when it begins and once when it ends; they go on with what they have.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial

from hub.db import Connection, Db, Fault
from hub.papers import store
from hub.papers.store import Contents, NoContent
from hub.signing import Signing

log = logging.getLogger(__name__)

# What devices are to know at a moment, by their numbers; in a reader's transaction. Raises NoContent, OSError.
ContentOf = Callable[[Connection, int], Contents]

_LOOK_EVERY_S = 1.0
_WHOLE_EVERY_S = 15.0
# While it cannot be done.
_AGAIN_S = 10.0


async def run(
    db: Db,
    signing: Signing,
    wake: Callable[[], None],
    kind: str,
    content_of: ContentOf,
    *,
    whole_every_s: float = _WHOLE_EVERY_S,
    again_s: float = _AGAIN_S,
) -> None:
    """Tells devices until cancelled; the database and the hub's folder may come and go."""
    fault, whole_s = "", -whole_every_s
    while True:
        whole = time.monotonic() - whole_s >= whole_every_s
        error = await _look(db, signing, wake, kind, content_of, whole=whole)
        if error is not None and error != fault:
            log.warning("papers of kind %s: %s", kind, error or "all can be sent again")
            fault = error
        if whole:
            whole_s = time.monotonic()
        await asyncio.sleep(again_s if error else _LOOK_EVERY_S)


async def _look(
    db: Db, signing: Signing, wake: Callable[[], None], kind: str, content_of: ContentOf, *, whole: bool
) -> str | None:
    """What keeps devices from being told; empty when all were, None when there was nothing to look at."""
    now_ms = time.time_ns() // 1_000_000
    try:
        if not whole and not await db.aread(lambda conn: store.is_due(conn, kind)):
            return None
        found = await db.aread(lambda conn: store.plan(conn, kind, content_of(conn, now_ms), now_ms))
        # Nothing is written while there is nothing to do.
        for part in store.parts(found) if found.papers or found.news else ():
            await db.write(partial(store.publish, signing=signing, found=part, now_ms=now_ms))
    except (NoContent, OSError) as error:
        why = str(error)
        with contextlib.suppress(Fault):
            await db.write(lambda conn: store.note_error(conn, kind, why))
        return why
    except Fault as error:
        return str(error)
    if found.papers:
        wake()
    return found.error
