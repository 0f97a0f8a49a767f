"""SQL of the ledger: post, reverse, close, and what it comes to.  Whoever posts opens the transaction.

1. Many entries go in with few statements; an entry whose key and content are there already is left as it is.
2. Nothing is posted when one of the entries cannot be (`hub.waiver.ledger`: NotPosted and what it is made of).
3. A month is closed after the months before it; what becomes known later goes to the first open month (`open_month`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hub import audit
from hub.db import Among, Connection, Into, among, insert
from hub.waiver import ledger, ledger_sums
from hub.waiver.ledger import (
    AlreadyReversed,
    BadEntry,
    Booked,
    Conflict,
    Entry,
    Leg,
    MonthClosed,
    Name,
    NotPosted,
    SamePerson,
    Written,
)
from hub.waiver.ledger_sums import Open


class Posted(msgspec.Struct, frozen=True, gc=False):
    """What became of an entry: its number; `new` is false when it was there already."""

    seq: int
    key: str
    new: bool


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A closed month: `content_hash` is alike wherever the same was posted, `chain_hash` is the ledger's head then."""

    area: str
    month: str
    content_hash: str
    chain_hash: str
    through_seq: int
    closed_ms: int
    closed_by: str
    approved_by: str


_ENTRY = Into(
    "ledger_entry (seq, key, content_hash, posting_hash, kind, area, month, effective_day, booked_ms, entered_by, "
    "approved_by, reverses, corrects, note, prev, hash)",
    16,
)
_LEG = Into(
    "ledger_leg (entry_seq, n, account, yen, line_id, phone, resident_id, resident, ground, decision, budget_code, "
    "fiscal_year, of_month)",
    13,
)
_BY_KEY = Among("SELECT e.key, e.seq, e.content_hash FROM", 1, "JOIN ledger_entry e ON e.key = k.column1")
_BY_SEQ = Among("SELECT e.seq, e.key, e.area, e.posting_hash FROM", 1, "JOIN ledger_entry e ON e.seq = k.column1")
_REVERSED = Among("SELECT e.reverses, e.seq FROM", 1, "JOIN ledger_entry e ON e.reverses = k.column1")
_LEGS = Among(
    "SELECT g.entry_seq, g.account, g.yen, g.line_id, g.resident_id, g.ground, g.decision, g.budget_code, "
    "g.fiscal_year, g.of_month, g.phone, g.resident FROM",
    1,
    "JOIN ledger_leg g ON g.entry_seq = k.column1 ORDER BY g.entry_seq, g.n",
)
_PHONES = Among("SELECT l.id, l.phone FROM", 1, "JOIN line l ON l.id = k.column1")
_RESIDENTS = Among("SELECT r.id, r.number FROM", 1, "JOIN resident r ON r.id = k.column1")


# ---- posting


def post(conn: Connection, entries: Sequence[Entry], *, now_ms: int, by: str, approved_by: str = "") -> list[Posted]:
    """Writes entries, all or none; what became of each, in order.

    `by` enters, `approved_by` is another person, or empty where nobody has to approve. Raises NotPosted: BadEntry,
    Unbalanced, Conflict, MonthClosed, AlreadyReversed, SamePerson.
    """
    _check_people(by, approved_by)
    for entry in entries:
        ledger.check(entry)
    found, new = _split(conn, entries)
    _check_open(conn, new)
    about = _about(conn, new)
    names = _names(conn, new)
    seq, prev = head(conn)
    rows: list[Any] = []
    legs: list[Any] = []
    for entry, hashed in new:
        seq += 1
        leg_names = tuple(Name(names.phones[leg.line_id], names.residents[leg.resident_id]) for leg in entry.legs)
        written = Written(seq, entry, leg_names, now_ms, by, approved_by)
        chained = ledger.entry_hash(written, prev)
        posting = ledger.posting_hash(
            entry, leg_names, about.get(entry.corrects or 0, b""), about.get(entry.reverses or 0, b"")
        )
        rows += (seq, entry.key, hashed, posting, entry.kind, entry.area, entry.month, entry.effective_day, now_ms)
        rows += (by, approved_by, entry.reverses, entry.corrects, entry.note, prev, chained)
        for n, (leg, name) in enumerate(zip(entry.legs, leg_names, strict=True), 1):
            legs += (seq, n, leg.account, leg.yen, leg.line_id, name.phone, leg.resident_id, name.resident)
            legs += (leg.ground, leg.decision, leg.budget_code, leg.fiscal_year, leg.of_month)
        found[entry.key] = seq
        prev = chained
    insert(conn, _ENTRY, rows)
    insert(conn, _LEG, legs)
    ledger_sums.add(conn, (entry for entry, _ in new))
    fresh = {entry.key for entry, _ in new}
    posted = []
    for entry in entries:
        posted.append(Posted(found[entry.key], entry.key, entry.key in fresh))
        fresh.discard(entry.key)
    return posted


