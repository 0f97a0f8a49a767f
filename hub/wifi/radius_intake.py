"""Takes RADIUS accounting in: many at once in one transaction, and answers only when it is on disk (RFC 2866, 4.1).

1. A request waits until what was waiting with it is committed; while that is being written, the next ones gather.
2. Whose token it is is looked up in that same transaction: one that is withdrawn counts for nothing from then on.
3. When the database fails, nobody is answered as taken: the RADIUS server does not answer its NAS, which tries again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from fastapi import FastAPI

from hub import shown
from hub.db import Broken, Connection, Db, Fault
from hub.key_file import read_key
from hub.wifi import keys, radius_store
from hub.wifi.radius_record import Said
from hub.wifi.radius_store import Client, Heard

log = logging.getLogger(__name__)

Answer = Literal["taken", "unknown", "busy", "failed"]
AT_ONCE = 500
# So many wait at most; who comes then is told to come again.
WAITING = 5_000
_SILENT_EVERY_S = 600


class _Request(NamedTuple):
    token: str
    said: Said
    answer: "asyncio.Future[Answer]"


class DayKeys:
    """The keys of days, read from their files once; those that are destroyed are asked for anew each time."""

    def __init__(self, folder: Path, now_ms: Callable[[], int]) -> None:
        self._folder, self._now_ms = folder, now_ms
        self._today = ""
        self._known: dict[str, bytes | None] = {}

    def __call__(self, day: str) -> bytes | None:
        """The key of a day; today's is made at first need, of others there is one or none."""
        today = shown.day_of(self._now_ms())
        if today != self._today:
            # Never remembered for longer than the files may be there.
            self._today, self._known = today, {}
        if day not in self._known:
            self._known[day] = self._read(day, today)
        return self._known[day]

    def _read(self, day: str, today: str) -> bytes | None:
        if day == today:
            return keys.day_keys(self._folder, date.fromisoformat(day), 1)[0].key
        found = keys.day_key(self._folder, date.fromisoformat(day))
        return found.key if found else None


def session_key(folder: Path) -> bytes:
    """What names of sessions are hashed with; lies with the keys of the Wi-Fi. Raises OSError."""
    return read_key(folder, "radius-session.key")


class Intake:
    """One a hub. `run` it as a task."""

    def __init__(self, db: Db, folder: Path, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._db, self._folder, self._now_ms = db, folder, now_ms
        self._day_keys = DayKeys(folder, now_ms)
        self._key: bytes | None = None
        self._waiting: list[_Request] = []
        self._come = asyncio.Event()
        self._failing = False

    async def take(self, token: str, said: Said) -> Answer:
        """What became of it, once it is on disk."""
        if len(self._waiting) >= WAITING:
            return "busy"
        request = _Request(token, said, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._come.set()
        return await request.answer

    async def run(self) -> None:
        """Writes what has come until cancelled; then nobody waits for an answer in vain."""
        try:
            while True:
                await self._come.wait()
                some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                if not self._waiting:
                    self._come.clear()
                _answer(some, await self._written(some))
        finally:
            _answer(self._waiting, ["failed"] * len(self._waiting))

    async def _written(self, some: Sequence[_Request]) -> Sequence[Answer]:
        try:
            answers = await self._db.write(lambda conn: self._write(conn, some))
        except (Broken, OSError, keys.BadKey) as fault:
            if not self._failing:
                log.warning("accounting of other makers' access points cannot be taken in: %s", fault)
            self._failing = True
            return ["failed"] * len(some)
        except BaseException:
            _answer(some, ["failed"] * len(some))
            raise
        if self._failing:
            log.warning("accounting of other makers' access points is taken in again")
        self._failing = False
        return answers

    def _write(self, conn: Connection, some: Sequence[_Request]) -> list[Answer]:
        if self._key is None:
            self._key = session_key(self._folder)
        known: dict[str, Client | None] = {}
        heard: list[Heard] = []
        answers: list[Answer] = []
        for request in some:
            if request.token not in known:
                known[request.token] = radius_store.find(conn, request.token)
            client = known[request.token]
            answers.append("unknown" if client is None else "taken")
            if client is not None:
                heard.append(Heard(client, request.said))
        if heard:
            radius_store.take(conn, heard, self._key, self._day_keys, self._now_ms())
        return answers


def begin(app: FastAPI, db: Db, folder: Path) -> tuple[asyncio.Task[None], ...]:
    """Makes the hub's intake, and begins what goes on beside its pages."""
    app.state.radius_intake = intake = Intake(db, folder)
    return (
        asyncio.create_task(intake.run(), name="accounting of other makers"),
        asyncio.create_task(close_silent(db), name="silent sessions of other makers"),
    )


async def close_silent(db: Db, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
    """Ends, from time to time, what a NAS has lost without a word; until cancelled."""
    while True:
        # A database that takes nothing is told of by the intake.
        with contextlib.suppress(Fault):
            while await db.write(lambda conn: radius_store.close_silent(conn, now_ms())):
                pass
        await asyncio.sleep(_SILENT_EVERY_S)


def _answer(some: Sequence[_Request], answers: Sequence[Answer]) -> None:
    for request, answer in zip(some, answers, strict=True):
        if not request.answer.done():
            request.answer.set_result(answer)
