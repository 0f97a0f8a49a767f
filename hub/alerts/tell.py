"""Sends the messages that wait, in a process that ends with them (`child.py`), and notes what became of each.

A way that hangs costs its own message a minute and nobody else anything: the process is ended, what it had not
answered counts as not taken, and goes again after a pause.
"""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Sequence

import msgspec

from hub.alerts import post
from hub.alerts.addresses import Addresses
from hub.alerts.child import Message, Sent
from hub.alerts.post import Message as Waiting
from hub.db import Connection, Db, Fault
from hub.live import Change, Live

log = logging.getLogger(__name__)

_EVERY_S = 30.0
_AT_ONCE = 20
# apprise waits 4 s for a web answer and 15 s for a mail server; to load it takes about one on a quiet machine.
BEGIN_S, EACH_S = 20.0, 25.0


class Tell:
    """One a hub.  `run` as a task; `wake` after putting messages in; `send` for a test."""

    def __init__(self, db: Db, live: Live, addresses: Addresses) -> None:
        self._db, self._live, self._addresses = db, live, addresses
        self._woken = asyncio.Event()
        self._failing = False

    def wake(self) -> None:
        """There are messages. On the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Sends for ever."""
        while True:
            self._woken.clear()
            try:
                while await self._send_some():
                    pass
            except Fault as fault:
                self._trouble(f"messages cannot be sent: {fault}", None)
            except Exception as error:  # noqa: BLE001 (a mistake in sending must not stop the taking in)
                self._trouble(f"messages cannot be sent: {error!r}", error)
            else:
                self._failing = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._woken.wait()

    def _trouble(self, sentence: str, error: Exception | None) -> None:
        """Logged once when it begins."""
        if not self._failing:
            log.error(sentence, exc_info=error)
        self._failing = True

    async def _send_some(self) -> bool:
        """Whether there may be more."""
        now_ms = _now_ms()
        found: list[Waiting] = await self._db.aread(lambda conn: post.due(conn, now_ms, _AT_ONCE))
        if not found:
            return False
        # One way after the other does not keep the others waiting: each has a process of its own.
        ways: dict[str, list[Waiting]] = {}
        for one in found:
            ways.setdefault(one.ref, []).append(one)
        await asyncio.gather(*(self._send_by(ref, some) for ref, some in ways.items()))
        self._live.tell(Change(alerts=True, at_ms=_now_ms()))
        return len(found) == _AT_ONCE

    async def _send_by(self, ref: str, some: Sequence[Waiting]) -> None:
        address = await asyncio.to_thread(self._addresses.of, ref)
        if address is None:
            failures = ["lost"] * len(some)
        else:
            failures = await deliver([Message(address, one.title, one.body) for one in some])
        for one, failure in zip(some, failures, strict=True):
            if failure:
                log.warning("a message to %r did not go: %s", one.target, failure)
        await self._db.write(lambda conn: _note(conn, some, failures, _now_ms()))

    async def send(self, address: str, title: str, body: str) -> str:
        """Sends one message now; the word for what went wrong, or nothing."""
        return (await deliver([Message(address, title, body)]))[0]


async def deliver(messages: Sequence[Message], *, begin_s: float = BEGIN_S, each_s: float = EACH_S) -> list[str]:
    """Sends in a process of its own, within so long; for each message what went wrong, or nothing."""
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub.alerts.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        log.warning("no process can be begun to send messages: %s", error)
        return ["other"] * len(messages)
    answers: list[str] = []
    try:
        async with asyncio.timeout(begin_s + each_s * len(messages)):
            assert child.stdin is not None  # noqa: S101 (a pipe was asked for)
            assert child.stdout is not None  # noqa: S101
            child.stdin.write(msgspec.json.encode(messages))
            child.stdin.close()
            async for line in child.stdout:
                # Kept one by one: what was answered before the time is over counts.
                answers.append(msgspec.json.decode(line, type=Sent).failure)  # noqa: PERF401
            await child.wait()
    except (TimeoutError, OSError, msgspec.DecodeError, msgspec.ValidationError):
        pass
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    answers = answers[: len(messages)]
    return answers + ["timeout"] * (len(messages) - len(answers))


def _note(conn: Connection, some: Sequence[Waiting], failures: Sequence[str], now_ms: int) -> None:
    for one, failure in zip(some, failures, strict=True):
        if failure:
            post.note_failed(conn, one, failure, now_ms)
        else:
            post.note_sent(conn, one, now_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
