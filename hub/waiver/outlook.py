"""A month as a closing would have it at this moment: what it comes to, what stops it, what came late (access).

1. A month is closed once it is over, after the month before it, when every line of it can be assessed.
2. A bill is judged when it comes.  One that would be judged otherwise by what is known now has to be judged again
   first: what waits in suspense may not hang on the order in which things came.
3. A missing bill stops it too, unless whoever asks says why it is closed all the same.
4. With a month are entered: the bills that are not in the ledger yet, what each resident is assessed and waived, and
   what earlier closed months would be by now (`later.py`), all booked in this month.
5. The fingerprint stands for all that would be entered: the same facts give the same one wherever they are.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from hub import shown
from hub.db import Among, Connection, among
from hub.waiver import bill_layout, bill_look, bill_store, later, ledger_store, month_facts, month_seen, month_store
from hub.waiver.bill import Bill, Line
from hub.waiver.bill_intake import BadBill
from hub.waiver.bill_layout import BadLayout
from hub.waiver.bill_look import Asked
from hub.waiver.later import Correction
from hub.waiver.ledger import Entry, Leg
from hub.waiver.ledger_store import Closing
from hub.waiver.month import AREA, wanted
from hub.waiver.month_facts import Facts
from hub.waiver.month_store import Ask
from hub.waiver.rules import months
from hub.waiver.rules.fiscal import fiscal_year_of

Stop = Literal["not_over", "gap", "before", "no_lines", "problems", "cannot", "stale", "no_bill"]
LATER_NOTE = "later"
_KEYS = Among("SELECT e.key FROM", 1, "JOIN ledger_entry e ON e.key = k.column1")


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """A month as it is now.

    `corrections` are the entries of the month itself (all new ones while it is open; what it would be by now when it is
    closed), `late` those of earlier closed months, `bill_entries` what its bills come to and is not entered yet.
    `facts_hashes` are of what was looked at (`month_seen.py`), before anything of it is entered.
    """

    month: str
    facts: Facts
    closing: Closing | None
    next_month: str
    ask: Ask | None
    stops: tuple[Stop, ...]
    missing_bills: tuple[str, ...]
    stale_bills: tuple[Bill, ...]
    corrections: list[Correction]
    late: list[Correction]
    bill_entries: list[Entry]
    fingerprint: str
    facts_hashes: dict[str, str]

    @property
    def hard_stops(self) -> tuple[Stop, ...]:
        """What no reason helps against."""
        return tuple(one for one in self.stops if one != "no_bill")

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for these very figures."""
        return self.ask is not None and self.ask.fingerprint == self.fingerprint

    @property
    def new_entries(self) -> int:
        """How many entries a closing would write."""
        every = [*self.corrections, *self.late]
        return len(self.bill_entries) + sum(bool(one.entry) + bool(one.reversed) for one in every)


def look(conn: Connection, month: str, now_ms: int) -> Outlook:
    """The month as it is now."""
    closings = {one.month: one for one in ledger_store.closings(conn, AREA)}
    closing = closings.get(month)
    next_month = following(conn, closings) or month
    facts = month_facts.facts(conn, month)
    booked = next_month if closing else month
    changed = _corrections(conn, facts, booked, LATER_NOTE if closing else "")
    hashes = {} if closing else _hashes(conn, month, sorted(closings))
    late = [] if closing else _late(conn, month, hashes)
    entries = [] if closing else _bill_entries(conn, month, facts, sorted(closings))
    missing = () if closing else _missing_bills(facts)
    stale = () if closing else _stale_bills(conn, facts.bills)
    return Outlook(
        month=month,
        facts=facts,
        closing=closing,
        next_month=next_month,
        ask=month_store.ask_of(conn, month),
        stops=() if closing else _stops(facts, next_month, now_ms, missing, stale),
        missing_bills=missing,
        stale_bills=stale,
        corrections=changed,
        late=late,
        bill_entries=entries,
        fingerprint=_fingerprint(month, entries, [*changed, *late]),
        facts_hashes=hashes,
    )


def following(conn: Connection, closings: Iterable[str]) -> str:
    """The month next to be closed: after the last closed one, else the first that has entries; empty for none."""
    last = max(closings, default="")
    if last:
        return months.later(last, 1)
    (first,) = conn.execute("SELECT min(month) FROM ledger_entry WHERE area = ?", (AREA,)).fetchone()
    return first or ""


def late_in(conn: Connection, month: str, booked: str) -> list[Correction]:
    """What a closed month would be by now, less what stands, booked in `booked`."""
    return _corrections(conn, month_facts.facts(conn, month), booked, LATER_NOTE)


