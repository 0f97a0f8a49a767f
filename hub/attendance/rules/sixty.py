"""The line of sixty hours in a month (rule).  給与法16条3項; 労働基準法37条1項ただし書.

1. Minutes count one by one in the order of time, before any rounding; exactly sixty hours are still below the line.
2. Overtime counts, of working days and of days off, and the hours of a swap into another week; regular hours of a
   holiday do not, nor part-time staff's extra hours below a full day.
3. Whether work on weekly days off counts is the town's ordinance (`count_weekly_holidays_to_60h`).
"""

from collections.abc import Mapping

from hub.attendance.rules.kinds import DAY_OFF, PAST_SIXTY, WORKDAY, PayClass
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import Piece
from hub.attendance.rules.split import minutes_of, paid_as, split

COUNTED: frozenset[PayClass] = frozenset({*WORKDAY, *DAY_OFF, *PAST_SIXTY, "SHIFT25", "X50"})
_PAST: dict[PayClass, PayClass] = {
    "W125": "X150",
    "W150": "X175",
    "H135": "X150",
    "H160": "X175",
    "SHIFT25": "X50",
}
_RULE: dict[PayClass, str] = {"X150": "past_sixty_day", "X175": "past_sixty_night", "X50": "past_sixty_swap"}
WEEKLY_RULES = frozenset({"day_off_day", "day_off_night"})


class SixtyLine:
    """How far the month has counted."""

    def __init__(self, carried: Mapping[PayClass, int], profile: Profile) -> None:
        """`carried`: minutes of this month that were counted before its first piece."""
        self.profile = profile
        away = set() if profile.count_weekly_holidays_to_60h else set(DAY_OFF)
        self.counted = sum(minutes for pay, minutes in carried.items() if pay in COUNTED and pay not in away)

    def draw(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """The next day's pieces, with what lies past the line in the higher class."""
        whole = [piece for piece in pieces if self._counts(piece)]
        if not whole:
            return pieces
        minutes = sum(minutes_of(piece) for piece in whole)
        limit = self.profile.sixty_hours_min
        if limit is None or self.counted + minutes <= limit:
            self.counted += minutes
            return pieces
        return tuple(part for piece in pieces for part in self._drawn(piece, limit))

    def _counts(self, piece: Piece) -> bool:
        if piece.pay not in COUNTED:
            return False
        return self.profile.count_weekly_holidays_to_60h or piece.rule not in WEEKLY_RULES

    def _drawn(self, piece: Piece, limit: int) -> tuple[Piece, ...]:
        if not self._counts(piece) or piece.pay is None:
            return (piece,)
        # 3600 itself is below: 「六十時間を超えた」.
        below, past = split(piece, max(0, min(limit - self.counted, minutes_of(piece))))
        self.counted += minutes_of(piece)
        pay = _PAST[piece.pay]
        parts = (below, paid_as(past, pay, _RULE[pay]))
        return tuple(part for part in parts if minutes_of(part))