def _check_people(by: str, approved_by: str) -> None:
    if not by:
        raise BadEntry("nobody is named as who enters; expected a person")
    if by == approved_by:
        raise SamePerson(f"{by} enters and approves; expected another person to approve")


def _split(conn: Connection, entries: Sequence[Entry]) -> tuple[dict[str, int], list[tuple[Entry, bytes]]]:
    """The numbers of what is there already, and what is new with its content hash. Raises Conflict."""
    there = {key: (seq, hashed) for key, seq, hashed in among(conn, _BY_KEY, [entry.key for entry in entries])}
    new: dict[str, tuple[Entry, bytes]] = {}
    for entry in entries:
        hashed = ledger.content_hash(entry)
        known = there[entry.key][1] if entry.key in there else new[entry.key][1] if entry.key in new else hashed
        if known != hashed:
            raise Conflict(f"entry {entry.key}: the ledger has another content under this key; nothing was posted")
        if entry.key not in there:
            new.setdefault(entry.key, (entry, hashed))
    return {key: seq for key, (seq, _) in there.items()}, list(new.values())


def _check_open(conn: Connection, new: Iterable[tuple[Entry, bytes]]) -> None:
    last = _last_closed(conn)
    for entry, _ in new:
        if entry.month <= last.get(entry.area, ""):
            raise MonthClosed(f"entry {entry.key}: {entry.month} is closed; expected a month after {last[entry.area]}")


def _about(conn: Connection, new: Iterable[tuple[Entry, bytes]]) -> dict[int, bytes]:
    """The posting hashes of what entries reverse or correct. Raises BadEntry, AlreadyReversed."""
    entries = [entry for entry, _ in new if entry.reverses is not None or entry.corrects is not None]
    if not entries:
        return {}
    wanted = sorted({seq for entry in entries for seq in (entry.reverses, entry.corrects) if seq is not None})
    there = {seq: (area, posting) for seq, _, area, posting in among(conn, _BY_SEQ, wanted)}
    for entry in entries:
        for seq in (entry.reverses, entry.corrects):
            if seq is not None and (seq not in there or there[seq][0] != entry.area):
                raise BadEntry(f"entry {entry.key}: there is no entry {seq} in its area")
    _check_reversals(conn, [entry for entry in entries if entry.reverses is not None])
    return {seq: posting for seq, (_, posting) in there.items()}


def _check_reversals(conn: Connection, reversals: Sequence[Entry]) -> None:
    targets = [entry.reverses for entry in reversals if entry.reverses is not None]
    taken = {seq for seq, _ in among(conn, _REVERSED, targets)}
    legs = _legs(conn, targets)
    for entry in reversals:
        target = entry.reverses or 0
        if target in taken:
            raise AlreadyReversed(f"entry {target} is reversed already; an entry is reversed once at most")
        taken.add(target)
        if entry.legs != ledger.opposite(leg for leg, _ in legs[target]):
            raise BadEntry(f"entry {entry.key}: it is not the exact opposite of entry {target}")


class _Names(msgspec.Struct):
    phones: dict[int, str]
    residents: dict[int, str]


def _names(conn: Connection, new: Iterable[tuple[Entry, bytes]]) -> _Names:
    """Phone and resident numbers of all legs. Raises BadEntry."""
    legs = [leg for entry, _ in new for leg in entry.legs]
    lines = sorted({leg.line_id for leg in legs} - {0})
    residents = sorted({leg.resident_id for leg in legs} - {0})
    names = _Names(dict(among(conn, _PHONES, lines)), dict(among(conn, _RESIDENTS, residents)))
    for what, wanted, found in (("line", lines, names.phones), ("resident", residents, names.residents)):
        missing = next((id_ for id_ in wanted if id_ not in found), None)
        if missing is not None:
            raise BadEntry(f"{what} {missing} is not in the register; nothing was posted")
        found[0] = ""
    return names


