"""What the tests of bills share: a register of lines, bills written in each of the layouts that come with the hub."""

import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.db import Connection
from hub.waiver import bill_layout, bill_store, register_store, tariff_store
from hub.waiver.bill_layout import Layout
from hub.waiver.register import LineTariff
from hub.waiver.rules.profile import LineFee, Tariff
from hub.waiver.tariff_store import TariffVersion

MONTH, CARRIER = "2026-11", "北の通信"
GB = 10**9
TARIFF = Tariff(
    base_yen=1480,
    included_bytes=3 * GB,
    block_bytes=GB,
    block_yen=500,
    line_fees=(LineFee(name="universal", yen=2), LineFee(name="relay", yen=1)),
)


class Row(NamedTuple):
    """A line as a carrier bills it; charges in yen without tax."""

    phone: str
    base: int = 1480
    universal: int = 2
    relay: int = 1
    overage: int = 0
    roaming: int = 0
    used: int = 0
    iccid: str = ""

    @property
    def ex_tax(self) -> int:
        """Its charges."""
        return self.base + self.universal + self.relay + self.overage + self.roaming


def phone(n: int) -> str:
    """The number of the nth line."""
    return f"090{n:08d}"


def layout(code: str) -> Layout:
    """A layout that comes with the hub."""
    return bill_layout.read(bill_store.shipped()[code].body, code)


def csv_line(rows: Iterable[Row], month: str = "202611", number: str = "NB-1", due: str = "2026/12/31") -> bytes:
    """A file of the layout `csv-line`."""
    head = (
        "利用年月,請求書番号,支払期限,電話番号,ICCID,基本料,ユニバーサルサービス料,電話リレーサービス料,超過通信料,"
        "国際ローミング,小計（税抜）,通信量（バイト）"
    )
    lines = [
        f"{month},{number},{due},{one.phone},{one.iccid},{one.base},{one.universal},{one.relay},{one.overage},"
        f'{one.roaming},"{one.ex_tax:,}",{one.used}'
        for one in rows
    ]
    return "".join(f"{line}\r\n" for line in (head, *lines)).encode("cp932")


_CHARGES = (
    ("基本使用料", "base"),
    ("ユニバーサルサービス料", "universal"),
    ("電話リレーサービス料", "relay"),
    ("追加データ料", "overage"),
    ("国際ローミング", "roaming"),
)


def csv_charge(rows: Iterable[Row], tax: int, month: str = "2026年11月") -> bytes:
    """A file of the layout `csv-charge`."""
    text = io.StringIO(newline="")
    text.write("ご利用月,請求番号,電話番号,内訳項目,金額（円）,税率,データ通信量（GB）\r\n")
    for one in rows:
        for name, field in _CHARGES:
            yen = getattr(one, field)
            if yen or field == "base":
                rate = "0%" if field == "roaming" else "10%"
                used = f"{one.used / GB:.9f}" if field == "base" else ""
                text.write(f"{month},NB-1,{one.phone},{name},{yen},{rate},{used}\r\n")
        text.write(f"{month},NB-1,{one.phone},小計,{one.ex_tax},10%,\r\n")
    text.write(f"{month},NB-1,,消費税,{tax},10%,\r\n")
    return text.getvalue().encode("cp932")


class Totals(NamedTuple):
    """What the trailer of a file of fixed length says."""

    lines: int
    ex_tax: int
    tax: int


def fixed(rows: Sequence[Row], tax: int, month: str = "202611", totals: Totals | None = None) -> bytes:
    """A file of the layout `fixed-128`."""
    said = totals or Totals(len(rows), sum(one.ex_tax for one in rows), tax)
    records = [b"10" + month.encode() + b"NB-1".ljust(16) + b"20261231" + CARRIER.encode("cp932").ljust(40)]
    for one in rows:
        head = b"20" + one.phone.encode().ljust(13) + one.iccid.encode().ljust(20)
        records.append(head + f"{one.used:015d}{one.ex_tax:010d}".encode())
        for name, field in _CHARGES:
            yen = getattr(one, field)
            if yen:
                rate = b"00" if field == "roaming" else b"10"
                shown = "超過通信料" if field == "overage" else name
                records.append(b"30" + shown.encode("cp932").ljust(40) + f"{yen:010d}".encode() + rate)
    total = said.ex_tax + said.tax
    records.append(b"90" + f"{said.lines:06d}{said.ex_tax:012d}{said.tax:012d}{total:012d}".encode())
    return b"".join(one.ljust(128) + b"\r\n" for one in records)


def tax_of(rows: Iterable[Row]) -> int:
    """The tax of a bill: ten percent of all but roaming, floored once."""
    return sum(one.ex_tax - one.roaming for one in rows) * 10 // 100


def enter(conn: Connection, n: int = 3, carrier: str = CARRIER, tariff: Tariff = TARIFF) -> list[int]:
    """A register of n lines under one tariff; their ids."""
    tariff_store.put_tariff(conn, TariffVersion("std", "2026-04", "", tariff, "hanako", 1))
    return [enter_line(conn, phone(one), carrier=carrier) for one in range(1, n + 1)]


def enter_line(conn: Connection, number: str, **values: str) -> int:
    """One line more."""
    given = {"phone": number, "carrier": CARRIER, "budget_code": "02-01-11", "from_day": "2026-04-01", **values}
    line_id = register_store.add_line(conn, given, 1)
    register_store.set_tariff(conn, line_id, LineTariff("2026-04", "std", None))
    return line_id
