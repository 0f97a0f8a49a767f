"""Access: a carrier's file looked at beside the register: what importing it would come to, and nothing done.

What is looked at is what is done: `digest` tells whether it still is when somebody says so.
"""

import hashlib
from typing import NamedTuple

import msgspec

from hub.db import Connection
from hub.tablet import usage_store
from hub.waiver import bill_intake, bill_layout, bill_store, gather, register_store
from hub.waiver.bill import Bill, Line
from hub.waiver.bill_intake import Paper
from hub.waiver.bill_layout import Layout
from hub.waiver.bill_match import Contract, match


class Asked(NamedTuple):
    """What somebody said of a file: its month of use, whose bill it is, its layout, and what the paper's total is."""

    month: str
    carrier: str
    layout: str
    total_yen: int | None = None


class Look(NamedTuple):
    """What a file comes to: the bill as it came, its lines judged, and what stands against keeping it (words)."""

    paper: Paper
    lines: list[Line]
    against: list[str]
    digest: str


def look(conn: Connection, paper: Paper, file_hash: str) -> Look:
    """The bill's lines beside the register as it is now."""
    gathered = gather.month(conn, paper.month)
    lines = match(paper, contracts(conn, gathered), gathered.tariffs)
    against = []
    if any(one.carrier == paper.carrier for one in bill_store.of(conn, paper.month)):
        against.append("month_taken")
    if bill_store.of_file(conn, file_hash) is not None:
        against.append("file_taken")
    digest = hashlib.sha256(msgspec.json.encode((paper, lines, against))).hexdigest()
    return Look(paper, lines, against, digest)


def contracts(conn: Connection, gathered: gather.Gathered) -> list[Contract]:
    """Every line of the register: what is to be expected of it in the month, or why nothing is."""
    used = {line_id: one.sim_bytes for line_id, one in usage_store.used(conn, gathered.month).items()}
    given = {one.id: one for one in gather.contract_lines(gathered, used)}
    there = {one.line.id for one in gathered.lines}
    return [
        Contract(
            line_id=line.id,
            phone=line.phone,
            iccid=usage_store.plain_sim(line.iccid),
            carrier=line.carrier,
            given=given.get(line.phone),
            why="no_tariff" if line.id in there else "ended",
            budget_code=line.budget_code,
            used_bytes=used.get(line.id),
        )
        for line in register_store.lines(conn)
    ]


def read(content: bytes, layout: Layout, asked: Asked) -> Paper:
    """The bill in a file. Raises bill_intake.BadBill."""
    return bill_intake.read(content, layout, asked.month, asked.carrier, asked.total_yen)


def hash_of(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()


def as_bill(found: Look, asked: Asked, name: str, file_hash: str, by: str, now_ms: int) -> Bill:
    """The bill to keep."""
    paper = found.paper
    return Bill(
        id=0,
        carrier=paper.carrier,
        month=paper.month,
        number=paper.number,
        first_day=paper.first_day,
        last_day=paper.last_day,
        due_day=paper.due_day,
        ex_tax_yen=paper.ex_tax_yen,
        tax_yen=paper.tax_yen,
        total_yen=paper.total_yen,
        file_name=name[:200],
        file_hash=file_hash,
        layout=asked.layout,
        entered_by=by,
        entered_ms=now_ms,
    )


def again(conn: Connection, bill: Bill, by: str, now_ms: int) -> int:
    """Judges a bill anew beside the register as it is now, from its file; the old one is withdrawn. The new number.

    Raises bill_store.Cannot (`posted`, `gone`, `no_file`), bill_intake.BadBill and bill_layout.BadLayout.
    """
    content, form = bill_store.content_of(conn, bill.id), bill_store.forms(conn).get(bill.layout)
    if content is None or form is None:
        raise bill_store.Cannot("no_file")
    bill_store.withdraw(conn, bill.id, now_ms)
    asked = Asked(bill.month, bill.carrier, bill.layout, bill.total_yen)
    found = look(conn, read(content, bill_layout.read(form.body, form.code), asked), bill.file_hash)
    made = as_bill(found, asked, bill.file_name, bill.file_hash, by, now_ms)
    return bill_store.keep(conn, made, found.lines, content)
