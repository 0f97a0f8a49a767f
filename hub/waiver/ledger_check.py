"""Whether the ledger is as it was written: every entry, its legs, the chain, the closed months.

1. Each entry is read anew, its three hashes worked out from what stands there, and its place in the chain looked at.
2. A closed month is worked out anew too, and is what the audit log says it was when it was closed.
3. A tail that was cut off an open month shows where a leg is left over or a closing names what is not there; else only
   by the hash of a closing that is kept elsewhere (`expected`).
4. Sums that are kept beside the legs are added up anew.
5. The database looks over its own file as well: an index that says otherwise than the table is found by that.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from hub import audit
from hub.db import Broken, Connection, malformed, triggers
from hub.waiver import ledger, ledger_store, ledger_sums
from hub.waiver.ledger import Booked
from hub.waiver.ledger_store import Closing

Why = Literal["unreadable", "missing", "unlinked", "edited", "legs", "left_over", "closing", "late", "untold", "other"]
_TABLES = ("ledger_entry", "ledger_leg", "ledger_close")
_TRIGGERS = (
    "ledger_entry_stays",
    "ledger_entry_kept",
    "ledger_leg_stays",
    "ledger_leg_kept",
    "ledger_close_stays",
    "ledger_close_kept",
    "ledger_entry_next",
    "ledger_leg_next",
    "ledger_close_next",
    "ledger_entry_closed",
    "ledger_entry_two_people",
    "ledger_close_two_people",
)
_CHUNK = 1000


class Bad(NamedTuple):
    """The first entry that is not as it was, and why; for a closing, the last entry that it knew."""

    seq: int
    why: Why
    about: str = ""


class Checked(NamedTuple):
    """What was found: entries that hold, the newest one's hash, closings; what is bad, what the file says of itself."""

    entries: int
    head: str
    closings: list[Closing]
    bad: Bad | None
    malformed: str = ""
    unguarded: tuple[str, ...] = ()
    sums_differ: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything is as it was written."""
        return not (self.bad or self.malformed or self.unguarded or self.sums_differ)


def verify(conn: Connection) -> int | None:
    """The number of the first entry that is not as it was written; None when all are. Raises Broken."""
    found = check(conn)
    return found.bad.seq if found.bad else None


def check(conn: Connection, expected: Mapping[str, str] | None = None) -> Checked:
    """Looks at everything; `expected` are chain hashes of closed months that were kept elsewhere (`line 2026-10`)."""
    broken = next((text for table in _TABLES if (text := malformed(conn, table))), "")
    missing = tuple(sorted(set(_TRIGGERS) - triggers(conn)))
    entries, head, bad = _chain(conn)
    closings: list[Closing] = []
    sums_differ = False
    try:
        bad = bad or _left_over(conn, entries)
        closings = ledger_store.closings(conn)
        bad = bad or _closings(conn, closings, expected or {})
        sums_differ = ledger_sums.differ(conn)
    except (Broken, TypeError, ValueError) as error:
        # A page that cannot be read, or text where there is a number.
        bad = bad or Bad(entries + 1, "unreadable", str(error))
    return Checked(entries, head.hex(), closings, bad, broken, missing, sums_differ)


def _chain(conn: Connection) -> tuple[int, bytes, Bad | None]:
    seq, head = 0, ledger.START
    while True:
        try:
            found = _after(conn, seq)
        except (Broken, TypeError, ValueError) as error:
            return seq, head, Bad(seq + 1, "unreadable", str(error))
        if not found:
            return seq, head, None
        for one in found:
            why = _why_not(conn, one, seq, head)
            if why:
                return seq, head, Bad(seq + 1, why, str(one.seq))
            seq, head = seq + 1, one.hash


def _after(conn: Connection, seq: int) -> list[Booked]:
    try:
        return ledger_store.after(conn, seq, _CHUNK)
    except (Broken, TypeError, ValueError):
        # One of them cannot be read: one after the other tells which.
        return ledger_store.after(conn, seq, 1)


def _why_not(conn: Connection, one: Booked, seq: int, head: bytes) -> Why | None:
    if one.seq != seq + 1:
        return "missing"
    if one.prev != head:
        return "unlinked"
    entry, names = one.entry, one.written.names
    try:
        ledger.check(entry)
        corrects, reverses = (_posting(conn, number, seq) for number in (entry.corrects, entry.reverses))
        said = (
            ledger.content_hash(entry),
            ledger.posting_hash(entry, names, corrects, reverses),
            ledger.entry_hash(one.written, head),
        )
    except (ledger.BadEntry, TypeError, ValueError, AttributeError):
        # Something that can be no entry of ours: bytes where there is text.
        return "edited"
    return None if said == (one.content_hash, one.posting_hash, one.hash) else "edited"


def _posting(conn: Connection, number: int | None, before: int) -> bytes:
    """The posting hash of what an entry is about: one before it, which was looked at already."""
    if number is None:
        return b""
    row = conn.execute("SELECT posting_hash FROM ledger_entry WHERE seq = ? AND seq <= ?", (number, before)).fetchone()
    if row is None:
        raise ValueError(f"there is no entry {number} before this one")
    hashed: bytes = row[0]
    return hashed


def _left_over(conn: Connection, entries: int) -> Bad | None:
    """Legs of entries that are not there, and legs that are not counted from 1."""
    (seq,) = conn.execute(
        "SELECT min(entry_seq) FROM ledger_leg WHERE entry_seq < 1 OR entry_seq > ?", (entries,)
    ).fetchone()
    if seq is not None:
        return Bad(seq if isinstance(seq, int) else entries + 1, "left_over")
    (seq,) = conn.execute(
        "SELECT min(entry_seq) FROM (SELECT entry_seq, n, row_number() OVER (PARTITION BY entry_seq ORDER BY n) AS nth "
        "FROM ledger_leg) WHERE n <> nth"
    ).fetchone()
    return None if seq is None else Bad(seq, "legs")


def _closings(conn: Connection, closings: list[Closing], expected: Mapping[str, str]) -> Bad | None:
    told = dict(audit.told(conn, "ledger_close"))
    for one in reversed(closings):
        name = f"{one.area} {one.month}"
        why = _closing(conn, one)
        if why:
            return why
        if told.pop(name, "") != f"{one.content_hash} {one.chain_hash}":
            return Bad(one.through_seq, "untold", name)
        if expected.get(name, one.chain_hash) != one.chain_hash:
            return Bad(one.through_seq, "other", name)
    for name in sorted({*told, *expected} - {f"{one.area} {one.month}" for one in closings}):
        return Bad(ledger_store.head(conn)[0], "closing", name)
    return None


def _closing(conn: Connection, one: Closing) -> Bad | None:
    name = f"{one.area} {one.month}"
    row = conn.execute("SELECT hash FROM ledger_entry WHERE seq = ?", (one.through_seq,)).fetchone()
    hashed = row[0] if row else ledger.START if one.through_seq == 0 else b""
    if hashed.hex() != one.chain_hash or ledger_store.content_hash(conn, one.area, one.month) != one.content_hash:
        return Bad(one.through_seq, "closing", name)
    (late,) = conn.execute(
        "SELECT min(seq) FROM ledger_entry WHERE area = ? AND month <= ? AND seq > ?",
        (one.area, one.month, one.through_seq),
    ).fetchone()
    return None if late is None else Bad(late, "late", name)


_SAID: dict[Why, str] = {
    "unreadable": "it cannot be read ({about})",
    "missing": "it is missing, and entry {about} stands in its place",
    "unlinked": "it does not follow the entry before it",
    "edited": "what it says is not what was written",
    "legs": "its legs are not those that were written",
    "left_over": "it is missing, and its legs are left over",
    "closing": "the closed month {about} is not what was closed",
    "late": "it was written into {about} after that month was closed",
    "untold": "the closed month {about} is not what the audit log says was closed",
    "other": "the closed month {about} is not the one whose hash was kept elsewhere",
}


def told(found: Checked) -> list[str]:
    """The outcome, a sentence each."""
    lines = [f"{one.area} {one.month}: content {one.content_hash}, chain {one.chain_hash}" for one in found.closings]
    if found.unguarded:
        lines.append(f"The ledger is not guarded: the database lacks {', '.join(found.unguarded)}.")
    if found.malformed:
        lines.append(f"The file is damaged: {found.malformed}.")
    if found.sums_differ:
        lines.append("The sums that pages show are not what the entries come to: run machinaka-hub ledger rebuild.")
    if found.bad:
        seq, why, about = found.bad
        lines.append(f"The ledger is broken at entry {seq}: {_SAID[why].format(about=about)}.")
    elif found.whole:
        lines.append(f"The ledger is whole: {found.entries} entries, the newest has the hash {found.head}.")
    return lines