def reverse(
    conn: Connection,
    seqs: Sequence[int],
    *,
    month: str,
    day: str,
    note: str,
    now_ms: int,
    by: str,
    approved_by: str = "",
) -> list[Posted]:
    """Takes entries back: writes the exact opposite of each, in a month that is open.

    Raises NotPosted: BadEntry, MonthClosed, AlreadyReversed, SamePerson.
    """
    keys = {seq: (key, area) for seq, key, area, _ in among(conn, _BY_SEQ, list(seqs))}
    missing = next((seq for seq in seqs if seq not in keys), None)
    if missing is not None:
        raise BadEntry(f"there is no entry {missing}")
    if len(set(seqs)) < len(seqs):
        raise AlreadyReversed("an entry is named twice; an entry is reversed once at most")
    taken = among(conn, _REVERSED, list(seqs))
    if taken:
        raise AlreadyReversed(f"entry {min(taken)[0]} is reversed already; an entry is reversed once at most")
    legs = _legs(conn, seqs)
    entries = [
        Entry(
            key=f"reversal:{keys[seq][0]}",
            kind=ledger.REVERSAL,
            area=keys[seq][1],
            month=month,
            effective_day=day,
            legs=ledger.opposite(leg for leg, _ in legs[seq]),
            note=note,
            reverses=seq,
        )
        for seq in seqs
    ]
    return post(conn, entries, now_ms=now_ms, by=by, approved_by=approved_by)


