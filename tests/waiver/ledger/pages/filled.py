"""Books of a small town for tests and pictures: six residents, three months, payments, a correction, two closed."""

from functools import partial

from hub.db import Connection
from hub.waiver import ledger_store, receipt_store
from hub.waiver.receipt import Receipt
from hub.waiver.receipt_store import Reminder
from tests.waiver.ledger.parts import NOW_MS, assess, bill, enter_registers, waive

MONTHS = ("2026-08", "2026-09", "2026-10")


def fill(conn: Connection) -> None:
    """Everything in one transaction."""
    enter_registers(conn)
    post = partial(ledger_store.post, conn, now_ms=NOW_MS, by="sachi")
    for month in MONTHS:
        lines = range(1, 7)
        post([bill(line, month) for line in lines])
        post([assess(line, month, 2731 if (line, month) == (4, "2026-09") else 1631) for line in lines])
        post([waive(1, month), waive(2, month, 816), waive(3, month, 816)], approved_by="boss")
    for n, (resident, yen, day) in enumerate(
        ((2, 815, "2026-10-05"), (4, 5000, "2026-11-02"), (5, 1631, "2026-11-20"))
    ):
        paid = Receipt(reference=f"2026-{n + 101}", resident_id=resident, day=day, yen=yen, way="slip")
        receipt_store.enter(conn, paid, now_ms=NOW_MS, by="sachi")
    for month in MONTHS[:2]:
        ledger_store.close(conn, "line", month, now_ms=NOW_MS, by="sachi", approved_by="boss")
    wrong = ledger_store.of_key(conn, "waive:2026-08:3")
    assert wrong is not None
    ledger_store.reverse(
        conn,
        [wrong.seq],
        month="2026-10",
        day="2026-10-20",
        note="申請の内容が事実と異なったため",
        now_ms=NOW_MS,
        by="sachi",
        approved_by="boss",
    )
    kept = receipt_store.of_reference(conn, "2026-103")
    assert kept is not None
    receipt_store.undo(conn, kept, day="2026-11-21", note="別の住民の納付", now_ms=NOW_MS, by="sachi")
    letter = Reminder(
        id=0,
        resident_id=6,
        day="2026-11-10",
        pay_by_day="2026-11-20",
        yen=1631,
        open=(("09012340006", "2026-08", 1631),),
        printed_by="sachi",
        printed_ms=NOW_MS,
    )
    receipt_store.remind(conn, letter)
