"""One group of messages on its way into the database: what they say, as rows, and whom to answer after.

1. Messages are read as they come, while the group before is being written; a full group takes no more.
2. Nothing is answered before `keep` has returned; then each lane is told its cursor once.
3. What cannot be read is kept in quarantine and counted, and never holds up the rest.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.attendance import store as attendance
from hub.db import Connection
from hub.fleet import cursor, presence, record_store
from hub.fleet.known import Boot, Device, Known, Lane
from hub.fleet.rollup import HealthHour
from hub.fleet.truetime import EARLIEST_MS, HOUR_MS, LATEST_MS, NUMBER_OF_QUALITY, Anchor, hour_of
from hub.fleet.usage import ZERO, Counter, is_starting_point, used
from hub.live import Change
from wire import codec, topics
from wire.codec import Oddity, Received, Unreadable
from wire.messages import (
    Ack,
    Alarm,
    ClockReading,
    Dropped,
    Health,
    Punch,
    Record,
    Usage,
)

RECORDS = 4_000
BYTES = 4 * 1024 * 1024
# Unreadable messages kept for each device; the rest is counted.
UNREADABLE_KEPT = 20
# The same "your batch does not join" is not said again within this.
REFUSAL_PAUSE_S = 1.0
_TOLD_MOST = 10**12


class _Place:
    """Where a record came from: its device, lane and boot, and when the group came."""

    __slots__ = ("boot", "device", "lane_id", "received_ms")

    def __init__(self, device: Device, lane_id: int, boot: Boot, received_ms: int) -> None:
        self.device, self.lane_id, self.boot, self.received_ms = device, lane_id, boot, received_ms


class Group:
    """What is gathered between two commits.  Belongs to the event loop until `close`."""

    def __init__(self, known: Known, received_ms: int, *, messages: int = RECORDS) -> None:
        self._known = known
        self._most_messages = messages
        self.received_ms = received_ms
        self.begun = time.monotonic()
        self.messages = self.records = self.bytes = 0
        self.first = ("", b"")
        self.acks: list[tuple[str, bytes]] = []
        self.rows = record_store.Rows()
        self._punches: list[Any] = []
        self._devices: dict[int, Device] = {}
        self._lanes: dict[int, tuple[Device, Lane]] = {}
        self._told: dict[int, tuple[Device, Lane]] = {}
        self._latest: dict[tuple[int, str], tuple[Any, ...]] = {}
        self._health: dict[tuple[int, int], HealthHour] = {}
        self._usage: dict[tuple[int, int, str, str], Counter] = {}
        self._counters: dict[tuple[int, str], Counter] = {}
        self._dropped: dict[tuple[int, str], int] = {}
        self._unreadable: dict[int, int] = {}
        self._changed: set[str] = set()
        self._readers: dict[str, Callable[[Record, _Place], None]] = {
            "health": self._read_health,
            "usage": self._read_usage,
            "punch": self._read_punch,
            "clock": self._read_clock,
            "alarm": self._read_alarm,
            "dropped": self._read_dropped,
        }

    @property
    def full(self) -> bool:
        """Whether it should be written before more is read."""
        return self.records >= RECORDS or self.bytes >= BYTES or self.messages >= self._most_messages

    def add(self, topic: str, payload: bytes) -> None:
        """Takes in one message of any topic; whatever it holds, it becomes rows."""
        if not self.messages:
            self.first = (topic, payload)
        self.messages += 1
        self.bytes += len(payload)
        address = topics.parse(topic)
        if address is None:
            self._keep_unreadable(self._known.device("", self.received_ms), topic, payload, "not a device's topic")
            return
        device = self._known.device(address.device, self.received_ms)
        try:
            if address.leaf == "up":
                self._add_batch(device, codec.decode_batch(payload))
            elif address.leaf == "presence":
                self._add_presence(device, payload)
        except Unreadable as error:
            self._keep_unreadable(device, address.leaf, payload, str(error))

    def give_up_on(self, topic: str, payload: bytes, reason: str) -> None:
        """Keeps a message that the database refused as one that cannot be read."""
        self.messages += 1
        address = topics.parse(topic)
        device = self._known.device(address.device if address else "", self.received_ms)
        self._keep_unreadable(device, address.leaf if address else topic, payload, reason)

    def close(self) -> Callable[[Connection], None]:
        """The function that stores everything; nothing may be added after."""
        rows = self.rows
        now = datetime.fromtimestamp(self.received_ms / 1000, UTC)
        rows.month = f"{now.year:04}{now.month:02}"
        hour_ms = self.received_ms - self.received_ms % HOUR_MS
        if self._known.marked_hour_ms != hour_ms:
            self._known.marked_hour_ms = rows.mark_hour_ms = hour_ms
        for device, lane in self._lanes.values():
            rows.lanes += (
                lane.id,
                device.id,
                lane.spool,
                lane.lane,
                lane.through,
                lane.missing,
                self.received_ms,
            )
        for device in self._devices.values():
            rows.devices += (
                device.id,
                device.name,
                device.kind,
                device.first_heard_ms,
                self.received_ms,
                int(device.online),
                device.boot,
                device.connection,
                device.version,
            )
        for (device_id, kind), rest in self._latest.items():
            rows.latest += (device_id, kind, *rest)
        for key, hour in self._health.items():
            rows.health_hours += (*key, *hour.sums())
        _extend(rows.usage_hours, self._usage)
        _extend(rows.counters, self._counters)
        for key_, n in self._dropped.items():
            rows.dropped += (*key_, n)
        for item in self._unreadable.items():
            rows.unreadable += item
        # Now, not after the commit: by then the next group has moved these cursors on.
        self.acks = [
            (device.ack_topic, codec.encode(Ack(lane.spool, lane.lane, lane.through)))  # type: ignore[arg-type]
            for device, lane in self._told.values()
        ]
        return self._keep

    def _keep(self, conn: Connection) -> None:
        record_store.keep(conn, self.rows)
        attendance.keep(conn, self._punches)

    def change(self) -> Change:
        """What the pages should look at anew."""
        return Change(frozenset(self._changed), bool(self._punches), self.received_ms)

    # ---- presence

    def _add_presence(self, device: Device, payload: bytes) -> None:
        told = codec.decode_presence(payload)
        if not presence.is_news(device.boot, device.connection, told):
            return
        device.online = told.online
        device.boot = told.boot
        device.connection = told.connection
        device.version = told.version or device.version
        device.kind = told.device_kind or device.kind
        self._touch(device)

    def _touch(self, device: Device) -> None:
        self._devices[device.id] = device
        self._changed.add(device.name)

    # ---- batches

    def _add_batch(self, device: Device, received: Received) -> None:
        batch = received.batch
        lane = self._known.lane(device, batch.spool, batch.lane)
        if not device.online:
            device.online = True
            self._touch(device)
        taken = cursor.take(lane.through, received)
        if taken is None:
            self._refuse(device, lane)
            return
        self._told[lane.id] = (device, lane)
        if lane.id not in self._lanes:
            self._lanes[lane.id] = (device, lane)
            self._changed.add(device.name)
        lane.through = taken.through
        lane.missing = min(lane.missing + taken.missing, _TOLD_MOST)
        if taken.records:
            self._add_records(device, lane, taken.records)
        for oddity in taken.oddities:
            self._keep_record(device, lane.id, "", oddity)

    def _refuse(self, device: Device, lane: Lane) -> None:
        """Tells the cursor as it is, once, however many batches are under way that do not join."""
        at, when = lane.refused_at
        now = time.monotonic()
        if at != lane.through or now - when >= REFUSAL_PAUSE_S:
            lane.refused_at = (lane.through, now)
            self._told[lane.id] = (device, lane)
            # A lane that is told its cursor is on disk from then on, so that its number is never another's.
            self._lanes[lane.id] = (device, lane)

    def _add_records(self, device: Device, lane: Lane, records: Sequence[Record]) -> None:
        known, events, new_boots, new_kinds = self._known, self.rows.events, self.rows.boots, self.rows.kinds
        received_ms, lane_id = self.received_ms, lane.id
        self.records += len(records)
        kind_ids, boot_name, place = known.kind_ids, None, None
        last: dict[str, tuple[Record, Boot]] = {}
        self._read_clocks_first(device, records)
        for record in records:
            if place is None or record.boot != boot_name:
                boot_name = record.boot
                boot = known.boot(device, boot_name, new_boots)
                place = _Place(device, lane_id, boot, received_ms)
            kind, body = record.kind, record.body
            self.bytes += len(body)
            reader = self._readers.get(kind)
            try:
                if reader is not None:
                    reader(record, place)
                kind_id = kind_ids.get(kind) or known.kind(kind, new_kinds)
            except Unreadable as error:
                self._keep_record(device, lane_id, kind, Oddity(record.seq, bytes(body), str(error)))
                continue
            events += (
                lane_id,
                record.seq,
                kind_id,
                place.boot.id,
                record.mono_ms,
                record.at_ms,
                NUMBER_OF_QUALITY[record.clock],
                received_ms,
                body,
            )
            last[kind] = (record, place.boot)
        for kind, (record, boot) in last.items():
            self._latest[device.id, kind] = (
                boot.id,
                record.mono_ms,
                record.at_ms,
                NUMBER_OF_QUALITY[record.clock],
                received_ms,
                record.body,
            )

    def _read_clocks_first(self, device: Device, records: Sequence[Record]) -> None:
        """Figures from before the clock was set come in the same batch as the reading that places them."""
        for record in records:
            if record.kind == "clock":
                try:
                    anchor = _anchor(record)
                except Unreadable:
                    continue
                self._known.boot(device, record.boot, self.rows.boots).anchor = anchor

    # ---- bodies

    def _read_health(self, record: Record, place: _Place) -> None:
        health: Health = codec.decode_body("health", record.body)
        key = (place.device.id, self._hour(record, place))
        hour = self._health.get(key)
        if hour is None:
            hour = self._health[key] = HealthHour()
        hour.add(health)

    def _read_usage(self, record: Record, place: _Place) -> None:
        usage: Usage = codec.decode_body("usage", record.body)
        device, boot, hour_ms = place.device, place.boot, self._hour(record, place)
        begins = is_starting_point(record.mono_ms, known=device.has_counted)
        for interface in usage.interfaces:
            now = Counter(interface.rx_bytes, interface.tx_bytes)
            flowed = used(now if begins else boot.counters.get(interface.name, ZERO), now)
            boot.counters[interface.name] = self._counters[boot.id, interface.name] = now
            key = (device.id, hour_ms, interface.name, interface.link)
            rx, tx = self._usage.get(key, ZERO)
            self._usage[key] = Counter(rx + flowed.rx_bytes, tx + flowed.tx_bytes)
            device.has_counted = True

    def _read_punch(self, record: Record, place: _Place) -> None:
        punch: Punch = codec.decode_body("punch", record.body)
        clock = NUMBER_OF_QUALITY[record.clock]
        self._punches += attendance.punch_row(
            place.device.id, place.lane_id, place.boot.id, clock, place.received_ms, record, punch
        )

    def _read_clock(self, record: Record, place: _Place) -> None:
        anchor = _anchor(record)
        place.boot.anchor = anchor
        self.rows.anchors += (place.boot.id, *anchor)

    def _read_alarm(self, record: Record, place: _Place) -> None:
        alarm: Alarm = codec.decode_body("alarm", record.body)
        at_ms = record.at_ms if EARLIEST_MS <= record.at_ms <= place.received_ms else place.received_ms
        self.rows.alarms.append(
            record_store.AlarmChange(place.device.id, alarm.name, alarm.detail, alarm.state == "begun", at_ms)
        )

    def _read_dropped(self, record: Record, place: _Place) -> None:
        dropped: Dropped = codec.decode_body("dropped", record.body)
        if len(dropped.counts) > 100:
            raise Unreadable("dropped: more kinds than can be")
        for kind, n in dropped.counts.items():
            key = (place.device.id, kind)
            self._dropped[key] = min(self._dropped.get(key, 0) + n, _TOLD_MOST)

    def _hour(self, record: Record, place: _Place) -> int:
        return hour_of(
            record.at_ms,
            record.mono_ms,
            NUMBER_OF_QUALITY[record.clock],
            place.boot.anchor,
            place.received_ms,
        )

    # ---- what cannot be read

    def _keep_record(self, device: Device, lane_id: int, kind: str, oddity: Oddity) -> None:
        self.bytes += len(oddity.raw)
        self.records += 1
        self.rows.quarantine += (
            device.id,
            lane_id,
            oddity.seq,
            kind,
            oddity.reason,
            oddity.raw,
            self.received_ms,
        )
        self._changed.add(device.name)

    def _keep_unreadable(self, device: Device, leaf: str, payload: bytes, reason: str) -> None:
        """A whole message: counted, and the first few of each device kept."""
        self._unreadable[device.id] = self._unreadable.get(device.id, 0) + 1
        if device.id:
            self._touch(device)
        if device.unreadable_kept < UNREADABLE_KEPT:
            device.unreadable_kept += 1
            self.rows.quarantine += (device.id, None, None, leaf, reason, payload, self.received_ms)


def _anchor(record: Record) -> Anchor:
    reading: ClockReading = codec.decode_body("clock", record.body)
    if not EARLIEST_MS <= reading.wall_ms <= LATEST_MS:
        raise Unreadable("clock: a wall clock outside of 2020 to 2100")
    return Anchor(reading.mono_ms, reading.wall_ms)


def _extend(flat: list[Any], counted: dict[Any, Counter]) -> None:
    for key, counter in counted.items():
        flat += (*key, *counter)
