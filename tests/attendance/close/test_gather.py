"""What people's months are worked out from."""

from datetime import date
from pathlib import Path

import pytest

from hub.attendance import gather
from hub.attendance.rules.given import Tap
from hub.staff import store as staff
from tests.attendance.close.hall import HOUR_MS, Hall, hall, ms, token

MONTH = "2026-10"


def taps(one: Hall, staff_id: int, month: str = MONTH) -> tuple[Tap, ...]:
    """The taps of a person's month."""
    return one.read(lambda conn: gather.givens(conn, [staff_id], month, None))[staff_id].taps


def test_the_true_time_places_a_tap_wherever_its_raw_time_lies(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        # A board without a battery: 1970, and an hour later it hears the time.
        one.tap(1, 5000, boot=2, mono_ms=5000, clock="unset")
        one.tap(1, ms("2026-10-05 17:20"), boot=3, mono_ms=9000, clock="held")
        assert [(tap.at_ms, tap.trusted) for tap in taps(one, taro)] == [(ms("2026-10-05 17:20"), False)]
        one.reading(2, 5000 + HOUR_MS, ms("2026-10-05 09:20"))
        one.reading(3, 9000 + HOUR_MS, ms("2026-10-05 18:17"))
        found = taps(one, taro)
        assert [tap.at_ms for tap in found] == [ms("2026-10-05 08:20"), ms("2026-10-05 17:17")]
        assert [tap.trusted for tap in found] == [True, True]
        assert found[1].skew_s == 180
        assert taps(one, taro, "1970-01") == ()


def test_whoever_held_the_card_was_there(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1, since_ms=ms("2026-10-02 12:00"))
        hana = one.person("0002")
        # Days before, when it was tried out.
        one.tap(1, "2026-10-01 16:00", standing="unknown")
        # Before anybody had it: it is the one's who gets it that day.
        one.tap(1, "2026-10-02 08:20", standing="unknown")
        one.tap(1, "2026-10-02 17:20")
        (card,) = one.read(staff.cards)
        one.write(lambda conn: staff.card_lost(conn, card.id, ms("2026-10-05 12:00"), "clerk"))
        # Lost, and found by somebody else who tries it.
        one.tap(1, "2026-10-05 12:30", standing="unknown")
        assert len(taps(one, taro)) == 2
        one.write(
            lambda conn: staff.issue_card(conn, hana, token(1), ms("2026-10-06 09:00"), ms("2026-10-06 09:00"), "clerk")
        )
        one.tap(1, "2026-10-06 17:20")
        assert [tap.at_ms for tap in taps(one, taro)] == [ms("2026-10-02 08:20"), ms("2026-10-02 17:20")]
        assert [tap.at_ms for tap in taps(one, hana)] == [ms("2026-10-05 12:30"), ms("2026-10-06 17:20")]


def test_a_direction_counts_only_where_a_person_chose_it(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.tap(1, "2026-10-01 08:20")
        one.tap(1, "2026-10-01 15:00", chosen=True, direction="clock_in")
        one.tap(1, "2026-10-01 15:00:03", standing="repeat", direction="clock_out")
        assert [tap.direction for tap in taps(one, taro)] == ["", "clock_in", ""]


def test_an_answered_tap_counts_once_with_its_answer(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.tap(1, "2026-10-01 11:00:00", seq=41, standing="unsure")
        one.tap(1, "2026-10-01 11:00:04", seq=42, answers=41, direction="clock_out", chosen=True)
        # Another lane's tap of the same number is another tap.
        one.tap(1, "2026-10-01 12:00:00", seq=41, standing="unsure", terminal=2)
        found = taps(one, taro)
        assert [(tap.at_ms, tap.direction) for tap in found] == [
            (ms("2026-10-01 11:00"), "clock_out"),
            (ms("2026-10-01 12:00"), ""),
        ]


@pytest.mark.parametrize(("at", "inside"), [("2026-09-24", False), ("2026-09-25", True), ("2026-11-02", True)])
def test_a_month_reaches_over_its_ends(tmp_path: Path, at: str, inside: bool) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.tap(1, f"{at} 09:00")
        assert bool(taps(one, taro)) == inside


def test_punches_of_other_clocks_stand_beside_ours(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.tap(1, "2026-10-01 17:20")
        one.write(
            lambda conn: conn.execute(
                "INSERT INTO other_punch (staff_id, at_ms, direction, source, row, received_ms, entered_by) "
                "VALUES (?, ?, 'clock_in', 'depot.csv', 3, ?, 'clerk')",
                (taro, ms("2026-10-01 08:20"), ms("2026-11-01 10:00")),
            )
        )
        assert [(tap.terminal, tap.direction) for tap in taps(one, taro)] == [
            ("depot.csv", "clock_in"),
            ("terminal-1", ""),
        ]


def test_the_order_in_which_taps_came_does_not_matter(tmp_path: Path) -> None:
    found = []
    for name, turn in (("a", 1), ("b", -1)):
        with hall(tmp_path / f"{name}.db") as one:
            taro = one.person("0001", card=1)
            for terminal, at in [(2, "2026-10-01 08:20:00"), (1, "2026-10-01 08:20:00"), (1, "2026-10-01 17:20")][
                ::turn
            ]:
                one.tap(1, at, terminal=terminal, boot=terminal)
            found.append([(tap.at_ms, tap.terminal) for tap in taps(one, taro)])
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_of_two_readings_equally_near_the_first_to_come_does_not_win(tmp_path: Path) -> None:
    found = []
    for name, turn in (("a", 1), ("b", -1)):
        with hall(tmp_path / f"{name}.db") as one:
            taro = one.person("0001", card=1)
            one.tap(1, 2 * HOUR_MS, boot=2, mono_ms=2 * HOUR_MS, clock="unset")
            for mono_ms, wall in [(HOUR_MS, "2026-10-05 08:00"), (3 * HOUR_MS, "2026-10-05 10:07")][::turn]:
                one.reading(2, mono_ms, ms(wall))
            found.append([tap.at_ms for tap in taps(one, taro)])
    assert found[0] == found[1] == [ms("2026-10-05 09:00")]


def test_requests_shifts_and_holidays_come_along(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        number = one.order(taro, "2026-10-01 17:30", "2026-10-01 19:00")
        one.correct(taro, date(2026, 10, 2), None, "17:15")
        one.write(lambda conn: staff.set_days(conn, taro, {date(2026, 10, 4): None}, 0, "clerk"))
        given = one.read(lambda conn: gather.givens(conn, [taro, 999], MONTH, date(2026, 10, 31)))
        assert list(given) == [taro]
        assert given[taro].orders[0].ref == f"request:{number}"
        assert given[taro].corrections[0].out_ms == ms("2026-10-02 17:15")
        assert given[taro].assigned[0].day == date(2026, 10, 4)
        assert date(2026, 10, 12) in given[taro].holidays
        assert date(2027, 3, 21) in given[taro].holidays
        one.decide(number, "revoked")
        assert one.read(lambda conn: gather.givens(conn, [taro], MONTH, None))[taro].orders == ()
