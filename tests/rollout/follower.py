"""A device that follows what it is ordered, over the real wire: it takes `Desired` from its down topic, applies it or
fails, reports, and is heard afterwards.  What it has to say waits until the hub acknowledges it."""

import threading
import time
import uuid
from collections.abc import Callable

import mqtt5

from tests.ingest.parts import HEALTH, Device, batch, record
from wire import codec, signed, topics
from wire.messages import Ack, Desired, Health, Lane, Presence, Record, Reported

Way = Callable[[Desired], bool]


def follows(_desired: Desired) -> bool:
    """It applies whatever it is ordered."""
    return True


class Wire(Device):
    """A device's connection that hears its down topic as well."""

    def __init__(self, port: int, name: str, will: Presence) -> None:
        self.down: list[bytes] = []
        super().__init__(port, name, codec.encode(will))
        wanted = [mqtt5.TopicFilter(topics.topic(name, "down"), max_qos=mqtt5.QoS.AT_LEAST_ONCE)]
        self._send(mqtt5.SubscribePacket(2, wanted))
        self._expect(mqtt5.SubAckPacket)

    def take_acks(self) -> list[Ack]:
        """What the hub has since the last time."""
        acks, self._acks = self._acks, []
        return acks

    def _next(self, within_s: float) -> mqtt5.Packet | None:
        """The next packet that is not for the down topic."""
        end = time.monotonic() + within_s
        while True:
            packet = super()._next(max(end - time.monotonic(), 0))
            if not isinstance(packet, mqtt5.PublishPacket) or packet.topic != topics.topic(self.name, "down"):
                return packet
            self.down.append(bytes(packet.payload))
            if packet.packet_id:
                self._send(mqtt5.PubAckPacket(packet.packet_id))


class Follower:
    """One simulated device, on a thread of its own; `way` tells whether it gets on with what it is ordered."""

    def __init__(self, port: int, name: str, kind: str = "terminal", way: Way = follows) -> None:
        self.name, self.kind, self.way = name, kind, way
        self.applied: list[str] = []
        self._port = port
        self._spool, self._boot = uuid.uuid4().hex[:16], str(uuid.uuid4())
        self._seqs: dict[Lane, int] = {"urgent": 0, "bulk": 0}
        self._waiting: list[tuple[Lane, int, Record]] = []
        self._through: dict[Lane, int] = {"urgent": 0, "bulk": 0}
        self._connections = 0
        self._seen = ("", 0)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble: Exception | None = None

    def come(self) -> "Follower":
        """It connects and goes on until it leaves."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self.name)
        self._thread.start()
        return self

    def leave(self) -> None:
        """It ends its connection without a word."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def _run(self) -> None:
        try:
            self._connections += 1
            wire = Wire(self._port, self.name, Presence(False, self._boot, self._connections))
            try:
                self._live(wire)
            finally:
                wire.drop()
        except Exception as error:  # noqa: BLE001 (told by the test that looks at it)
            self.trouble = error

    def _live(self, wire: Wire) -> None:
        incarnation, seen = self._seen
        presence = Presence(True, self._boot, self._connections, "sim", self.kind, seen, seen, incarnation)
        wire.send(codec.encode(presence), topics.topic(self.name, "presence"))
        sent_s = lived_s = 0.0
        while not self._stopping.is_set():
            # Its health, as an agent tells it now and then: a hub that looks for life after a report hears it.
            if time.monotonic() - lived_s > 1 and not any(lane == "bulk" for lane, _, _ in self._waiting):
                lived_s = time.monotonic()
                self._say("bulk", "health", HEALTH)
                sent_s = 0.0
            ack = wire.ack(0.1)
            for one in [*([ack] if ack else []), *wire.take_acks()]:
                if one.spool == self._spool:
                    self._through[one.lane] = max(self._through[one.lane], one.through)
            while wire.down:
                self._obey(wire.down.pop(0))
                sent_s = 0.0
            self._waiting = [one for one in self._waiting if one[1] > self._through[one[0]]]
            # What is not acknowledged goes again: the hub may have been killed.
            if self._waiting and time.monotonic() - sent_s > 2:
                sent_s = time.monotonic()
                for lane, seq, kept in list(self._waiting):
                    wire.send(batch(seq - 1, kept, spool=self._spool, lane=lane))

    def _obey(self, message: bytes) -> None:
        desired = codec.decode_down(message)
        if not isinstance(desired, Desired) or (desired.incarnation, desired.generation) <= self._seen:
            return
        was, self._seen = self._seen, (desired.incarnation, desired.generation)
        well = self.way(desired)
        signed_bytes = signed.desired_bytes(self.name, desired.incarnation, desired.generation, desired.document)
        if well:
            self.applied.append(str(desired.document.get("contact", "")))
        self._say(
            "urgent",
            "reported",
            Reported(
                desired.incarnation,
                desired.generation,
                desired.generation if well else was[1],
                "applied" if well else "rolled_back",
                "" if well else "the screen stayed dark",
                signed.digest(signed_bytes) if well else "",
            ),
        )

    def _say(self, lane: Lane, kind: str, body: Reported | Health) -> None:
        self._seqs[lane] += 1
        seq = self._seqs[lane]
        now_ms = time.time_ns() // 1_000_000
        self._waiting.append((lane, seq, record(seq, body, kind, boot=self._boot, at_ms=now_ms)))
