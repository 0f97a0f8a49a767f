"""Registers of a believable small town: residents of three districts, lines, and applications in every state."""

from hub import shown
from hub.db import Connection
from hub.inventory import store as inventory
from hub.waiver import application_store, register_store, rules_web
from hub.waiver.application import Application, Asks, Decision
from hub.waiver.register import LineTariff, Use

_DISTRICTS = ("北町", "南町", "浜")
_DAY_MS = 86_400_000


class _Desk:
    """Enters and decides with numbers that count on."""

    def __init__(self, conn: Connection, now_ms: int) -> None:
        self.conn, self.now_ms, self.n = conn, now_ms, 0

    def ago(self, days: int) -> str:
        """A day so many days before today."""
        return shown.day_of(self.now_ms - days * _DAY_MS)

    def apply(self, resident: int, rule: str, applied: str, asks: Asks = "grant", **more: object) -> int:
        """An application; its id."""
        self.n += 1
        values: dict[str, object] = {
            "id": 0,
            "number": f"2026-{self.n}",
            "asks": asks,
            "of_id": None,
            "resident_id": resident,
            "line_id": None,
            "rule": rule,
            "applied_day": applied,
            "accepted_day": applied,
            "from_day": "",
            "reason": "",
            "entered_by": "sato",
            "entered_ms": self.now_ms - 3_600_000,
        }
        return application_store.enter(self.conn, Application(**(values | more)))  # type: ignore[arg-type]

    def grant(self, number: int, day: str, until: str = "", reason: str = "") -> None:
        """Decides on it."""
        decision = Decision(
            "granted", f"北総第{number}号", day, "要綱第6条", reason, until, "boss", self.now_ms + number
        )
        application_store.decide(self.conn, number, decision)


def fill_registers(conn: Connection, now_ms: int) -> None:
    """Twelve residents, ten lines of which eight are in use, one tablet that is lent with a line, nine applications."""
    rules_web.load_sample(conn, "fin", now_ms)
    april = f"{shown.day_of(now_ms - 200 * _DAY_MS)[:7]}-01"
    residents = [
        register_store.add_resident(
            conn,
            str(1001 + n),
            {"district": _DISTRICTS[n % 3], "from_day": april, "note": "" if n else "要連絡"},
            now_ms,
        )
        for n in range(12)
    ]
    lines = [_line(conn, n, april, now_ms) for n in range(10)]
    item = inventory.enter(conn, None, now_ms)
    inventory.change(conn, item, {"asset": "T-0001", "kind": "tablet", "model": "Tab 10"}, now_ms)
    inventory.lend(
        conn,
        item,
        {"loan_number": "1001", "loan_since": april, "loan_until": shown.day_of(now_ms + 200 * _DAY_MS)},
        "sato",
    )
    loan = inventory.loans(conn, item)[0].id
    for n in range(8):
        thing, its_loan = (item, loan) if n == 0 else (None, None)
        register_store.hand_over(conn, Use(0, lines[n], residents[n], thing, its_loan, april, "", 0, 0), now_ms)
    desk = _Desk(conn, now_ms)
    soon = shown.day_of(now_ms + 40 * _DAY_MS)
    for n, (rule, until) in enumerate((("welfare", ""), ("age75", ""), ("flat1000", soon), ("nontax", ""))):
        desk.grant(desk.apply(residents[n], rule, april), april, until)
    changed = desk.apply(residents[1], "welfare", desk.ago(30), "change", of_id=2, from_day=desk.ago(20))
    desk.grant(changed, desk.ago(25))
    gone = desk.apply(residents[3], "nontax", desk.ago(9), "end", of_id=4, from_day=desk.ago(10), reason="転出")
    desk.grant(gone, desk.ago(5))
    desk.apply(residents[4], "age75", desk.ago(2), line_id=lines[4], reason="75歳以上のみの世帯。住民票を確認")
    desk.apply(residents[5], "welfare", desk.ago(1), reason="生活保護受給証明書")
    refused = desk.apply(residents[6], "flat1000", desk.ago(12))
    application_store.decide(
        conn,
        refused,
        Decision("refused", "北総第9号", desk.ago(6), "", "手帳の等級が要件に当たらないため", "", "boss", now_ms),
    )


def _line(conn: Connection, n: int, first: str, now_ms: int) -> int:
    found = register_store.add_line(
        conn,
        {
            "phone": f"0901234000{n}",
            "iccid": f"898110000000000000{n}",
            "carrier": "A通信",
            "budget_code": "2-1-1-11",
            "from_day": first,
        },
        now_ms,
    )
    if n != 9:
        register_store.set_tariff(conn, found, LineTariff(first[:7], "data-3gb" if n % 4 else "data-10gb", None))
    return found
