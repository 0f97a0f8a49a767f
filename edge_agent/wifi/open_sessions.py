"""The sessions of this access point in memory: who has which, and what of them the disk and the hub do not have yet.

Devices' addresses are here and in the kernel, and nowhere else. Lives on the event loop; nothing here waits.
"""

import secrets
from collections.abc import Collection, Iterator
from typing import NamedTuple

from edge_agent.wifi.session import Session, ended
from wire.messages import Cause

_MARKS = 2**32 - 1


class Changes(NamedTuple):
    """Marks: of sessions that are another, that have other counters only, and that nothing is needed of any more."""

    changed: set[int]
    counted: set[int]
    gone: set[int]


class OpenSessions:
    """Open sessions by mark, by address and by id; sessions that have ended and were not told yet; what changed."""

    def __init__(self) -> None:
        self._of: dict[int, Session] = {}
        self._mark_of: dict[str, int] = {}
        self._address_of: dict[int, str] = {}
        self._owed: dict[int, Session] = {}
        self._reserved: set[int] = set()
        self.changed: set[int] = set()
        self.counted: set[int] = set()
        self.gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._of) + len(self._reserved)

    def __iter__(self) -> Iterator[Session]:
        """Those that are open now; they may be put anew or ended meanwhile."""
        return iter(list(self._of.values()))

    def of(self, address: str) -> Session | None:
        """The open session of a device."""
        mark = self._mark_of.get(address)
        return None if mark is None else self._of[mark]

    def by_mark(self, mark: int) -> Session | None:
        """The open session with a mark."""
        return self._of.get(mark)

    def address_of(self, mark: int) -> str:
        """The device of an open session. Raises KeyError."""
        return self._address_of[mark]

    def by_id(self, id_: str) -> Session | None:
        """The open session with an id."""
        return next((one for one in self._of.values() if one.id == id_), None)

    def reserve(self, avoid: Collection[int] = ()) -> int:
        """A mark that nobody has and that is not one of `avoid`, held until `put` or `release`."""
        while True:
            mark = secrets.randbelow(_MARKS) + 1
            if not any(mark in held for held in (self._of, self._owed, self._reserved, self.gone, avoid)):
                self._reserved.add(mark)
                return mark

    def release(self, mark: int) -> None:
        """Nothing came of it."""
        self._reserved.discard(mark)

    def put(self, session: Session, address: str) -> None:
        """A session that the disk has already."""
        self._reserved.discard(session.mark)
        self._of[session.mark] = session
        self._mark_of[address] = session.mark
        self._address_of[session.mark] = address

    def change(self, session: Session) -> None:
        """An open session is another now."""
        self._of[session.mark] = session
        self.changed.add(session.mark)

    def count(self, session: Session) -> None:
        """An open session has other counters, and nothing else."""
        self._of[session.mark] = session
        self.counted.add(session.mark)

    def end(self, mark: int, cause: Cause, mono_ms: int) -> Session:
        """An open session has ended; its device has none any more."""
        over = ended(self._of.pop(mark), cause, mono_ms)
        self._mark_of.pop(self._address_of.pop(mark), None)
        self.owe(over)
        return over

    def owe(self, session: Session) -> None:
        """One that has ended is to be told."""
        self._owed[session.mark] = session
        self.changed.add(session.mark)

    @property
    def owed(self) -> list[Session]:
        """Those that have ended and were not told yet."""
        return list(self._owed.values())

    def by_owed(self, mark: int) -> Session | None:
        """One that has ended and was not told yet."""
        return self._owed.get(mark)

    def told(self, mark: int) -> None:
        """The end of one is in the spool: nothing of it is needed any more."""
        if self._owed.pop(mark, None) is not None:
            self.changed.discard(mark)
            self.gone.add(mark)

    def take_changes(self) -> Changes:
        """What the disk does not have yet."""
        taken = Changes(self.changed, self.counted, self.gone)
        self.changed, self.counted, self.gone = set(), set(), set()
        return taken

    def give_back(self, taken: Changes) -> None:
        """The disk did not take it."""
        self.changed |= taken.changed
        self.counted |= taken.counted
        self.gone |= taken.gone

    def now(self, mark: int) -> Session | None:
        """An open or owed session."""
        return self._of.get(mark) or self._owed.get(mark)
