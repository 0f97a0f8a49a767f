"""Access: a month of lines as the facts have it at this moment, worked out: registers, usage, bills, what was waived.

1. The carrier's figure of data used decides, for that is what is paid for; where the bill has none, our own count does.
2. Charges beside the tariff (roaming, paid content) are those of the bill.
3. What was waived before in the fiscal year is what the ledger says, for caps of a year.
"""

from typing import Literal

import msgspec

from hub.db import Connection
from hub.tablet import usage_store
from hub.waiver import bill_store, gather, month_store
from hub.waiver.bill import Bill, Line, other_charges
from hub.waiver.gather import Gathered
from hub.waiver.month import Holder
from hub.waiver.rules import assess as rules
from hub.waiver.rules.given import OtherCharge
from hub.waiver.rules.profile import BadProfile
from hub.waiver.rules.result import Assessment

Source = Literal["bill", "device"]
_NOTHING = Assessment(month="", lines=(), invoices=(), ex_tax=0, tax=0, total=0, waived=0, resident=0)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A month worked out. `sources` says by line id whose figure of data used counts; `fault` why nothing could be."""

    month: str
    gathered: Gathered
    assessment: Assessment
    holders: dict[str, Holder]
    bills: list[Bill]
    billed: list[Line]
    used: dict[int, int]
    sources: dict[int, Source]
    fault: str = ""


def facts(conn: Connection, month: str) -> Facts:
    """The month as it is known now; the same facts give the same, in whatever order they came."""
    gathered = gather.month(conn, month)
    bills = bill_store.of(conn, month)
    billed = [line for bill in bills for line in bill_store.lines(conn, bill.id)]
    used, sources = _used(conn, month, billed)
    lines, of = gather.use_lines(gathered, used, _others(billed), month_store.waived_before(conn, month))
    fault, assessment = "", _NOTHING
    try:
        assessment = rules.assess(month, gathered.tariffs, gathered.rules, lines)
    except BadProfile as error:
        fault = str(error)
    by_id = {one.line.id: one.line for one in gathered.lines}
    holders = {
        name: Holder(
            line_id=one.line_id,
            phone=by_id[one.line_id].phone,
            resident_id=one.resident_id,
            resident=gathered.residents[one.resident_id].number if one.resident_id else "",
        )
        for name, one in of.items()
    }
    return Facts(
        month=month,
        gathered=gathered,
        assessment=assessment,
        holders=holders,
        bills=bills,
        billed=billed,
        used=used,
        sources=sources,
        fault=fault,
    )


def _used(conn: Connection, month: str, billed: list[Line]) -> tuple[dict[int, int], dict[int, Source]]:
    used = {line_id: one.sim_bytes for line_id, one in usage_store.used(conn, month).items()}
    sources: dict[int, Source] = dict.fromkeys(used, "device")
    for line in billed:
        if line.line_id and line.used_bytes is not None:
            used[line.line_id] = line.used_bytes
            sources[line.line_id] = "bill"
    return used, sources


def _others(billed: list[Line]) -> dict[int, tuple[OtherCharge, ...]]:
    found: dict[int, tuple[OtherCharge, ...]] = {}
    for line in billed:
        others = other_charges(line)
        if line.line_id and others:
            found[line.line_id] = found.get(line.line_id, ()) + others
    return found
