"""Whose taps they were: the staff member who held the card at that moment."""

from collections import defaultdict
from collections.abc import Iterable

from hub.attendance.holding import Holding, holder
from hub.attendance.store import Tap
from hub.db import Connection
from hub.staff import store as staff
from hub.staff.store import Member


def owners(conn: Connection, taps: Iterable[Tap]) -> dict[int, Member]:
    """Who tapped, by the tap's number; cards of nobody are left out.  For a page's worth of taps."""
    taps = list(taps)
    wanted = {tap.card for tap in taps}
    holdings: dict[str, list[Holding]] = defaultdict(list)
    for card in staff.cards(conn) if wanted else ():
        if card.token in wanted:
            holdings[card.token].append(Holding(card.from_ms, card.until_ms, card.staff_id))
    for of_one in holdings.values():
        of_one.sort(key=lambda one: (one.from_ms, one.until_ms is None, one.until_ms))
    held = {tap.id: holder(holdings[tap.card], tap.true_ms) for tap in taps if tap.card in holdings}
    members = staff.members(conn, None, [id_ for id_ in held.values() if id_ is not None])
    return {tap_id: members[id_] for tap_id, id_ in held.items() if id_ is not None and id_ in members}
