"""How somebody is employed, and how a card stands (rule)."""

from datetime import date
from typing import Annotated, Literal

import msgspec

StaffKind = Literal["full_time", "part_time"]
Office = Literal["ordinary", "other_directed"]
CardState = Literal["issued", "lost", "returned"]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes of the day since 00:00 in Japan, from the first to before `end`, which may lie past 1440."""

    begin: MinuteOfDay
    end: Annotated[int, msgspec.Meta(ge=0, le=2880)]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody is employed from the day `since` on, until the next ones.

    `week` is the working pattern: hours for Monday to Sunday, None for a weekly day off; None altogether means the
    town's day on Monday to Friday.  `shifts`: the hours of each day are assigned one by one instead.  The hourly unit
    is `unit_yen`, else worked out from `monthly_base_yen`, else `hourly_yen` (part-time).  `tracked`: whether this
    person taps at all.  `office`: which upper limits count (`ordinary`, or `other_directed`: 他律的業務).
    """

    since: date
    department: str = ""
    kind: StaffKind = "full_time"
    week: tuple[Hours | None, ...] | None = None
    shifts: bool = False
    monthly_base_yen: int | None = None
    unit_yen: int | None = None
    hourly_yen: int | None = None
    office: Office = "ordinary"
    tracked: bool = True
