"""What these tests share: a hub's database, records of tablets, lines and whose they are."""

from collections.abc import Iterable, Sequence
from typing import Any

from hub.db import Connection
from hub.tablet import metering, usage_store
from hub.tablet.metering import Loan, Sample
from hub.told import Told
from wire.messages import ClockReading, Interface, Usage

# 2026-11-30T23:00 in Japan.
EVENING_MS = 1_796_047_200_000
HOUR_MS = 3_600_000
GB = 10**9
SIM = "8981100000000000011"


def told(
    seq: int,
    *interfaces: Interface,
    device_id: int = 1,
    at_ms: int = EVENING_MS,
    boot_id: int = 1,
    lane_id: int = 1,
    **more: Any,
) -> Told:
    """A reading of counters."""
    usage = Usage(interfaces=interfaces, occasion=more.get("occasion", "round"))
    where = (boot_id, lane_id, more.get("mono_ms", 10), more.get("clock", 0))
    return Told(device_id, f"tablet-{device_id}", seq, at_ms, at_ms, usage, str(boot_id), *where)


def mobile(total: int, sim: str = SIM, name: str = "wwan0", bits: Any = 64) -> Interface:
    """A mobile interface's counters."""
    return Interface(name, total // 2, total - total // 2, "mobile", sim, bits)


def wifi(total: int) -> Interface:
    """A Wi-Fi interface's counters."""
    return Interface("wlan0", total, 0, "wifi")


def reading(device_id: int, boot_id: int, wall_ms: int, mono_ms: int) -> Told:
    """What the clock turned out to be."""
    body = ClockReading(wall_ms=wall_ms, mono_ms=mono_ms)
    return Told(device_id, f"tablet-{device_id}", 0, wall_ms, wall_ms, body, str(boot_id), boot_id, 1, mono_ms, 0)


def cache(conn: Connection, device_id: int = 1) -> dict[tuple[str, str, str], int]:
    """A device's months as they are kept, but for what only the store needs."""
    rows = conn.execute(
        "SELECT month, sim, what, amount FROM usage_month WHERE device_id = ? AND amount <> 0", (device_id,)
    )
    kept = {(month, sim, what): amount for month, sim, what, amount in rows}
    return {key: amount for key, amount in kept.items() if key[2] not in ("begins", "tangled")}


def samples(found: Iterable[Told]) -> list[Sample]:
    """The same readings as the rules take them, made by hand; of two with one name the first."""
    made: dict[tuple[int, int, str], Sample] = {}
    for one in found:
        for interface in one.body.interfaces:
            if interface.link not in ("mobile", "wifi"):
                continue
            both = interface.rx_bytes + interface.tx_bytes
            parts = (
                (("", both),) if interface.bits == 64 else ((":rx", interface.rx_bytes), (":tx", interface.tx_bytes))
            )
            for ending, total in parts:
                key = (one.lane_id, one.seq, interface.link + interface.name + ending)
                made.setdefault(
                    key,
                    Sample(
                        boot=str(one.boot_id),
                        seq=one.lane_id * 10**9 + one.seq,
                        bytes=total,
                        iface=interface.name + ending,
                        kind="sim" if interface.link == "mobile" else "wifi",
                        at_ms=one.at_ms,
                        bits=interface.bits,
                        sim=interface.sim if interface.link == "mobile" else "",
                        boot_ms=one.at_ms - one.mono_ms,
                        last=one.body.occasion == "shutdown",
                    ),
                )
    return list(made.values())


def fold(found: Sequence[Told], loan: Loan | None = None) -> dict[tuple[str, str, str], int]:
    """The fold of readings, without what comes to nothing."""
    sums = metering.fold(samples(found), loan) if loan else metering.fold(samples(found))
    return {key: amount for key, amount in sums.items() if amount}


def take(conn: Connection, found: Sequence[Told], at_once: int) -> None:
    """Hands readings over in groups."""
    for start in range(0, len(found), at_once):
        usage_store.take(conn, found[start : start + at_once])


def enter_line(conn: Connection, line_id: int = 1, iccid: str = SIM) -> None:
    """A line."""
    conn.execute(
        "INSERT INTO line (id, phone, iccid, from_day, changed_ms) VALUES (?, ?, ?, '2026-04-01', 1)",
        (line_id, f"0900000{line_id:04d}", iccid),
    )


def enter_use(conn: Connection, *, line_id: int = 1, device_id: int = 1, first: str, last: str = "", **ms: int) -> None:
    """That somebody has a line with a tablet, from a day to a day."""
    conn.execute(
        "INSERT OR IGNORE INTO item (id, device_id, kind, changed_ms) VALUES (?1, ?1, 'tablet', 1)",
        (device_id,),
    )
    conn.execute(
        "INSERT INTO line_use (line_id, resident_id, item_id, from_day, to_day, from_ms, to_ms, changed_ms) "
        "VALUES (?, 1, ?, ?, ?, ?, ?, 1)",
        (line_id, device_id, first, last, ms.get("from_ms", 0), ms.get("to_ms", 0)),
    )
