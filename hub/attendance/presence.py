"""Who is in now: everybody's standing, gathered in few questions to the database.

1. What counts is yesterday's and today's duty day; nothing older is looked at.
2. Cards that were tapped and belong to nobody are counted apart.
"""

from collections.abc import Collection
from datetime import date, timedelta

import msgspec

from hub.attendance import day as rule
from hub.attendance import gather, request_store, store, tap_store
from hub.attendance.day import Day, Standing
from hub.attendance.rules.calendar import month_of
from hub.attendance.rules.given import Assigned, Given
from hub.attendance.rules.japan import DAY_MIN, MS_A_MINUTE, date_of
from hub.db import Connection
from hub.shown import day_start_ms
from hub.staff import store as staff
from hub.staff.store import Member


class Presence(msgspec.Struct, frozen=True):
    """Everybody's standing by staff id, how many cards of nobody are in, and the day's figures.

    `today` is the duty day that goes on.
    """

    today: date
    members: dict[int, Member]
    standings: dict[int, Standing]
    loose: int
    day: Day


def now(conn: Connection, now_ms: int) -> Presence:
    """Who is in at this moment."""
    month = month_of(date_of((now_ms // MS_A_MINUTE + 9 * 60) // DAY_MIN))
    town = gather.town(conn, month)
    line = town.profile.day_line
    today = date_of(rule.duty_day(now_ms, line))
    members = {id_: one for id_, one in staff.members(conn, month_of(today)).items() if one.employed_on(today)}
    standings = _standings(conn, members, town, now_ms)
    begun_ms = day_start_ms(today) + line * MS_A_MINUTE
    taps = store.taps_since(conn, begun_ms)
    held = {card.token for card in staff.cards(conn)} if taps else set()
    loose = rule.loose_inside((tap for tap in taps if tap.card not in held), now_ms, line)
    inside = sum(one.state == "in" for one in standings.values()) + loose
    return Presence(today, members, standings, loose, rule.day(taps, now_ms, line, inside))


def _standings(conn: Connection, members: dict[int, Member], town: gather.Town, now_ms: int) -> dict[int, Standing]:
    ids: Collection[int] = list(members)
    today = date_of(rule.duty_day(now_ms, town.profile.day_line))
    first = today - timedelta(days=1)
    taps = tap_store.taps(conn, ids, day_start_ms(first), now_ms + 1)
    approved = request_store.approved(conn, list(ids), first - timedelta(days=1), today)
    assigned = staff.assigned(conn, list(ids), first - timedelta(days=1), today)
    found = {}
    for id_, member in members.items():
        said = approved.get(id_, request_store.Approved())
        given = Given(
            month=month_of(today),
            terms=member.terms,
            taps=tuple(kept.tap for kept in taps.get(id_, ())),
            orders=said.orders,
            swaps=said.swaps,
            substitutes=said.substitutes,
            leaves=said.leaves,
            corrections=said.corrections,
            assigned=tuple(Assigned(day=day, hours=hours) for day, hours in assigned.get(id_, ())),
            holidays=town.holidays,
            profile=town.profile,
            left=member.left,
        )
        found[id_] = rule.standing(id_, given, now_ms)
    return found
