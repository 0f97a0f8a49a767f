"""What records say: bodies folded into roll-ups, punches, clock readings and alarms, kind by kind.

1. Each reader takes the records of one kind from one batch and gives back those that it cannot read.
2. Figures are summed here, so that a group of thousands writes one row a device and hour.
3. The loops are written out: each runs once a record, a hundred thousand times a second.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hub.attendance import stale
from hub.attendance import store as attendance
from hub.db import Connection
from hub.fleet.known import Boot, Device
from hub.fleet.record_store import AlarmChange, Rows
from hub.fleet.rollup import HealthHour
from hub.fleet.truetime import (
    EARLIEST_MS,
    HOUR_MS,
    LATEST_MS,
    NUMBER_OF_QUALITY,
    Anchor,
    counted_ms,
    hour_of,
)
from hub.fleet.usage import ZERO, is_starting_point, used
from hub.ingest_keepers import KEEPERS, Keeping
from hub.told import Told
from wire import codec
from wire.codec import Oddity, Unreadable
from wire.messages import Alarm, ClockReading, Dropped, Health, Punch, Record, Usage

MOST_DROPPED = 10**12
DROPPED_KINDS = 100
# The kind of device that is lent, and whose line is paid for by what it uses.
LENT = "tablet"

_health = msgspec.json.Decoder(Health)
_usage = msgspec.json.Decoder(Usage)
_punch = msgspec.json.Decoder(Punch)
_clock = msgspec.json.Decoder(ClockReading)
_alarm = msgspec.json.Decoder(Alarm)
_dropped = msgspec.json.Decoder(Dropped)

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Bodies:
    """Everything that the records of one group say, besides that they came."""

    def __init__(self, rows: Rows, received_ms: int) -> None:
        self._rows, self._received_ms = rows, received_ms
        self.punches: list[Any] = []
        self._health: dict[tuple[int, int], HealthHour] = {}
        self._usage: dict[tuple[int, int], dict[tuple[str, str], list[int]]] = {}
        self._counted: dict[int, Boot] = {}
        self._dropped: dict[tuple[int, str], int] = {}
        self._readings: list[tuple[int, Anchor]] = []
        self.keeping = Keeping()

    def read(self, kind: str, device: Device, lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        """Takes in what records of one kind say; those that cannot be read. A kind that nobody reads says nothing."""
        reader = _READERS.get(kind)
        if reader:
            return reader(self, device, lane_id, records)
        return self._read_told(kind, device, records) if kind in KEEPERS and kind != "presence" else []

    def close(self) -> None:
        """Puts the sums into the rows."""
        rows = self._rows
        for key, hour in self._health.items():
            rows.health_hours += (*key, *hour.sums())
        for key, flows in self._usage.items():
            for name_and_link, flow in flows.items():
                rows.usage_hours += (*key, *name_and_link, *flow)
        for boot_id, boot in self._counted.items():
            for interface, counter in boot.counters.items():
                rows.counters += (boot_id, interface, *counter)
        for dropped, n in self._dropped.items():
            rows.dropped += (*dropped, n)

    def keep(self, conn: Connection) -> None:
        """Stores what the fleet's store does not."""
        if self.punches:
            attendance.keep(conn, self.punches)
            stale.mark_punches(conn, self.punches)
        if self._readings:
            stale.mark_clocks(conn, self._readings)
        self.keeping.keep(conn)

    def _read_told(self, kind: str, device: Device, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        for record in records:
            try:
                body = codec.decode_body(kind, record.body)
            except Unreadable as error:
                bad.append(Oddity(record.seq, bytes(record.body), str(error)))
                continue
            told = Told(device.id, device.name, record.seq, record.at_ms, self._received_ms, body, record.boot)
            self.keeping.add(kind, told)
        return bad

    def _read_health(self, device: Device, _lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        hour_ms, samples = -1, list[Health]()
        for record in records:
            try:
                health = _health.decode(record.body)
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            if not 0 <= record.at_ms - hour_ms < HOUR_MS or record.clock != "synced":
                self._sum_health(device, hour_ms, samples)
                hour_ms, samples = self._hour(device, record), []
            samples.append(health)
        self._sum_health(device, hour_ms, samples)
        return bad

    def _sum_health(self, device: Device, hour_ms: int, samples: Sequence[Health]) -> None:
        if samples:
            key = (device.id, hour_ms)
            hour = self._health.get(key)
            if hour is None:
                hour = self._health[key] = HealthHour()
            hour.add(samples)

    def _read_usage(self, device: Device, lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        lent = device.kind == LENT
        hour_ms, flows = -1, dict[tuple[str, str], list[int]]()
        for record in records:
            try:
                usage = _usage.decode(record.body)
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            if not 0 <= record.at_ms - hour_ms < HOUR_MS or record.clock != "synced":
                hour_ms = self._hour(device, record)
                flows = self._usage.setdefault((device.id, hour_ms), {})
            boot = device.boots[record.boot]
            self._counted[boot.id] = boot
            begins = not device.has_counted and is_starting_point(record.mono_ms)
            device.has_counted = True
            _count(usage, boot, flows, begins=begins)
            if lent:
                self.keeping.add("usage", self._counted_at(device, lane_id, record, usage))
        return bad

    def _counted_at(self, device: Device, lane_id: int, record: Record, body: Usage | ClockReading) -> Told:
        """A lent device's reading, at the moment that it counts at."""
        clock, boot = NUMBER_OF_QUALITY[record.clock], device.boots[record.boot]
        at_ms = counted_ms(record.at_ms, record.mono_ms, clock, boot.anchor, self._received_ms)
        where = (boot.id, lane_id, record.mono_ms, clock)
        return Told(device.id, device.name, record.seq, at_ms, self._received_ms, body, record.boot, *where)

    def _read_punches(self, device: Device, lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        for record in records:
            try:
                punch = _punch.decode(record.body)
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            clock, boot_id = NUMBER_OF_QUALITY[record.clock], device.boots[record.boot].id
            self.punches += attendance.punch_row(device.id, lane_id, boot_id, clock, self._received_ms, record, punch)
        return bad

    def _read_clocks(self, device: Device, lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        for record in records:
            try:
                reading = _clock.decode(record.body)
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            if not EARLIEST_MS <= reading.wall_ms <= LATEST_MS:
                bad.append(_odd(record, "a wall clock outside of 2020 to 2100"))
                continue
            boot = device.boots[record.boot]
            boot.anchor = Anchor(reading.mono_ms, reading.wall_ms)
            self._rows.anchors += (boot.id, *boot.anchor)
            self._readings.append((boot.id, boot.anchor))
            if device.kind == LENT:
                self.keeping.add("usage", self._counted_at(device, lane_id, record, reading))
        return bad

    def _read_alarms(self, device: Device, _lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        for record in records:
            try:
                alarm = _alarm.decode(record.body)
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            believed = record.clock != "unset" and EARLIEST_MS <= record.at_ms <= self._received_ms
            at_ms = record.at_ms if believed else self._received_ms
            self._rows.alarms.append(AlarmChange(device.id, alarm.name, alarm.detail, alarm.state == "begun", at_ms))
        return bad

    def _read_dropped(self, device: Device, _lane_id: int, records: Sequence[Record]) -> list[Oddity]:
        bad: list[Oddity] = []
        for record in records:
            try:
                counts = _dropped.decode(record.body).counts
            except _UNREADABLE as error:
                bad.append(_odd(record, error))
                continue
            if len(counts) > DROPPED_KINDS:
                bad.append(_odd(record, "more kinds than can be"))
                continue
            for kind, n in counts.items():
                key = (device.id, kind)
                self._dropped[key] = min(self._dropped.get(key, 0) + n, MOST_DROPPED)
        return bad

    def _hour(self, device: Device, record: Record) -> int:
        clock, anchor = NUMBER_OF_QUALITY[record.clock], device.boots[record.boot].anchor
        return hour_of(record.at_ms, record.mono_ms, clock, anchor, self._received_ms)


# Not bound to one `Bodies`: it would hold itself, and each group's rows would stay until the next full collection.
_READERS: dict[str, Callable[[Bodies, Device, int, Sequence[Record]], list[Oddity]]] = {
    "health": Bodies._read_health,
    "usage": Bodies._read_usage,
    "punch": Bodies._read_punches,
    "clock": Bodies._read_clocks,
    "alarm": Bodies._read_alarms,
    "dropped": Bodies._read_dropped,
}


def _count(usage: Usage, boot: Boot, flows: dict[tuple[str, str], list[int]], *, begins: bool) -> None:
    """Adds what flowed since the reading before, and remembers this one."""
    counters = boot.counters
    for interface in usage.interfaces:
        name = interface.name
        now = (interface.rx_bytes, interface.tx_bytes)
        before = now if begins else counters.get(name, ZERO)
        counters[name] = now
        rx, tx = used(before, now)
        flow = flows.get((name, interface.link))
        if flow is None:
            flows[name, interface.link] = [rx, tx]
        else:
            flow[0] += rx
            flow[1] += tx


def _odd(record: Record, why: object) -> Oddity:
    return Oddity(record.seq, bytes(record.body), f"{record.kind}: {why}")
