"""Charts, conditions, files: figures that can be explained."""

from hub.attendance.day import Day, day, loose_inside
from hub.attendance.store import Tap
from hub.fleet import chart
from hub.fleet.condition import condition
from hub.fleet.listing import Brief, Line
from hub.fleet.store import DeviceRow, HealthSeries
from hub.fleet.web import Asked, matching, on_page
from hub.pages import table_file
from tests.ingest.parts import HEALTH, NOW_MS

MINUTE_MS = 60_000
ROW = {
    "id": 1, "name": "genkan-1", "kind": "terminal", "online": True, "first_heard_ms": 0, "last_heard_ms": NOW_MS,
    "version": "", "boot": "", "health": HEALTH, "health_at_ms": NOW_MS, "clock": "synced", "spool_urgent": 0,
    "spool_bulk": 0, "quarantined": 0, "missing": 0, "dropped": 0, "open_alarms": (),
}  # fmt: skip


def row(**more: object) -> DeviceRow:
    """A device that is well but for what is said."""
    return DeviceRow(**{**ROW, **more})  # type: ignore[arg-type]


def brief(name: str, *, online: bool, last_heard_ms: int) -> Brief:
    """The same in a list."""
    return Brief(0, name, "terminal", online, last_heard_ms, "", None, "synced", 0, 0, 0, (), 0, 0)


def test_the_table_of_conditions() -> None:
    for more, word, reasons in (
        ({}, "ok", ()),
        ({"open_alarms": ("card_reader",)}, "fault", ("alarm",)),
        ({"missing": 1, "dropped": 2, "quarantined": 3}, "fault", ("missing", "dropped", "quarantined")),
        ({"quarantined": 1}, "warning", ("quarantined",)),
        ({"clock": "unset"}, "warning", ("clock_unset",)),
        ({"spool_bulk": 1001}, "warning", ("backlog",)),
        ({"last_heard_ms": NOW_MS - 10 * MINUTE_MS - 1}, "warning", ("silent",)),
        ({"online": False, "last_heard_ms": 0}, "offline", ()),
        ({"online": False, "missing": 1}, "offline", ("missing",)),
        ({"health": None, "clock": None}, "ok", ()),
    ):
        assert condition(row(**more), NOW_MS) == (word, reasons), more


def test_a_gap_is_a_gap_and_no_line_is_drawn_through_it() -> None:
    times = [NOW_MS, NOW_MS + MINUTE_MS, NOW_MS + 10 * MINUTE_MS]
    found = chart._health(HealthSeries(times, [1, 2, 3], [1, 2, 3], [1, 2, 3], [None, 25_040, 1], [0, 1, 2], False), 7)
    assert found.cpu == [1, 2, None, 3]
    assert found.temperature == [None, 250, None, 0]
    assert found.at_s == sorted(found.at_s)
    assert chart.used_permille(0, 0) == chart.used_permille(5, 9) == 0


def test_no_cell_of_a_file_begins_a_formula() -> None:
    text = bytes(table_file("x.csv", ["a"], [["=1+1"], ["+1"], ["-1"], ["@x"], ["\tx"], ["\r=1"], ["fine"]]).body)
    assert text.decode("utf-8-sig").split("\r\n")[1:5] == ["'=1+1", "'+1", "'-1", "'@x"]
    assert b'"\'\r=1"' in text


def test_a_list_is_filtered_sorted_and_paged_by_address() -> None:
    rows = [brief(f"t-{n:03}", online=n % 2 == 0, last_heard_ms=NOW_MS - n) for n in range(120)]
    every = [Line(one, condition(one, NOW_MS)) for one in rows]
    found = matching(every, Asked(condition="offline", sort="heard"))
    assert len(found) == 60
    assert [line.row.name for line in on_page(found, 2)][:2] == ["t-101", "t-103"]
    assert [line.row.name for line in matching(every, Asked(q="119"))] == ["t-119"]
    assert matching(every, Asked(kind="tablet")) == []
    assert Asked(q="a b", page=3).query(page=2) == "?q=a+b&page=2"
    assert Asked().query() == ""


def test_who_is_in_is_told_from_the_days_true_times() -> None:
    def tap(id_: int, card: str, direction: str, ago_h: int = 0, standing: str = "accepted") -> Tap:
        at_ms = NOW_MS - ago_h * 3_600_000
        return Tap(id_, "t", card, direction, standing, "time", at_ms, at_ms, "synced", at_ms)

    taps = [
        tap(1, "a", "clock_in"),
        tap(2, "a", "clock_out"),
        tap(3, "b", "clock_in"),
        tap(4, "b", "clock_out", standing="repeat"),
        tap(5, "c", "clock_in", ago_h=48),
    ]
    assert day(taps, NOW_MS, 180, 1) == Day(punches=3, cards=2, inside=1)
    assert loose_inside(taps, NOW_MS, 180) == 1
