"""The closing of a month of waivers: asked for by one person, approved by another, done whole or not at all.

1. Who asks has looked at figures; whoever approves closes these very figures.  When anything has changed since, nothing
   is done, and it is asked for anew.
2. Everything is entered and closed in one transaction: the bills, assessments, waivers, corrections of earlier months,
   the closing, the request's end and the audit log.
3. There is no reopening.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, get_args

from hub import audit
from hub.db import Connection
from hub.waiver import ledger_store, month_seen, month_store, outlook
from hub.waiver.later import Correction
from hub.waiver.ledger_store import Closing
from hub.waiver.month import AREA
from hub.waiver.month_store import Ask
from hub.waiver.outlook import LATER_NOTE, Outlook, Stop
from hub.waiver.rules.months import last_day

Refused = Literal[Stop, "closed", "moved", "not_asked", "same_person", "no_reason"]
REFUSED: tuple[str, ...] = (*get_args(Stop), "closed", "moved", "not_asked", "same_person", "no_reason")


def ask(conn: Connection, month: str, fingerprint: str, note: str, who: str, now_ms: int) -> Ask | Refused:
    """Asks to close a month as it was looked at; or why not. A request for other figures ends by it."""
    found = outlook.look(conn, month, now_ms)
    refused = _cannot(found, note)
    if refused:
        return refused
    if found.fingerprint != fingerprint:
        return "moved"
    if found.ask:
        month_store.end_ask(conn, found.ask.id, "withdrawn", who, now_ms)
    month_store.add_ask(conn, month, fingerprint, note, who, now_ms)
    audit.note(conn, now_ms, who, "waiver_close_ask", month, f"{fingerprint} {note}".strip())
    made = month_store.ask_of(conn, month)
    assert made is not None  # noqa: S101 (it was just written)
    return made


def approve(conn: Connection, month: str, who: str, now_ms: int) -> Closing | Refused:
    """Enters and closes what was asked for; or why not. In a transaction. Raises NotPosted."""
    found = outlook.look(conn, month, now_ms)
    if found.closing:
        return "closed"
    if not found.ask:
        return "not_asked"
    if found.ask.asked_by == who:
        return "same_person"
    refused = _cannot(found, found.ask.note)
    if refused:
        return refused
    if not found.is_asked:
        return "moved"
    return _close(conn, found, found.ask, who, now_ms)


def end(conn: Connection, month: str, result: Literal["refused", "withdrawn"], who: str, now_ms: int) -> Ask | Refused:
    """Ends a request without closing: refused by another person, withdrawn by anybody who may ask."""
    found = month_store.ask_of(conn, month)
    if not found:
        return "not_asked"
    if result == "refused" and found.asked_by == who:
        return "same_person"
    month_store.end_ask(conn, found.id, result, who, now_ms)
    audit.note(conn, now_ms, who, "waiver_close_refuse" if result == "refused" else "waiver_close_withdraw", month)
    return found


def _cannot(found: Outlook, note: str) -> Refused | None:
    if found.closing:
        return "closed"
    if found.hard_stops:
        return found.hard_stops[0]
    return "no_reason" if "no_bill" in found.stops and not note else None


def _close(conn: Connection, found: Outlook, asked: Ask, who: str, now_ms: int) -> Closing:
    by = asked.asked_by
    ledger_store.post(conn, found.bill_entries, now_ms=now_ms, by=by, approved_by=who)
    changes = [*found.corrections, *found.late]
    _reverse(conn, found.month, changes, by, who, now_ms)
    entries = [one.entry for one in changes if one.entry]
    ledger_store.post(conn, entries, now_ms=now_ms, by=by, approved_by=who)
    month_store.end_ask(conn, asked.id, "approved", who, now_ms)
    made = ledger_store.close(conn, AREA, found.month, now_ms=now_ms, by=by, approved_by=who)
    for month, facts in found.facts_hashes.items():
        month_seen.keep(conn, month, facts, now_ms)
    return made


def _reverse(conn: Connection, month: str, changes: Iterable[Correction], by: str, who: str, now_ms: int) -> None:
    of_month: dict[str, list[int]] = defaultdict(list)
    for one in changes:
        if one.reversed:
            of_month[one.of_month].append(one.reversed.seq)
    for about, seqs in sorted(of_month.items()):
        ledger_store.reverse(
            conn,
            seqs,
            month=month,
            day=last_day(about).isoformat(),
            note=LATER_NOTE,
            now_ms=now_ms,
            by=by,
            approved_by=who,
        )
