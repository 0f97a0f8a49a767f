"""A made-up month, to show what a layout looks like before anybody works here (rule)."""

from datetime import date

from hub.attendance.rules.kinds import PayClass
from hub.payroll.line import Adjusted, Entry, Line, Table

_UNIT, _SINCE = 1613, date(2026, 4, 1)


def _entry(pay: PayClass, minutes: int, hours: int, yen_per_hour: int) -> Entry:
    return Entry(
        pay=pay,
        since=_SINCE,
        unit_yen=_UNIT,
        yen_per_hour=yen_per_hour,
        minutes=minutes,
        hours=hours,
        yen=hours * yen_per_hour,
    )


TABLE = Table(
    month="2026-10",
    version=1,
    hash="0" * 64,
    closed_ms=1_793_577_600_000,
    lines=(
        Line(
            number="000123",
            name="山田 花子",
            department_code="010",
            department="総務課",
            work_days=21,
            regular_min=9765,
            overtime_min=317,
            unit_yen=_UNIT,
            yen=12_500,
            entries=(_entry("W125", 270, 5, 2016), _entry("W150", 47, 1, 2420)),
        ),
        Line(
            number="000124",
            name="佐藤 太郎",
            department_code="010",
            department="総務課",
            kind="part_time",
            work_days=15,
            leave_days=1,
            late_min=12,
            regular_min=5400,
            overtime_min=3570,
            unit_yen=_UNIT,
            yen=120_960,
            entries=(_entry("W125", 3570, 60, 2016),),
            adjusted=(Adjusted(target_month="2026-09", pay="W125", minutes=-30, hours=-1, yen=-2016),),
        ),
    ),
)