def head(conn: Connection) -> tuple[int, bytes]:
    """The newest entry's number and hash; 0 and the chain's beginning when there is none."""
    row: tuple[int, bytes] | None = conn.execute(
        "SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return row or (0, ledger.START)


# ---- months


def _last_closed(conn: Connection) -> dict[str, str]:
    return dict(conn.execute("SELECT area, max(month) FROM ledger_close GROUP BY area").fetchall())


def open_month(conn: Connection, area: str, wanted: str) -> str:
    """The first month from `wanted` on that is not closed."""
    last = _last_closed(conn).get(area, "")
    return max(wanted, ledger.month_after(last)) if last else wanted


def is_closed(conn: Connection, area: str, month: str) -> bool:
    """Whether a month takes no entry any more."""
    return month <= _last_closed(conn).get(area, "")


def close(conn: Connection, area: str, month: str, *, now_ms: int, by: str, approved_by: str) -> Closing:
    """Closes a month for ever, and notes it in the audit log (`ledger_close`): what was posted in it stays.

    Raises MonthClosed, SamePerson, BadEntry, and NotPosted when an earlier month has entries and is not closed.
    """
    _check_people(by, approved_by)
    if not approved_by:
        raise SamePerson(f"{month} is closed by {by} alone; expected another person to approve")
    if area not in ledger.AREAS or not ledger.is_month(month):
        raise BadEntry(f"{area} {month}: no month to close; expected one of {', '.join(ledger.AREAS)} and YYYY-MM")
    last = _last_closed(conn).get(area, "")
    if month <= last:
        raise MonthClosed(f"{month} is closed; expected a month after {last}")
    (earlier,) = conn.execute(
        "SELECT min(month) FROM ledger_entry WHERE area = ? AND month > ? AND month < ?", (area, last, month)
    ).fetchone()
    if earlier:
        raise NotPosted(f"{month} cannot be closed before {earlier}, which has entries and is open")
    through_seq, hashed = head(conn)
    made = Closing(
        area=area,
        month=month,
        content_hash=content_hash(conn, area, month),
        chain_hash=hashed.hex(),
        through_seq=through_seq,
        closed_ms=now_ms,
        closed_by=by,
        approved_by=approved_by,
    )
    conn.execute(
        "INSERT INTO ledger_close (area, month, content_hash, chain_hash, through_seq, closed_ms, closed_by, "
        "approved_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        msgspec.structs.astuple(made),
    )
    audit.note(conn, now_ms, approved_by, "ledger_close", f"{area} {month}", f"{made.content_hash} {made.chain_hash}")
    return made


def content_hash(conn: Connection, area: str, month: str) -> str:
    """What a closing of the month as it stands would have as its content hash."""
    rows = conn.execute("SELECT posting_hash FROM ledger_entry WHERE area = ? AND month = ?", (area, month))
    return ledger.closing_hash(area, month, (posting for (posting,) in rows))


def closings(conn: Connection, area: str = "") -> list[Closing]:
    """The closed months, the latest first."""
    rows = conn.execute(
        "SELECT area, month, content_hash, chain_hash, through_seq, closed_ms, closed_by, approved_by "
        "FROM ledger_close WHERE ? IN ('', area) ORDER BY month DESC, area",
        (area,),
    )
    names = Closing.__struct_fields__
    return [Closing(**dict(zip(names, row, strict=True))) for row in rows]


# ---- what it comes to


class LineMonth(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted about one line and month of use, reversals included; for each, fee = waived + received + open.

    `yen` by (account, ground, decision); `standing` are the numbers of entries that nothing has taken back, which is
    what a later correction reverses.
    """

    line_id: int
    of_month: str
    resident_id: int
    yen: Mapping[tuple[str, str, str], int]
    standing: tuple[int, ...]

    def of(self, account: str) -> int:
        """An account's balance: debits above 0, credits below."""
        return sum(yen for (name, _, _), yen in self.yen.items() if name == account)


def of_line_months(conn: Connection, area: str, month: str, through: str = "9999-12") -> list[LineMonth]:
    """What was posted per line about a month of use, in whatever month it was booked (through the month `through`)."""
    return _line_months(
        conn,
        "WHERE g.of_month = ? AND g.line_id <> 0 AND e.area = ? AND e.month <= ?",
        (month, area, through),
    )


def booked_line_months(conn: Connection, area: str, month: str) -> list[LineMonth]:
    """What was booked in a month, per line and month of use."""
    return _line_months(conn, "WHERE e.month = ? AND g.line_id <> 0 AND e.area = ?", (month, area))


def _line_months(conn: Connection, which: str, args: tuple[Any, ...]) -> list[LineMonth]:
    rows = conn.execute(
        "SELECT g.line_id, g.of_month, g.resident_id, g.account, g.ground, g.decision, g.yen, "  # noqa: S608 (our own)
        "e.seq, e.reverses, "
        "EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses = e.seq) "
        f"FROM ledger_leg g JOIN ledger_entry e ON e.seq = g.entry_seq {which} "
        "ORDER BY g.line_id, g.of_month, e.seq, g.n",
        args,
    ).fetchall()
    depth = _Depth(conn)
    yen: dict[tuple[int, str], dict[tuple[str, str, str], int]] = defaultdict(lambda: defaultdict(int))
    standing: dict[tuple[int, str], dict[int, None]] = defaultdict(dict)
    residents: dict[tuple[int, str], int] = {}
    for line_id, of_month, resident_id, account, ground, decision, sum_, seq, reverses, is_reversed in rows:
        key = line_id, of_month
        yen[key][account, ground, decision] += sum_
        if resident_id:
            residents[key] = resident_id
        # The reversal of a reversal says the entry again: that one stands.
        if not is_reversed and (reverses is None or depth(seq) % 2 == 0):
            standing[key][seq] = None
    return [
        LineMonth(
            line_id=key[0],
            of_month=key[1],
            resident_id=residents.get(key, 0),
            yen=dict(found),
            standing=tuple(standing[key]),
        )
        for key, found in yen.items()
    ]


class _Depth:
    """How many reversals lie between an entry and what it is about."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def __call__(self, seq: int) -> int:
        depth = 0
        while True:
            (seq,) = self._conn.execute("SELECT reverses FROM ledger_entry WHERE seq = ?", (seq,)).fetchone()
            if seq is None:
                return depth
            depth += 1


class Total(msgspec.Struct, frozen=True, gc=False):
    """What an account came to, by ground, budget code and fiscal year."""

    account: str
    ground: str
    budget_code: str
    fiscal_year: int
    yen: int


def totals(conn: Connection, area: str, month: str) -> list[Total]:
    """What was booked in a month, by account, ground, budget code and fiscal year: what vouchers are made of."""
    rows = conn.execute(
        "SELECT g.account, g.ground, g.budget_code, g.fiscal_year, sum(g.yen) FROM ledger_leg g "
        "JOIN ledger_entry e ON e.seq = g.entry_seq WHERE e.area = ? AND e.month = ? GROUP BY 1, 2, 3, 4 "
        "ORDER BY 1, 2, 3, 4",
        (area, month),
    )
    return [Total(*row) for row in rows]


def balances(conn: Connection, *, area: str = "", through: str = "9999-12", fiscal_year: int = 0) -> dict[str, int]:
    """Each account's balance, through a booked month; they come to 0. `fiscal_year` 0: of all years."""
    return ledger_sums.balances(conn, area, through, fiscal_year)


def outstanding(conn: Connection, resident_id: int | None = None) -> list[Open]:
    """What stands open (receivables), by resident, month of use and line; of one resident or of all."""
    return ledger_sums.outstanding(conn, resident_id)


# ---- reading


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: each field that is given narrows."""

    area: str = ""
    month: str = ""
    kind: str = ""
    account: str = ""
    line_id: int | None = None
    resident_id: int | None = None
    before: int | None = None


_COLUMNS = (
    "e.seq, e.key, e.kind, e.area, e.month, e.effective_day, e.note, e.corrects, e.reverses, e.booked_ms, "
    "e.entered_by, e.approved_by, e.content_hash, e.posting_hash, e.prev, e.hash, "
    "(SELECT r.seq FROM ledger_entry r WHERE r.reverses = e.seq)"
)


def entries(conn: Connection, which: Which, limit: int = 100) -> list[Booked]:
    """Entries, the newest first; those before `which.before` for the next page."""
    words: list[str] = []
    args: list[Any] = []
    for condition, value in (
        ("e.area = ?", which.area),
        ("e.month = ?", which.month),
        ("e.kind = ?", which.kind),
        ("e.seq < ?", which.before),
        # Of a line or a resident there are few, and an index finds them; of an account there are many.
        ("e.seq IN (SELECT entry_seq FROM ledger_leg WHERE line_id = ? AND line_id <> 0)", which.line_id),
        ("e.seq IN (SELECT entry_seq FROM ledger_leg WHERE resident_id = ? AND resident_id <> 0)", which.resident_id),
        ("EXISTS (SELECT 1 FROM ledger_leg g WHERE g.entry_seq = e.seq AND g.account = ?)", which.account),
    ):
        # A number that is given and unknown finds nothing; a word that is not given narrows nothing.
        if value not in ("", None):
            words.append(condition)
            args.append(value)
    where = f"WHERE {' AND '.join(words)}" if words else ""
    return _booked(conn, f"{where} ORDER BY e.seq DESC LIMIT ?", (*args, limit))


def entry(conn: Connection, seq: int) -> Booked | None:
    """One entry."""
    found = _booked(conn, "WHERE e.seq = ?", (seq,))
    return found[0] if found else None


def of_key(conn: Connection, key: str) -> Booked | None:
    """The entry of a key."""
    found = _booked(conn, "WHERE e.key = ?", (key,))
    return found[0] if found else None


def corrected_by(conn: Connection, seq: int) -> list[int]:
    """The entries that put one right."""
    rows = conn.execute("SELECT seq FROM ledger_entry WHERE corrects = ? ORDER BY seq", (seq,))
    return [found for (found,) in rows]


def after(conn: Connection, seq: int, limit: int) -> list[Booked]:
    """Entries from after a number on, the oldest first."""
    return _booked(conn, "WHERE e.seq > ? ORDER BY e.seq LIMIT ?", (seq, limit))


def _booked(conn: Connection, which: str, args: tuple[Any, ...]) -> list[Booked]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM ledger_entry e {which}", args).fetchall()  # noqa: S608 (our own words)
    legs = _legs(conn, [row[0] for row in rows])
    return [_of_row(row, legs[row[0]]) for row in rows]


def _of_row(row: Sequence[Any], legs: Sequence[tuple[Leg, Name]]) -> Booked:
    seq, key, kind, area, month, day, note, corrects, reverses, booked_ms, by, approved_by, *hashes = row
    said = Entry(key, kind, area, month, day, tuple(leg for leg, _ in legs), note, corrects, reverses)
    written = Written(seq, said, tuple(name for _, name in legs), booked_ms, by, approved_by)
    content, posting, prev, hashed, reversed_by = hashes
    return Booked(
        written=written, content_hash=content, posting_hash=posting, prev=prev, hash=hashed, reversed_by=reversed_by
    )


def _legs(conn: Connection, seqs: Sequence[int]) -> dict[int, list[tuple[Leg, Name]]]:
    found: dict[int, list[tuple[Leg, Name]]] = defaultdict(list)
    for seq, *leg, phone, resident in among(conn, _LEGS, sorted(set(seqs))):
        found[seq].append((Leg(*leg), Name(phone, resident)))
    return found
