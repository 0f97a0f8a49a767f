"""The loop while the database is away."""

import logging
from pathlib import Path

import pytest

from hub.db import Db
from hub.live import Change, Live
from hub.rollout.task import Rollouts
from hub.signing import Signing


async def test_a_database_that_is_away_is_told_once_and_looked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    db, live = Db(tmp_path / "hub.db"), Live()
    rollouts = Rollouts(db, live, Signing(tmp_path), lambda: None)
    try:
        with caplog.at_level(logging.WARNING):
            assert [await rollouts._look(0), await rollouts._look(0)] == [30, 30]
        assert len(caplog.messages) == 1
        db.open()
        assert await rollouts._look(0) is None, "with nothing to do it waits until somebody does something"
        # Nobody of a roll-out was heard, and no loop runs yet: neither does anything.
        live.tell(Change(frozenset({"genkan-1"})))
        rollouts.wake(1)
    finally:
        db.close()