def _corrections(conn: Connection, facts: Facts, booked: str, note: str) -> list[Correction]:
    if facts.fault or facts.gathered.problems:
        # What cannot be assessed by now is no reason to take back what stands.
        return []
    standing, times = month_store.standing(conn, facts.month)
    return later.corrections(wanted(facts.assessment, facts.holders), standing, times, booked, note)


def looked_back(month: str, closed: Sequence[str]) -> list[str]:
    """The closed months that a closing looks at again: those of its fiscal year and of the one before."""
    first = f"{fiscal_year_of(month) - 1}-04"
    return [one for one in closed if first <= one < month]


def _hashes(conn: Connection, month: str, closed: Sequence[str]) -> dict[str, str]:
    return {one: month_seen.facts_hash(conn, one) for one in (*looked_back(month, closed), month)}


def _late(conn: Connection, month: str, hashes: Mapping[str, str]) -> list[Correction]:
    """What earlier months would be by now; those are worked out whose facts have changed."""
    seen = month_seen.seen(conn)
    changed = [one for one, hashed in hashes.items() if one < month and seen.get(one) != hashed]
    return [found for one in changed for found in late_in(conn, one, month)]


def _bill_entries(conn: Connection, month: str, facts: Facts, closed: Sequence[str]) -> list[Entry]:
    """What the month's bills come to, and those of earlier months that came after these were closed.

    What is decided on a bill that is in the ledger already is entered when it is decided.
    """
    earlier = [bill for one in looked_back(month, closed) for bill in bill_store.of(conn, one)]
    bills = [bill for bill in (*earlier, *facts.bills) if not bill_store.is_posted(conn, bill)]
    made = [entry for bill in bills for entry in bill_store.entries(conn, bill.id)]
    known = {key for (key,) in among(conn, _KEYS, [entry.key for entry in made])}
    return [msgspec.structs.replace(entry, month=month) for entry in made if entry.key not in known]


def _missing_bills(facts: Facts) -> tuple[str, ...]:
    """The carriers whose lines ran in the month and whose bill is not there."""
    wanted_of = {one.line.carrier for one in facts.gathered.lines if one.line.carrier}
    return tuple(sorted(wanted_of - {bill.carrier for bill in facts.bills}))


def _stale_bills(conn: Connection, bills: Iterable[Bill]) -> tuple[Bill, ...]:
    """The bills that would be judged otherwise by now, of those that are not in the ledger."""
    return tuple(bill for bill in bills if not bill_store.is_posted(conn, bill) and _is_stale(conn, bill))


def _is_stale(conn: Connection, bill: Bill) -> bool:
    content, form = bill_store.content_of(conn, bill.id), bill_store.forms(conn).get(bill.layout)
    if content is None or form is None:
        return False
    asked = Asked(bill.month, bill.carrier, bill.layout, bill.total_yen)
    try:
        paper = bill_look.read(content, bill_layout.read(form.body, form.code), asked)
    except (BadBill, BadLayout):
        # The layout has changed since; what was read with it stands.
        return False
    now = bill_look.look(conn, paper, bill.file_hash).lines
    return [_judged(one) for one in now] != [_judged(one) for one in bill_store.lines(conn, bill.id)]


def _judged(line: Line) -> tuple[object, ...]:
    return line.n, line.phone, line.line_id, line.verdict, line.difference_yen


def _stops(
    facts: Facts, next_month: str, now_ms: int, missing: tuple[str, ...], stale: tuple[Bill, ...]
) -> tuple[Stop, ...]:
    found: list[Stop] = []
    if shown.day_of(now_ms)[:7] <= facts.month:
        found.append("not_over")
    if facts.month != next_month:
        found.append("gap" if facts.month > next_month else "before")
    if not facts.gathered.lines:
        found.append("no_lines")
    if facts.gathered.problems:
        found.append("problems")
    if facts.fault:
        found.append("cannot")
    if stale:
        found.append("stale")
    if missing:
        found.append("no_bill")
    return tuple(found)


def _fingerprint(month: str, entries: Iterable[Entry], corrections: Iterable[Correction]) -> str:
    """Over phones, sums, grounds and decisions; no number of the database is part of it."""
    said: list[object] = [sorted((one.key, _plain(one.legs)) for one in entries)]
    said.append(
        sorted(
            (
                one.of_month,
                one.kind,
                one.phone,
                _plain(one.reversed.legs) if one.reversed else [],
                _plain(one.entry.legs) if one.entry else [],
            )
            for one in corrections
        )
    )
    return hashlib.sha256(msgspec.json.encode(("machinaka waiver month 1", month, said))).hexdigest()


def _plain(legs: Iterable[Leg]) -> list[tuple[str, int, str, str, str, int, str]]:
    return sorted(
        (one.account, one.yen, one.ground, one.decision, one.budget_code, one.fiscal_year, one.of_month) for one in legs
    )
