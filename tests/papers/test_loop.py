"""The hub's loop: a mark is told within moments, what nobody marked a little later, and faults begin and end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.db import Connection
from hub.papers import store, task
from hub.papers.store import Contents, NoContent
from tests.papers.parts import DEVICE, KIND, WITHIN_S, Office, office, opened, plain


class Source:
    """What a domain says: a text for everybody, or why there is none."""

    def __init__(self, one: Office) -> None:
        self.text, self.why = "first", ""
        self.asked = 0
        self._id = one.id_of()

    def content(self, conn: Connection, now_ms: int) -> Contents:
        """As `hub/papers/task.py` asks for it. Raises NoContent."""
        self.asked += 1
        assert conn.in_transaction
        assert now_ms > 0
        if self.why:
            raise NoContent(self.why)
        return {self._id: plain(self.text)}


@contextlib.asynccontextmanager
async def running(one: Office) -> AsyncIterator[tuple[Source, list[int]]]:
    """The loop, and how often it said that something is due to go."""
    source, woken = Source(one), list[int]()
    # The tests' certificates are younger than the office's own clock.
    one.db.write_now(lambda conn: conn.execute("UPDATE certificate SET end_ms = 4000000000000"))
    loop = task.run(one.db, one.signing, lambda: woken.append(1), KIND, source.content, whole_every_s=3, again_s=1)
    work = asyncio.create_task(loop)
    try:
        yield source, woken
        assert not work.done()
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something."""
    async with asyncio.timeout(WITHIN_S):
        while not is_so():  # noqa: ASYNC110 (no event for it)
            await asyncio.sleep(0.05)


def _text(one: Office) -> str:
    found = one.outgoing().get((DEVICE, KIND))
    return opened(found).text if found else ""


async def test_it_tells_what_is_marked_and_what_nobody_marked(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        async with running(one) as (source, woken):
            await until(lambda: _text(one) == "first")
            source.text = "second"
            one.touch()
            await until(lambda: _text(one) == "second")
            assert len(woken) == 2
            source.text = "third"
            await until(lambda: _text(one) == "third")


async def test_a_fault_is_told_once_shown_and_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with office(tmp_path) as one, caplog.at_level(logging.WARNING, logger="hub.papers.task"):
        async with running(one) as (source, _):
            source.why = "cards.key is not there"
            one.touch()
            await until(lambda: one.db.read(lambda conn: store.error(conn, KIND)) == "cards.key is not there")
            asked = source.asked
            await until(lambda: source.asked > asked)
            source.why = ""
            await until(lambda: one.db.read(lambda conn: store.error(conn, KIND)) == "")
            assert _text(one) == "first"
        said = [record.getMessage() for record in caplog.records]
        assert said == [
            f"papers of kind {KIND}: cards.key is not there",
            f"papers of kind {KIND}: all can be sent again",
        ]
