"""A believable office for the pages: October 2026, which is over, and who is in at this moment.

0012  山田 花子    general affairs: late work, a card touched twice, a slow clock, a going put right
0034  鈴木 太郎    general affairs: a going that is missing, a long evening without an order
0056  高橋 一郎    roads: over sixty hours, a night of snow over midnight into a holiday
"""

from datetime import date

from hub.attendance.request import LeaveBody, SubstituteBody, SwapBody
from hub.db import Connection
from hub.staff import store as staff
from hub.staff.terms import Terms
from tests.attendance.close.hall import Hall, ms, workdays

MONTH = "2026-10"
SINCE = date(2026, 4, 1)
HOLIDAYS = (12,)


def fill(hall: Hall, now_ms: int, person_id: int | None = None) -> dict[str, int]:
    """Everything; the staff ids by number. `person_id` signs in as 0012."""
    hall.write(_departments)
    ids = {
        "0012": hall.person("0012", card=1, terms=_terms("soumu", base=250_000)),
        "0034": hall.person("0034", card=2, terms=_terms("soumu", base=231_500)),
        "0056": hall.person("0056", card=3, terms=_terms("kensetsu", base=268_300, office="other_directed")),
    }

    def name(conn: Connection) -> None:
        staff.keep_names(conn, kept=True)
        for number, text in (("0012", "山田 花子"), ("0034", "鈴木 太郎"), ("0056", "高橋 一郎")):
            staff.set_name(conn, ids[number], text, 0)
        if person_id is not None:
            staff.link_person(conn, ids["0012"], person_id, 0)

    hall.write(name)
    _hanako(hall, ids["0012"])
    _taro(hall, ids["0034"])
    _ichiro(hall, ids["0056"])
    _today(hall, now_ms)
    return ids


def _departments(conn: Connection) -> None:
    staff.add_department(conn, "soumu", "総務課")
    staff.add_department(conn, "kensetsu", "建設課")


def _terms(department: str, *, base: int, office: str = "ordinary") -> Terms:
    return Terms(since=SINCE, department=department, monthly_base_yen=base, office=office)  # type: ignore[arg-type]


def _hanako(hall: Hall, id_: int) -> None:
    hall.month(1, MONTH, but=(1, 2, 7, 13, 15, 19, 22), holidays=HOLIDAYS)
    hall.tap(1, "2026-10-01 08:21:10")
    hall.tap(1, "2026-10-01 08:21:13", terminal=2)
    hall.tap(1, "2026-10-01 22:47:30")
    hall.order(id_, "2026-10-01 17:30", "2026-10-01 22:47", ms("2026-10-01 16:00"))
    hall.work(1, date(2026, 10, 2), "08:21", "19:32")
    hall.order(id_, "2026-10-02 17:30", "2026-10-02 19:30", ms("2026-10-02 16:00"))
    hall.tap(1, "2026-10-07 08:24")
    hall.correct(id_, date(2026, 10, 7), None, "17:20", ms("2026-10-08 09:00"))
    # The terminal's clock is 125 s slow, and says so later.
    hall.tap(1, ms("2026-10-13 08:22") - 125_000, boot=2, mono_ms=60_000, clock="held")
    hall.reading(2, 50_000, ms("2026-10-13 08:22") - 10_000)
    hall.tap(1, "2026-10-13 17:25")
    hall.request(id_, LeaveBody(date(2026, 10, 15), date(2026, 10, 15), "annual"), "approved")
    hall.work(1, date(2026, 10, 19), "08:29", "18:40")
    hall.request(id_, SwapBody(date(2026, 10, 24), date(2026, 10, 22)), "approved")
    hall.work(1, date(2026, 10, 24), "08:20", "17:21")


def _taro(hall: Hall, id_: int) -> None:
    hall.month(2, MONTH, but=(5, 9, 20), holidays=HOLIDAYS)
    hall.tap(2, "2026-10-05 08:27")
    hall.work(2, date(2026, 10, 20), "07:35", "19:58")


def _ichiro(hall: Hall, id_: int) -> None:
    hall.month(3, MONTH, but=(*range(1, 12),), holidays=HOLIDAYS)
    for day in workdays(MONTH)[:6]:
        hall.work(3, day, "08:15", "23:31")
        hall.order(id_, f"{day} 17:30", f"{day} 23:30")
    # Snow on the evening before a holiday, through the night.
    hall.tap(3, "2026-10-09 08:20")
    hall.tap(3, "2026-10-10 02:10", direction="clock_out")
    hall.order(id_, "2026-10-09 17:30", "2026-10-10 02:00")
    hall.work(3, date(2026, 10, 11), "05:10", "16:40")
    hall.order(id_, "2026-10-11 05:15", "2026-10-11 16:30")
    hall.work(3, date(2026, 10, 12), "06:02", "18:02")
    hall.order(id_, "2026-10-12 06:00", "2026-10-12 18:00")
    for day in workdays(MONTH)[8:12]:
        hall.order(id_, f"{day} 04:00", f"{day} 08:30")
        hall.tap(3, f"{day} 03:58")
    hall.request(id_, SubstituteBody(date(2026, 10, 12), date(2026, 10, 30)), None)


def _today(hall: Hall, now_ms: int) -> None:
    """Hanako came an hour ago; Taro came and went; Ichiro has not come."""
    # Chosen by her: a single tap late in the day would be taken as her leaving.
    hall.tap(1, now_ms - 3_600_000, direction="clock_in", chosen=True)
    hall.tap(2, now_ms - 5_400_000)
    hall.tap(2, now_ms - 1_800_000, direction="clock_out", chosen=True)
