"""What depends on a week, Sunday to Saturday (rule): hours of a swap into another week, extra hours of part-time staff.

1. Swap (労働基準法37条 and the town's ordinance): where a week's assigned hours exceed a full week because a day off
   was moved into another week, the regular minutes of the day worked instead get a quarter more, at most the excess,
   less what the week has of holiday work.
2. Part-time (給与法16条2項): extra minutes of a working day get the plain unit until the day, with its regular hours,
   is a full day and the week a full week; from there on they are overtime.
"""

from hub.attendance.rules.japan import week_of
from hub.attendance.rules.kinds import HOLIDAY, PART_TIME, WORKDAY
from hub.attendance.rules.plan import Planner
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import Piece
from hub.attendance.rules.spans import holds
from hub.attendance.rules.split import minutes_of, paid_as, split

Days = dict[int, tuple[Piece, ...]]


def pay_swaps(days: Days, planner: Planner) -> None:
    """Gives the quarter for swaps into another week; `days` hold whole weeks, in order, and are changed in place."""
    for week in {week_of(number) for number in days if planner.day(number).swapped}:
        numbers = range(week * 7 - 4, week * 7 + 3)
        assigned = sum(planner.day(number).assigned_min for number in numbers)
        # The towns' rules: a week that holds paid holiday work loses as many minutes.
        left = assigned - planner.profile.week_min - sum(_paid(days.get(number, ()), HOLIDAY) for number in numbers)
        for number in numbers:
            if left > 0 and number in days and planner.day(number).swapped:
                days[number], left = _swap_day(days[number], left, number, planner)


def pay_part_time(days: Days, planner: Planner) -> None:
    """Gives part-time staff the plain unit first; `days` hold whole weeks, in order, and are changed in place."""
    week, week_min = None, 0
    for number in sorted(days):
        if week_of(number) != week:
            week, week_min = week_of(number), 0
        found = days[number]
        regular_min = sum(minutes_of(piece) for piece in found if piece.duty == "regular" and piece.present)
        week_min += regular_min
        plan = planner.day(number)
        if plan.terms is not None and plan.terms.kind == "part_time":
            days[number], extra = _part_time_day(found, regular_min, week_min, planner.profile)
            week_min += extra


def _paid(pieces: tuple[Piece, ...], classes: tuple[str, ...]) -> int:
    return sum(minutes_of(piece) for piece in pieces if piece.pay in classes)


def _swap_day(pieces: tuple[Piece, ...], left: int, number: int, planner: Planner) -> tuple[tuple[Piece, ...], int]:
    plan = planner.day(number)
    done: list[Piece] = []
    for piece in pieces:
        rest = piece
        if left > 0 and piece.present and piece.duty == "regular" and holds(plan.regular, piece.span.begin):
            part, rest = split(piece, min(left, minutes_of(piece)))
            done.append(paid_as(part, "SHIFT25", "swap_week", plan.refs))
            left -= minutes_of(part)
        if minutes_of(rest):
            done.append(rest)
    return tuple(done), left


def _part_time_day(
    pieces: tuple[Piece, ...], regular_min: int, week_min: int, profile: Profile
) -> tuple[tuple[Piece, ...], int]:
    # The regular minutes come first, wherever in the day the extra ones lie; a night belongs to the day it began on.
    done: list[Piece] = []
    extra = 0
    for piece in pieces:
        rest = piece
        if piece.pay in WORKDAY:
            room = min(profile.full_day_min - regular_min, profile.week_min - week_min) - extra
            part, rest = split(piece, max(0, min(room, minutes_of(piece))))
            if minutes_of(part):
                night = piece.pay == WORKDAY[1]
                done.append(paid_as(part, PART_TIME[night], "part_time_night" if night else "part_time_day"))
                extra += minutes_of(part)
        if minutes_of(rest):
            done.append(rest)
    return tuple(done), extra
