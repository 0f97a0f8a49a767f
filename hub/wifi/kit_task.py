"""Loop: access points are told what changed of terms, vouchers, certificates and keys, a moment after it was committed.

1. It looks every second (one small row), and when a device came or answered; once a minute at everything, for what
   changes without a mark: places, contacts, the day, the portal's certificate.
2. Keys of days are made ahead and destroyed in time, also while nothing else can be done.
3. What keeps access points from being told is said once when it begins and once when it ends; they go on with what
   they have.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from hub import shown
from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.settings import Settings
from hub.signing import Signing
from hub.wifi import certificate, keys, kit_store
from hub.wifi.keys import BadKey
from hub.wifi.kit import Files
from wire.ca_folder import BadFolder

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_WHOLE_EVERY_S = 60.0
# While it cannot be done.
_AGAIN_S = 10.0


async def run(settings: Settings, db: Db, live: Live, signing: Signing, wake: Callable[[], None]) -> None:
    """Tells access points until cancelled; the database and the folders may come and go."""
    heard, fault, whole_s = asyncio.Event(), "", -_WHOLE_EVERY_S

    def told(change: Change) -> None:
        if change.down:
            heard.set()

    live.watch(told)
    while True:
        heard.clear()
        whole = time.monotonic() - whole_s >= _WHOLE_EVERY_S
        error = await _look(settings, db, signing, wake, whole=whole)
        if error is not None and error != fault:
            log.warning("access points: %s", error or "kits can be sent again")
            fault = error
        if whole:
            whole_s = time.monotonic()
        if error:
            await asyncio.sleep(_AGAIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await heard.wait()


async def _look(settings: Settings, db: Db, signing: Signing, wake: Callable[[], None], *, whole: bool) -> str | None:
    """What keeps access points from being told; empty when they were, None when there was nothing to tell."""
    now_ms = time.time_ns() // 1_000_000
    try:
        if whole:
            await asyncio.to_thread(_destroy_old, settings, now_ms)
        elif not await db.aread(lambda conn: kit_store.is_due(conn, now_ms)):
            return None
        if not await db.aread(lambda conn: kit_store.has_receivers(conn, now_ms)):
            return None
        files = await asyncio.to_thread(read_files, settings, now_ms)
        found = await db.aread(lambda conn: kit_store.plan(conn, signing, files, now_ms))
        if found.error == await db.aread(kit_store.error) and (found.is_empty or found.error):
            return found.error

        def publish(conn: Connection) -> tuple[str, ...]:
            return kit_store.publish(conn, signing, found, now_ms)

        if await db.write(publish):
            wake()
        return await db.aread(kit_store.error)
    except (BadKey, BadFolder, OSError) as error:
        why = str(error)
        with contextlib.suppress(Fault):
            await db.write(partial(kit_store.note_error, error=why))
        return why
    except Fault as error:
        return str(error)


def today_of(now_ms: int) -> date:
    """The day in Japan."""
    return shown.moment(now_ms).date()


def _destroy_old(settings: Settings, now_ms: int) -> None:
    keys.destroy_day_keys(keys.folder_of(Path(settings.state_dir)), keys.last_kept(today_of(now_ms)))


def read_files(settings: Settings, now_ms: int) -> Files:
    """What comes from the hub's folder; keys and a certificate that are not there yet are made. Raises BadKey,
    BadFolder, OSError."""
    folder, today = keys.folder_of(Path(settings.state_dir)), today_of(now_ms)
    portal = certificate.keep(folder, settings.ca, settings.wifi.portal_host, now_ms)
    yesterday = keys.day_key(folder, today - timedelta(days=1))
    voucher_key = keys.voucher_key(folder)
    return Files(
        portal_host=portal.host,
        chain=portal.chain,
        key=portal.key,
        voucher_key=voucher_key,
        voucher_check=keys.check(voucher_key),
        # Who came before midnight is still recognised after it.
        day_keys=((yesterday,) if yesterday else ()) + keys.day_keys(folder, today),
        sealing_key=keys.sealing_key(folder, f"{today:%Y-%m}"),
        radius_secret=keys.radius_secret(folder),
    )
