"""What these tests share: a month of people by hand, layouts as text, a database with a closed month."""

from collections.abc import Mapping, Sequence
from datetime import date

from hub.attendance import close_store
from hub.attendance.close_store import Close, Snapshot
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.result import DayResult, MonthResult, UnitResult
from hub.db import Connection
from hub.payroll import layout
from hub.payroll.form import Layout
from hub.payroll.line import Adjusted, Entry, Line, Table
from hub.staff import store as staff
from hub.staff.terms import Terms

NOW_MS = 1_793_577_600_000
MONTH = "2026-10"
YEN: dict[PayClass, int] = {"W125": 2016, "W150": 2420, "H135": 2178, "X150": 2420, "SHIFT25": 403}
SINCE = date(2020, 4, 1)


def entry(pay: PayClass, minutes: int, hours: int | None = -1) -> Entry:
    """A class's minutes, rounded as the town does unless told otherwise."""
    whole = (minutes + 30) // 60 if hours == -1 else hours
    per_hour = YEN.get(pay, 1613)
    yen = (minutes * per_hour * 2 + 60) // 120 if whole is None else whole * per_hour
    return Entry(pay=pay, since=SINCE, unit_yen=1613, yen_per_hour=per_hour, minutes=minutes, hours=whole, yen=yen)


def person(
    number: str, name: str = "", entries: Sequence[Entry] = (), adjusted: Sequence[Adjusted] = (), **more: int
) -> Line:
    """A person's line."""
    return Line(
        number=number,
        name=name,
        department_code="010",
        department="総務課",
        entries=tuple(entries),
        adjusted=tuple(adjusted),
        yen=sum(one.yen for one in entries),
        unit_yen=1613,
        **more,  # type: ignore[arg-type]  # days and minutes
    )


def back(minutes: int = -30, hours: int = -1, yen: int = -2016, pay: PayClass = "W125") -> Adjusted:
    """What September came to less."""
    return Adjusted(target_month="2026-09", pay=pay, minutes=minutes, hours=hours, yen=yen)


def month(*lines: Line, version: int = 1) -> Table:
    """October."""
    return Table(month=MONTH, version=version, hash="ab" * 32, closed_ms=NOW_MS, lines=lines)


def small(columns: str, head: str = "") -> Layout:
    """A layout of these columns (TOML)."""
    own = "" if "file_name" in head else 'file_name = "out.csv"\n'
    return layout.read(f'name = "small"\ntitle = "small"\n{own}{head}\n{columns}', "small.toml")


def column(heading: str, field: str, **more: object) -> str:
    """A column as TOML."""
    lines = [f"{key} = {_toml(value)}" for key, value in {"heading": heading, "field": field, **more}.items()]
    return "[[column]]\n" + "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def result(minutes: Mapping[PayClass, int], days: Sequence[DayResult] = ()) -> MonthResult:
    """A month at one unit, rounded."""
    hours = {pay: (n + 30) // 60 for pay, n in minutes.items()}
    yen = sum(hours[pay] * YEN.get(pay, 1613) for pay in hours)
    per_hour = {pay: YEN.get(pay, 1613) for pay in minutes}
    unit = UnitResult(since=SINCE, unit_yen=1613, yen_per_hour=per_hour, minutes=dict(minutes), hours=hours, yen=yen)
    return MonthResult(
        month=MONTH,
        weekday_holidays=20,
        units=(unit,),
        minutes=dict(minutes),
        hours=hours,
        yen=yen,
        counts_to_60h_min=0,
        overtime_min=sum(minutes.values()),
        days=tuple(days),
    )


def hire(conn: Connection, number: str, name: str = "") -> int:
    """Somebody who works here since 2020, in the general affairs section."""
    if name:
        staff.keep_names(conn, kept=True)
    if not staff.departments(conn):
        staff.add_department(conn, "010", "総務課")
    found = staff.add_member(conn, number, SINCE, NOW_MS, name)
    staff.set_terms(conn, found, Terms(since=SINCE, department="010", unit_yen=1613), NOW_MS, "test")
    return found


def close(conn: Connection, months: Mapping[int, MonthResult], month: str = MONTH) -> Close:
    """Closes a month with these results."""
    members = staff.members(conn)
    bodies = {id_: close_store.person_body(members[id_].number, one) for id_, one in months.items()}
    snapshot = Snapshot(month=month, profile_hash="p", holiday_hash="h", bodies=bodies)
    return close_store.add(conn, snapshot, NOW_MS, "hanako", "")
