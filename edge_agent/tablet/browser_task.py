"""Loop: keeps Chromium's managed policies as they are ordered, and as the hour asks for.

The file is replaced whole; the browser looks at its folder by itself. One that somebody changed is written again.
"""

import asyncio
import contextlib
import json
import logging
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.settings import TabletSettings
from edge_agent.tablet.browser_policy import FILE, is_quiet, policies
from wire import whole_file

log = logging.getLogger(__name__)

_LOOK_S = 20.0
_MINUTE_MS, _DAY_MINUTES, _JAPAN_MINUTES = 60_000, 1440, 540
# Read by the browser, which is another user.
_READABLE = 0o644


async def run(settings: TabletSettings, clock: Clock, holder: Holder, *, look_s: float = _LOOK_S) -> None:
    """Keeps the file until cancelled; a folder that takes nothing is told once."""
    changed = asyncio.Event()
    holder.watch(lambda _: changed.set())
    fails = False
    while True:
        changed.clear()
        try:
            await asyncio.to_thread(keep, settings, clock, holder)
        except OSError as error:
            if not fails:
                log.warning("the browser's policies cannot be written: %s", error)
            fails = True
        else:
            if fails:
                log.info("the browser's policies are written again")
            fails = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await changed.wait()


def keep(settings: TabletSettings, clock: Clock, holder: Holder) -> None:
    """Writes the policies, where the file says something else. Blocking. Raises OSError."""
    stamp, now = clock.stamp(), holder.now
    minute = (stamp.at_ms // _MINUTE_MS + _JAPAN_MINUTES) % _DAY_MINUTES
    # A tablet that does not know the time keeps nobody from anything.
    quiet = stamp.clock != "unset" and is_quiet(now, minute)
    own = f"http://{settings.host}:{settings.port}" if ":" not in settings.host else f"http://[::1]:{settings.port}"
    wanted = json.dumps(policies(now, own, quiet=quiet), indent=1, sort_keys=True).encode() + b"\n"
    path = Path(settings.browser_policies) / FILE
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if found != wanted:
        whole_file.write(path, wanted, mode=_READABLE)
