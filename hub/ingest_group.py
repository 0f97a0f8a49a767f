"""One group of messages on its way into the database: what they say, as rows, and whom to answer after.

1. Messages are read as they come, while the group before is being written; a full group takes no more.
2. Nothing is answered before `keep` has returned; then each lane is told its cursor once.
3. What cannot be read is kept in quarantine and counted, and never holds up the rest.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from hub.db import Connection
from hub.fleet import clone, cursor, presence, record_store
from hub.fleet.clone import BOOTS_KEPT
from hub.fleet.clone_store import Waiting
from hub.fleet.known import Device, Known, Lane
from hub.fleet.truetime import HOUR_MS, NUMBER_OF_QUALITY
from hub.ingest_apart import Apart
from hub.ingest_bodies import Bodies
from hub.live import Change
from hub.told import Told
from wire import codec, topics
from wire.codec import Oddity, Received, Unreadable
from wire.messages import Ack, Batch, Record

log = logging.getLogger(__name__)

# The same topics come again and again, and reading one takes a tenth of a small message's time.
_parse = lru_cache(16_384)(topics.parse)

RECORDS = 4_000
BYTES = 4 * 1024 * 1024
# Unreadable messages kept for each device; the rest is counted.
UNREADABLE_KEPT = 20
# The same "your batch does not join" is not said again within this.
REFUSAL_PAUSE_S = 1.0
_TOLD_MOST = 10**12


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
        self._bodies = Bodies(self.rows, received_ms)
        self._apart = Apart(known, received_ms)
        known.look_at_holds(self.begun)
        self._devices: dict[int, Device] = {}
        self._lanes: dict[int, tuple[Device, Lane]] = {}
        self._told: dict[int, tuple[Device, Lane]] = {}
        self._latest: dict[tuple[int, str], tuple[Any, ...]] = {}
        self._unreadable: dict[int, int] = {}
        self._changed: set[str] = set()

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
        address = _parse(topic)
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
        """Keeps a message that the database refused: record by record as it came, so that its lane goes on."""
        self.messages += 1
        address = topics.parse(topic)
        device = self._known.device(address.device if address else "", self.received_ms)
        if address is None or address.leaf != "up" or not self._keep_aside(device, payload, reason):
            self._keep_unreadable(device, address.leaf if address else topic, payload, reason)

    def _keep_aside(self, device: Device, payload: bytes, reason: str) -> bool:
        """Takes a batch in as nothing but oddities. False when not even its envelope can be read."""
        try:
            received = codec.decode_batch(payload)
        except Unreadable:
            return False
        batch = received.batch
        aside = [Oddity(record.seq, codec.encode_record(record), reason) for record in batch.records]
        oddities = sorted([*aside, *received.oddities], key=lambda oddity: oddity.seq)
        self._add_batch(device, Received(msgspec.structs.replace(batch, records=()), tuple(oddities)))
        return True

    def close(self) -> Callable[[Connection], None]:
        """The function that stores everything; nothing may be added after."""
        rows = self.rows
        now = datetime.fromtimestamp(self.received_ms / 1000, UTC)
        rows.month = f"{now.year:04}{now.month:02}"
        hour_ms = self.received_ms - self.received_ms % HOUR_MS
        if self._known.marked_hour_ms != hour_ms:
            self._known.marked_hour_ms = rows.mark_hour_ms = hour_ms
        for device, lane in self._lanes.values():
            lanes = rows.new_lanes if lane.is_new else rows.lanes
            lane.is_new = False
            lanes += (
                lane.id,
                device.id,
                lane.spool,
                lane.lane,
                lane.through,
                lane.missing,
                self.received_ms,
            )
        for device in self._devices.values():
            devices = rows.new_devices if device.is_new else rows.devices
            device.is_new = False
            devices += (
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
        self._bodies.close()
        for item in self._unreadable.items():
            rows.unreadable += item
        # Now, not after the commit: by then the next group has moved these cursors on.
        self.acks = [
            (device.ack_topic, codec.encode(Ack(lane.spool, lane.lane, lane.through)))  # type: ignore[arg-type]
            for device, lane in self._told.values()
        ] + list(self._apart.acks.values())
        return self._keep

    def _keep(self, conn: Connection) -> None:
        record_store.keep(conn, self.rows)
        self._bodies.keep(conn)
        self._apart.keep(conn)

    @property
    def held(self) -> Iterable[int]:
        """Devices that this group puts on hold."""
        return self._apart.held

    def change(self) -> Change:
        """What the pages should look at anew."""
        return Change(
            frozenset(self._changed), bool(self._bodies.punches), self.received_ms, down=bool(self._bodies.keeping)
        )

    # ---- presence

    def _add_presence(self, device: Device, payload: bytes) -> None:
        told = codec.decode_presence(payload)
        if told.online and self._apart.hear(device, told):
            log.warning("there are two devices with the identity of %s: both are on hold", device.name)
        if not presence.is_news(device.boot, device.connection, told):
            return
        device.online = told.online
        device.boot = told.boot
        device.connection = told.connection
        device.version = told.version or device.version
        device.kind = told.device_kind or device.kind
        if told.online:
            self._bodies.keeping.add("presence", Told(device.id, device.name, 0, 0, self.received_ms, told))
        self._touch(device)

    def _touch(self, device: Device) -> None:
        self._devices[device.id] = device
        self._changed.add(device.name)

    # ---- batches

    def _add_batch(self, device: Device, received: Received) -> None:
        batch = received.batch
        if not device.online:
            device.online = True
            self._touch(device)
        if device.id in self._known.held:
            self.records += len(batch.records)
            size, odd = self._apart.add(device, received)
            self.bytes += size
            for oddity in odd:
                self._keep_record(device, None, "", oddity)
            self._touch(device)
            return
        lane = self._known.lane(device, batch.spool, batch.lane)
        if lane.through > batch.after and self._keep_strangers(device, lane, received):
            return
        self._take(device, lane, received)

    def _keep_strangers(self, device: Device, lane: Lane, received: Received) -> bool:
        """Keeps records apart whose numbers are another boot's. True when nothing of the batch is past the cursor."""
        batch = received.batch
        found = clone.strangers(lane.stretches, batch.records, lane.through)
        if not found:
            return False
        self.bytes += self._apart.keep_records(device, batch.spool, batch.lane, found)
        self._changed.add(device.name)
        if received.through >= lane.through:
            return False
        self._apart.answer_strangers(device, received)
        return True

    def add_kept(self, waiting: Sequence[Waiting]) -> None:
        """Takes in records that were kept apart, all of one lane, boot and spool: a person has decided so.

        They go the ordinary way, in a lane of their own whose cursor counts them once.
        """
        first = waiting[0]
        device = self._known.device(first.device, self.received_ms)
        spool = clone.spool_of(first.spool, first.run, first.boot)
        lane = self._known.lane(device, spool, first.lane)
        records = tuple(codec.decode_record(one.record) for one in waiting)
        after = min(lane.through, records[0].seq - 1)
        self._take(device, lane, Received(Batch(spool, lane.lane, after, records)))  # type: ignore[arg-type]
        self._told.pop(lane.id, None)
        self._apart.taken += [one.id for one in waiting]

    def _take(self, device: Device, lane: Lane, received: Received) -> None:
        taken = cursor.take(lane.through, received)
        if taken is None and self._apart.goes_on(device, lane, received.batch):
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
        self.records += len(records)
        by_kind, bad = self._read_bodies(device, lane, records)
        for stretch in clone.follow(lane.boot, records):
            lane.boot = stretch.boot
            lane.stretches = [*lane.stretches, stretch][-BOOTS_KEPT:]
            self.rows.stretches += (lane.id, stretch.first_seq, device.boots[stretch.boot].id)
        if bad:
            for kind, oddity in bad:
                self._keep_record(device, lane.id, kind, oddity)
            unread = {oddity.seq for _, oddity in bad}
            records = [record for record in records if record.seq not in unread]
            by_kind = {record.kind: [record] for record in records}
        self._add_events(device, lane.id, records)
        for kind, same in by_kind.items():
            record = same[-1]
            self._latest[device.id, kind] = (
                device.boots[record.boot].id,
                record.mono_ms,
                record.at_ms,
                NUMBER_OF_QUALITY[record.clock],
                self.received_ms,
                record.body,
            )

    def _read_bodies(
        self, device: Device, lane: Lane, records: Sequence[Record]
    ) -> tuple[dict[str, list[Record]], list[tuple[str, Oddity]]]:
        """Records by kind, and those that cannot be read. Makes boots and kinds known on the way."""
        known, boots, new_boots = self._known, device.boots, self.rows.boots
        by_kind: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if record.boot not in boots:
                known.boot(device, record.boot, new_boots)
            by_kind[record.kind].append(record)
        bad: list[tuple[str, Oddity]] = []
        # Clock readings first: they place figures of the same batch that are from before the clock was set.
        for kind in sorted(by_kind, key=_clock_first) if "clock" in by_kind else by_kind:
            same = by_kind[kind]
            try:
                known.kind(kind, self.rows.kinds)
                odd = self._bodies.read(kind, device, lane.id, same)
            except Unreadable as error:
                odd = [Oddity(record.seq, bytes(record.body), str(error)) for record in same]
            bad += [(kind, oddity) for oddity in odd]
        return by_kind, bad

    def _add_events(self, device: Device, lane_id: int, records: Sequence[Record]) -> None:
        kinds, boots, received_ms = self._known.kind_ids, device.boots, self.received_ms
        extend, size = self.rows.events.extend, 0
        for record in records:
            body = record.body
            size += len(body)
            extend(
                (
                    lane_id,
                    record.seq,
                    kinds[record.kind],
                    boots[record.boot].id,
                    record.mono_ms,
                    record.at_ms,
                    NUMBER_OF_QUALITY[record.clock],
                    received_ms,
                    # Not bytes: the driver looks for an adapter for those, and not for a bytearray.
                    bytearray(body),
                )
            )
        self.bytes += size

    # ---- what cannot be read

    def _keep_record(self, device: Device, lane_id: int | None, kind: str, oddity: Oddity) -> None:
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


def _clock_first(kind: str) -> bool:
    return kind != "clock"
