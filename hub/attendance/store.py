"""Punches as they came: kept once by (lane, seq) and by (boot, moment, card), shown with their true time."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet import store as fleet
from hub.fleet.truetime import QUALITIES, SYNCED, shown_ms, true_ms
from wire.messages import INT64_MAX, ClockQuality, Punch, Record

_INTO = Into(
    "punch (device_id, lane_id, seq, boot_id, mono_ms, at_ms, clock, received_ms, "
    "card, direction, standing, chosen, technology, answers)",
    14,
    "ON CONFLICT DO NOTHING",
)


class Tap(msgspec.Struct, frozen=True):
    """A card at a time clock.  `at_ms` is the raw time, `true_ms` the time after any clock reading.

    `trusted` is False while nothing says what the true time was.
    """

    id: int
    device: str
    card: str
    direction: str
    standing: str
    chosen: str
    at_ms: int
    true_ms: int
    clock: ClockQuality
    received_ms: int
    trusted: bool = True

    @property
    def skew_s(self) -> int:
        """How far the terminal's clock was ahead, in whole seconds towards nought."""
        ahead_ms = self.at_ms - self.true_ms
        return ahead_ms // 1000 if ahead_ms >= 0 else -(-ahead_ms // 1000)


def punch_row(
    device_id: int, lane_id: int, boot_id: int, clock: int, received_ms: int, record: Record, punch: Punch
) -> tuple[Any, ...]:
    """A punch as `keep` wants it."""
    return (
        device_id,
        lane_id,
        record.seq,
        boot_id,
        record.mono_ms,
        record.at_ms,
        clock,
        received_ms,
        punch.card,
        punch.direction,
        punch.standing,
        punch.chosen,
        punch.technology,
        punch.answers,
    )


def keep(conn: Connection, flat: Sequence[Any]) -> None:
    """Stores punches, one `punch_row` after the other."""
    insert(conn, _INTO, flat)


def latest_taps(
    conn: Connection, limit: int = 50, before_id: int | None = None, device: str | None = None, card: str = ""
) -> list[Tap]:
    """Taps in the order they came, newest first; those before `before_id` for the next page; of cards that begin so."""
    only = ""
    args: list[Any] = [INT64_MAX if before_id is None else before_id]
    if device is not None:
        only, args = "AND p.device_id = (SELECT id FROM device WHERE name = ?) ", [*args, device]
    if card:
        only, args = only + "AND p.card >= ? AND p.card < ? ", [*args, card, card + "~"]
    return _taps(conn, f"p.id < ? {only}ORDER BY p.id DESC LIMIT ?", (*args, limit))


def taps_since(conn: Connection, received_ms: int, limit: int = 20_000) -> list[Tap]:
    """The taps that came since then, oldest first; of the newest `limit` alone, so that it costs the same for ever."""
    which = "p.id > (SELECT coalesce(max(id), 0) FROM punch) - ? AND p.received_ms >= ? ORDER BY p.id"
    return _taps(conn, which, (limit, received_ms))


def taps_by_id(conn: Connection, ids: Collection[int]) -> dict[int, Tap]:
    """These taps, by their numbers; a few."""
    return {tap.id: tap for tap in _taps(conn, f"p.id IN ({','.join('?' * len(ids))})", tuple(ids))}


def _taps(conn: Connection, which: str, args: tuple[Any, ...]) -> list[Tap]:
    rows = conn.execute(
        "SELECT p.boot_id, p.mono_ms, p.clock, p.id, d.name, p.card, p.direction, p.standing, p.chosen, "  # noqa: S608
        f"p.at_ms, p.received_ms FROM punch p JOIN device d ON d.id = p.device_id WHERE {which}",
        args,
    ).fetchall()
    anchors = fleet.anchors(conn, {boot_id for boot_id, _, clock, *_ in rows if clock})
    return [
        Tap(
            id=id_,
            device=device_name,
            card=card,
            direction=direction,
            standing=standing,
            chosen=chosen,
            at_ms=shown_ms(at_ms),
            true_ms=true_ms(at_ms, mono_ms, clock, anchors.get(boot_id, ())),
            clock=QUALITIES[clock],
            received_ms=received_ms,
            trusted=clock == SYNCED or bool(anchors.get(boot_id)),
        )
        for (boot_id, mono_ms, clock, id_, device_name, card, direction, standing, chosen, at_ms, received_ms) in rows
    ]
