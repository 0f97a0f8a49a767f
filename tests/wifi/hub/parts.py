"""What these tests share: access points beside the test that speak the real wire, and hear what is sent down."""

import time
from pathlib import Path

import mqtt5
import msgspec

from edge_agent import verify
from hub.signing import Signing
from tests.ingest.parts import BOOT, Device, batch
from wire import codec, topics
from wire.messages import Grant, Lane, Presence, Record, Roam, WifiSession

MINUTE_MS = 60_000


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class AccessPoint:
    """One access point: tells records, and gathers the grants that it is sent."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self._line = _Line(port, name)
        self._seq = dict.fromkeys(("urgent", "bulk"), 0)
        self._connection = 0
        self.roams: list[Roam] = []

    def present(self) -> None:
        """Says that it is there, over a new connection."""
        self._connection += 1
        presence = Presence(True, BOOT, self._connection, "0.1.0", "access_point")
        self._line.send(codec.encode(presence), topics.topic(self.name, "presence"))

    def tell(self, kind: str, *bodies: msgspec.Struct, lane: Lane = "bulk") -> None:
        """Tells of things that happen now, until the hub has them."""
        first, records = self._seq[lane], []
        for body in bodies:
            self._seq[lane] += 1
            raw = msgspec.Raw(codec.encode_body(body))
            records.append(Record(self._seq[lane], kind, BOOT, self._seq[lane], now_ms(), "synced", raw))
        self._line.deliver(batch(first, *records, lane=lane))

    def granted(self, within_s: float = 30) -> dict[str, Grant]:
        """What it has been told of agreements, the latest of each, after the next message (or the time is over)."""
        more = self._line.roam(within_s)
        if more is not None:
            self.roams.append(more)
        return {grant.origin: grant for roam in self.roams for grant in roam.grants}

    def hears(self, origin: str, **fields: object) -> Grant:
        """The grant, once it is as expected. Raises AssertionError after a minute."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            grant = self.granted(5).get(origin)
            if grant and all(getattr(grant, name) == value for name, value in fields.items()):
                return grant
        raise AssertionError(f"{self.name} knows {self.granted(0.1)}, expected {origin} with {fields}")

    def drop(self) -> None:
        """Loses its connection."""
        self._line.drop()


class _Line(Device):
    """A connection that also hears what is sent down."""

    def __init__(self, port: int, name: str) -> None:
        self._roams: list[Roam] = []
        self._waits_for_roams = False
        super().__init__(port, name)
        self._send(mqtt5.SubscribePacket(2, [mqtt5.TopicFilter(topics.topic(name, "down"))]))
        self._expect(mqtt5.SubAckPacket)

    def roam(self, within_s: float) -> Roam | None:
        """The next message of grants, or None when none came in that time."""
        if not self._roams:
            self._waits_for_roams = True
            self._next(within_s)
            self._waits_for_roams = False
        return self._roams.pop(0) if self._roams else None

    def _next(self, within_s: float) -> mqtt5.Packet | None:
        """What is no message downwards; grants are put aside, and end the waiting when nothing else is waited for."""
        end = time.monotonic() + within_s
        while True:
            packet = super()._next(max(end - time.monotonic(), 0.01))
            if not (isinstance(packet, mqtt5.PublishPacket) and packet.topic.endswith("/down")):
                return packet
            told = codec.decode_down(packet.payload)
            if isinstance(told, Roam):
                self._roams.append(told)
                end = min(end, time.monotonic() + 0.2) if self._waits_for_roams else end


def is_the_hubs(folder: Path, hub_folder: Path, device: str, told: Roam) -> bool:
    """Whether the device, which knows the hub's key, believes it."""
    identity = folder / "identity"
    identity.mkdir(parents=True, exist_ok=True)
    (identity / "orders.pub").write_text(Signing(hub_folder).public + "\n")
    return verify.roam(folder, device, told) is None


def session(name: str, number: int = 1, **more: object) -> WifiSession:
    """A session that began five minutes ago and lasts an hour."""
    now = now_ms()
    body = WifiSession(
        name,
        BOOT,
        number,
        now - 5 * MINUTE_MS,
        now - 1000,
        1000,
        9000,
        "a" * 32,
        "2026-11-25",
        ends_ms=now + 55 * MINUTE_MS,
    )
    return msgspec.structs.replace(body, **more)
