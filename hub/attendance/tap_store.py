"""SQL of taps, person by person: punches of all terminals and of other clocks, at their true time.

1. Which person: by whoever held the card (`holding.py`); what the terminal answered does not count, only that the card
   was there: a card that no roster knew yet, and a second touch, are taps too.
2. When: the raw time of a good clock, else by the clock readings of the boot (`hub/fleet/truetime.py`).
3. An unsure tap that was answered counts once, at its own time, with the direction that the person chose.
4. The order of the result depends on nothing but the taps: not on when they came, nor on their numbers here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

from hub.attendance.holding import Holding, holder
from hub.attendance.rules.given import Tap
from hub.db import Connection
from hub.fleet import store as fleet
from hub.fleet.truetime import SYNCED, Anchor, shown_ms, true_ms
from hub.staff import store as staff

T = TypeVar("T")

# Names in one statement.
_AT_ONCE = 500
_COLUMNS = (
    "p.id, p.lane_id, p.seq, p.boot_id, p.mono_ms, p.at_ms, p.clock, p.received_ms, p.card, p.direction, p.chosen, "
    "p.answers, p.standing, d.name"
)


class Punch(NamedTuple):
    """A row of `punch`, with its terminal's name."""

    id: int
    lane_id: int
    seq: int
    boot_id: int
    mono_ms: int
    at_ms: int
    clock: int
    received_ms: int
    card: str
    direction: str
    chosen: str
    answers: int | None
    standing: str
    terminal: str


class Kept(NamedTuple):
    """A tap and when the hub got it."""

    tap: Tap
    received_ms: int


def taps(conn: Connection, staff_ids: Collection[int], first_ms: int, before_ms: int) -> dict[int, list[Kept]]:
    """The taps of these people with a true time from `first_ms` to before `before_ms`, in the order of time."""
    wanted = set(staff_ids)
    holdings = _holdings(conn, wanted)
    rows = _punches(conn, list(holdings), first_ms, before_ms)
    readings = fleet.anchors(conn, {row.boot_id for row in rows if row.clock != SYNCED})
    # Of two that are equally near, the one that came first must not win.
    anchors = {boot_id: sorted(of_boot) for boot_id, of_boot in readings.items()}
    found: dict[int, list[Kept]] = defaultdict(list)
    for row in _settled(rows):
        known = anchors.get(row.boot_id, ())
        at_ms = true_ms(row.at_ms, row.mono_ms, row.clock, known)
        if not first_ms <= at_ms < before_ms:
            continue
        staff_id = holder(holdings[row.card], at_ms)
        if staff_id in wanted:
            found[staff_id].append(Kept(_tap(row, at_ms, known), row.received_ms))
    for staff_id, kept in _others(conn, list(wanted), first_ms, before_ms):
        found[staff_id].append(kept)
    for of_one in found.values():
        of_one.sort(key=_in_time)
    return found


def _holdings(conn: Connection, wanted: Collection[int]) -> dict[str, list[Holding]]:
    """Of each card that one of them ever held, all its holders in the order of time."""
    cards = staff.cards(conn)
    tokens = {card.token for card in cards if card.staff_id in wanted}
    found: dict[str, list[Holding]] = {token: [] for token in tokens}
    for card in cards:
        if card.token in tokens:
            found[card.token].append(Holding(card.from_ms, card.until_ms, card.staff_id))
    for of_one in found.values():
        of_one.sort(key=lambda one: (one.from_ms, one.until_ms is None, one.until_ms))
    return found


def _punches(conn: Connection, tokens: Sequence[str], first_ms: int, before_ms: int) -> list[Punch]:
    """What was refused at the terminal (a card that was lost, or could not prove itself) is nobody's punch."""
    rows: list[Punch] = []
    for some in _parts(tokens):
        places = ",".join("?" * len(some))
        query = f"SELECT {_COLUMNS} FROM punch p JOIN device d ON d.id = p.device_id WHERE p.card IN ({places}) "  # noqa: S608
        query += "AND p.standing != 'refused' AND "
        rows += map(
            Punch._make,
            conn.execute(query + "p.clock = 0 AND p.at_ms >= ? AND p.at_ms < ?", (*some, first_ms, before_ms)),
        )
        # Wherever their raw time may lie: few.
        rows += map(Punch._make, conn.execute(query + "p.clock != 0", some))
    return rows


def _parts(whole: Sequence[T]) -> Iterable[Sequence[T]]:
    return (whole[start : start + _AT_ONCE] for start in range(0, len(whole), _AT_ONCE))


def _settled(rows: Iterable[Punch]) -> list[Punch]:
    """Answered taps with their answer's direction, and no answers beside them."""
    rows = list(rows)
    answers = {(row.lane_id, row.answers): row for row in rows if row.answers is not None}
    if not answers:
        return rows
    asked = {(row.lane_id, row.seq) for row in rows if row.standing == "unsure"}
    settled = []
    for row in rows:
        if row.answers is not None and (row.lane_id, row.answers) in asked:
            continue
        given = answers.get((row.lane_id, row.seq)) if row.standing == "unsure" else None
        settled.append(row._replace(direction=given.direction, chosen="person") if given else row)
    return settled


def _tap(row: Punch, at_ms: int, known: Sequence[Anchor]) -> Tap:
    return Tap(
        at_ms=at_ms,
        direction=_direction(row.direction) if row.chosen == "person" else "",
        terminal=row.terminal,
        skew_s=_skew_s(shown_ms(row.at_ms) - at_ms),
        trusted=row.clock == SYNCED or bool(known),
        ref=f"punch:{row.id}",
    )


def _skew_s(ahead_ms: int) -> int:
    """Whole seconds towards nought."""
    return ahead_ms // 1000 if ahead_ms >= 0 else -(-ahead_ms // 1000)


def _direction(text: str) -> Literal["clock_in", "clock_out", ""]:
    return "clock_in" if text == "clock_in" else "clock_out" if text == "clock_out" else ""


def _others(conn: Connection, staff_ids: Sequence[int], first_ms: int, before_ms: int) -> Iterable[tuple[int, Kept]]:
    """Punches of other clocks; the direction that such a clock wrote down is as good as a chosen one."""
    for some in _parts(staff_ids):
        rows: Iterable[tuple[Any, ...]] = conn.execute(
            "SELECT id, staff_id, at_ms, direction, source, received_ms FROM other_punch "  # noqa: S608
            f"WHERE staff_id IN ({','.join('?' * len(some))}) AND at_ms >= ? AND at_ms < ?",
            (*some, first_ms, before_ms),
        )
        for id_, staff_id, at_ms, direction, source, received_ms in rows:
            tap = Tap(at_ms=at_ms, direction=_direction(direction), terminal=source, ref=f"other:{id_}")
            yield staff_id, Kept(tap, received_ms)


def _in_time(kept: Kept) -> tuple[int, str, str, int]:
    tap = kept.tap
    return tap.at_ms, tap.terminal, tap.direction, tap.skew_s
