"""A town's alerts on a clock that is moved by hand: the real rule on the real tables."""

import sqlite3
from collections.abc import Sequence

from hub.alerts import rule, store
from hub.alerts.kinds import Kind
from hub.alerts.rule import Alert, Fact, Key, Letter, Seen
from hub.schema import alerts as schema

MINUTE_MS = 60_000
NOW_MS = 1_790_000_000_000


def tables() -> sqlite3.Connection:
    """The tables of alerts, alone, in memory."""
    conn = sqlite3.connect(":memory:", isolation_level=None)
    for statement in schema.TABLES.split(";"):
        conn.execute(statement)
    return conn


class World:
    """Looks, writes, and remembers every letter with the time and whether it was quiet."""

    def __init__(self, hold_down_ms: int = 10 * MINUTE_MS) -> None:
        self.conn = tables()
        self.hold_down_ms = hold_down_ms
        self.waiting: dict[Key, int] = {}
        self.letters: list[tuple[int, bool, Letter]] = []

    def look(
        self, now_ms: int, facts: Sequence[Fact], *, quiet: bool = False, unsure: frozenset[Kind] = frozenset()
    ) -> list[Letter]:
        """One look, as `watch.py` takes it."""
        changes = rule.decide(
            Seen(facts, unsure), store.open_alerts(self.conn), self.waiting, now_ms, self.hold_down_ms
        )
        self.waiting = dict(changes.waiting)
        store.apply(self.conn, changes, now_ms)
        letters = rule.tell(store.untold(self.conn), now_ms, quiet=quiet)
        store.mark_told(self.conn, letters)
        self.letters += [(now_ms, quiet, letter) for letter in letters]
        return letters

    def open(self) -> list[Alert]:
        """Those that have not ended."""
        return store.open_alerts(self.conn)

    def every(self) -> list[Alert]:
        """All that ever were, by number."""
        ended = store.ended_alerts(self.conn, store.Asked(), 10_000)
        return sorted([*self.open(), *ended], key=lambda one: one.id)


def fact(kind: Kind, subject: str = "genkan-1", since_ms: int = NOW_MS, *, firm: bool = True, n: int = 0) -> Fact:
    """Something that is wrong."""
    return Fact(kind, subject, since_ms, firm, subject, "", "", n)
