"""Loop: guests whose e-mail address is to be confirmed are mailed their code, as soon as their consent is here.

1. It looks when something was heard, and every few seconds; nothing that is taken in waits for it.
2. A consent is marked as mailed once the mail server has taken the letter; until then it is tried again, for as long as
   the code counts (10 minutes).  So after a crash the same code may come twice.
3. An address is in memory while its letter goes, and nowhere else; no log names it.
4. That letters cannot be sent is said once when it begins and once when it ends; `failure` is the word for it.
5. Letters that an access point may cause are bounded: nobody floods mailboxes through a stolen one.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.wifi import consent_store, keys
from hub.wifi.confirm_letter import COUNTS_MS, Letter, letter
from hub.wifi.consent_store import Due

log = logging.getLogger(__name__)

# What sends letters: for each what went wrong, in a word, or nothing.
Send = Callable[[Sequence[Letter]], Awaitable[Sequence[str]]]

_EVERY_S = 5.0
# While letters do not go.
_AGAIN_S = 30.0
_AT_ONCE = 20
_EACH_DEVICE, _WITHIN_MS = 300, 3_600_000


class ConfirmMail:
    """One a hub. `run` as a task; `failure` for the pages: why codes do not go, empty when they do."""

    def __init__(self, db: Db, live: Live, folder: Path, send: Send) -> None:
        self._db, self._folder, self._send = db, folder, send
        self._heard = asyncio.Event()
        self._mailed: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=_EACH_DEVICE))
        self.failure = ""
        live.watch(self._told)

    def _told(self, change: Change) -> None:
        if change.down:
            self._heard.set()

    async def run(self) -> None:
        """Mails until cancelled; the database, the keys and the mail server may come and go."""
        while True:
            self._heard.clear()
            try:
                self._note(await self._look(_now_ms()))
            except Fault as fault:
                self._note(str(fault))
            except (keys.BadKey, OSError) as error:
                self._note(str(error))
            if self.failure:
                await asyncio.sleep(_AGAIN_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._heard.wait()

    def _note(self, failure: str | None) -> None:
        """Logged when it begins and when it ends; None: there was nothing to send."""
        if failure is None or failure == self.failure:
            return
        if failure:
            log.warning("guests are not mailed their codes: %s", failure)
        else:
            log.info("guests are mailed their codes again")
        self.failure = failure

    async def _look(self, now_ms: int) -> str | None:
        """What keeps letters from going; empty when they went, None when there was none."""
        failure: str | None = None
        while not failure and (due := await self._due(now_ms)):
            letters = await asyncio.to_thread(self._opened, due)
            failures = await self._send([written for _, written in letters]) if letters else []
            answers = {one.id: wrong for (one, _), wrong in zip(letters, failures, strict=True)}
            gone = [one for one in due if answers.get(one.id) == ""]
            # What cannot be opened, and a mailbox that is refused: that guest's own trouble, who may type another.
            lost = [one for one in due if answers.get(one.id, "receiver") == "receiver"]
            await self._db.write(partial(_mark, gone=gone, lost=lost, now_ms=_now_ms()))
            for one in gone:
                self._mailed[one.device_id].append(now_ms)
            if letters:
                failure = next((wrong for wrong in failures if wrong and wrong != "receiver"), "")
        return failure

    async def _due(self, now_ms: int) -> list[Due]:
        full = [device_id for device_id in self._mailed if not self._may_mail(device_id, now_ms)]
        found: list[Due] = await self._db.aread(
            lambda conn: consent_store.due(conn, now_ms - COUNTS_MS, _AT_ONCE, full)
        )
        return found

    def _may_mail(self, device_id: int, now_ms: int) -> bool:
        mailed = self._mailed[device_id]
        return len(mailed) < _EACH_DEVICE or mailed[0] <= now_ms - _WITHIN_MS

    def _opened(self, due: Sequence[Due]) -> list[tuple[Due, Letter]]:
        """The letters of those that can be opened and written to."""
        found = []
        for one in due:
            opened = keys.open_contact(self._folder, one.contact_key, one.contact, one.session)
            written = letter(opened) if opened is not None else None
            if written is None:
                # Its key is destroyed, or another hub's.
                log.warning("a consent's contact cannot be written to; its guest gets no code")
            else:
                found.append((one, written))
        return found


def _mark(conn: Connection, gone: Sequence[Due], lost: Sequence[Due], now_ms: int) -> None:
    consent_store.mark_mailed(conn, gone, now_ms)
    consent_store.mark_mailed(conn, lost, 0)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
