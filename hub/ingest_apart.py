"""What one group keeps apart: records of a device of which there are two, and those that bear a taken number.

1. A device on hold as copied is answered, so that its disk does not fill, but nothing of it is counted.
2. Each of the copies has cursors of its own, and its answers name its run: the other one does not take them.
3. A record is stored once, by what it is and not by its number alone: no number overwrites another's record.
"""

from collections.abc import Iterable, Sequence

from hub import audit
from hub.db import Connection
from hub.fleet import clone, clone_store, outbox
from hub.fleet.clone import Run
from hub.fleet.clone_store import Cursor
from hub.fleet.known import Device, Known
from hub.fleet.known import Lane as KnownLane
from wire import codec
from wire.codec import Oddity, Received
from wire.messages import Ack, Batch, Lane, Presence, Record


class Apart:
    """Belongs to one group."""

    def __init__(self, known: Known, received_ms: int) -> None:
        self._known, self._received_ms = known, received_ms
        self.acks: dict[tuple[Cursor, str], tuple[str, bytes]] = {}
        self.taken: list[int] = []
        self._records: list[object] = []
        self._cursors: dict[Cursor, int] = {}
        self._runs: dict[int, tuple[Run, ...]] = {}
        self._found: dict[int, str] = {}

    @property
    def held(self) -> Iterable[int]:
        """Devices that are put on hold."""
        return self._found

    def hear(self, device: Device, told: Presence) -> bool:
        """Takes in that an agent has connected; whether it shows that there are two of this device."""
        heard = clone.run_of(told)
        runs: tuple[Run, ...]
        if device.id in self._known.held:
            # Only whose turn it is: what is known already need not be found out again at every turn.
            runs, cloned = (heard,), False
        else:
            runs, cloned = clone.hear(device.runs, heard)
        if runs != device.runs:
            device.runs = self._runs[device.id] = runs
        if cloned:
            self._known.hold(device)
            self._found[device.id] = device.name
        return cloned

    def add(self, device: Device, received: Received) -> tuple[int, list[Oddity]]:
        """Keeps a batch of a device on hold, and answers it; how many bytes that is, and what cannot be read."""
        batch = received.batch
        run = device.runs[-1].name if device.runs else ""
        which = (device.id, run, batch.spool, batch.lane)
        through = self._known.apart(device, which)
        if through is None:
            through = batch.after
        size, odd = 0, list[Oddity]()
        if batch.after <= through:
            odd = [oddity for oddity in received.oddities if oddity.seq > through]
            size = self.keep_records(device, batch.spool, batch.lane, batch.records)
            through = max(through, received.through)
        device.apart[which] = self._cursors[which] = through
        self._answer(device, which, through)
        return size, odd

    def keep_records(self, device: Device, spool: str, lane: Lane, records: Sequence[Record]) -> int:
        """Keeps records; how many bytes they are."""
        run, size = device.runs[-1].name if device.runs else "", 0
        for record in records:
            raw = codec.encode_record(record)
            size += len(raw)
            named = (device.id, run, spool, lane, record.seq, record.boot)
            self._records += (*named, record.mono_ms, record.at_ms, record.kind, self._received_ms, raw)
        return size

    def answer_strangers(self, device: Device, received: Received) -> None:
        """A batch of taken numbers is here through its own end, wherever the lane's cursor is."""
        batch = received.batch
        self._answer(device, (device.id, "", batch.spool, batch.lane), received.through)

    def goes_on(self, device: Device, lane: KnownLane, batch: Batch) -> bool:
        """Whether a lane is further than its cursor says, since its device was on hold and answered meanwhile.

        Else it would go back and offer once more what is kept apart. Told by its run, or by standing where one stood.
        """
        run = device.runs[-1].name if device.runs else ""
        through = self._known.apart(device, (device.id, run, lane.spool, lane.lane))
        if through is None:
            through = self._known.apart_at(device, lane, batch.after)
        if through is None or through <= lane.through:
            return False
        lane.through = through
        return True

    def _answer(self, device: Device, which: Cursor, through: int) -> None:
        spool, lane = which[2:]
        ack = Ack(spool, lane, through, clone.addressed(device.runs))  # type: ignore[arg-type]
        self.acks[which, ack.run] = (device.ack_topic, codec.encode(ack))

    def keep(self, conn: Connection) -> None:
        """Stores it, in the group's transaction."""
        clone_store.keep_runs(conn, self._runs)
        clone_store.keep(conn, self._cursors, self._records)
        clone_store.forget(conn, self.taken)
        for device_id, name in self._found.items():
            outbox.hold(conn, device_id, "clone", self._received_ms, audit.SYSTEM)
            audit.note(conn, self._received_ms, audit.SYSTEM, "clone", name)
