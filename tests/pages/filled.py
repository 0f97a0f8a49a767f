"""A small town for the pages' tests and pictures: its devices tell of a week, over the real wire.

genkan-1     a terminal at the town hall's entrance: well, with punches of every standing and a gap yesterday
kominkan-1   a terminal at the community hall: gone since this morning, its card reader at fault
toshokan-ap  an access point in the library: hot, its disk nearly full, one record that cannot be read
"""

import math
from collections.abc import Iterator
from itertools import islice

import msgspec

from tests.ingest.parts import Device, batch
from wire import codec, topics
from wire.messages import (
    Alarm,
    ClockQuality,
    Health,
    Interface,
    Lane,
    Presence,
    ProcessState,
    Punch,
    Record,
    Standing,
    Usage,
)

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
GB = 1_000_000_000
BOOT = "7f3d2c1b-0a9e-4d8c-b7a6-95f4e3d2c1b0"
CARDS = [f"{number:032x}" for number in (0x3F9A61C2 << 96, 0x81D04E77 << 96, 0xC25B9A10 << 96, 0x0E7712AB << 96)]


class Teller:
    """One device that tells what happened: numbers its records and sends them in batches."""

    def __init__(self, port: int, name: str, kind: str, now_ms: int) -> None:
        self._device = Device(port, name)
        self._name, self._kind, self._now_ms = name, kind, now_ms
        self._seq: dict[Lane, int] = {"urgent": 0, "bulk": 0}
        self._spool = f"{abs(hash(name)) % 16**16:016x}"
        self.present()

    def present(self, *, online: bool = True) -> None:
        """Says hello or goodbye."""
        presence = Presence(online, BOOT, 1, "0.1.0", self._kind)
        self._device.send(codec.encode(presence), topics.topic(self._name, "presence"))

    def tell(self, lane: Lane, told: Iterator[tuple[int, str, msgspec.Struct | bytes]]) -> None:
        """Sends (time, kind, body), and waits until the hub has them."""
        while part := list(islice(told, 120)):
            after = self._seq[lane]
            records = []
            for at_ms, kind, body in part:
                self._seq[lane] += 1
                raw = body if isinstance(body, bytes) else codec.encode_body(body)
                mono_ms = at_ms - self._now_ms + 9 * DAY_MS
                clock: ClockQuality = "synced"
                records.append(Record(self._seq[lane], kind, BOOT, mono_ms, at_ms, clock, msgspec.Raw(raw)))
            self._device.deliver(batch(after, *records, spool=self._spool, lane=lane))

    def tap(self, at_ms: int, card: str, direction: str = "clock_in", standing: Standing = "accepted") -> None:
        """One card at the terminal."""
        told = Punch(card, direction, standing, "person" if direction == "clock_out" else "time")  # type: ignore[arg-type]
        self.tell("urgent", iter([(at_ms, "punch", told)]))

    def drop(self) -> None:
        """Loses the connection."""
        self._device.drop()


def fill(port: int, now_ms: int) -> list[Teller]:
    """Tells everything; the tellers, still connected."""
    genkan = Teller(port, "genkan-1", "terminal", now_ms)
    kominkan = Teller(port, "kominkan-1", "terminal", now_ms)
    library = Teller(port, "toshokan-ap", "access_point", now_ms)
    gone_ms = now_ms - 5 * HOUR_MS
    genkan.tell("bulk", _health(now_ms, now_ms, warm=47, gap=True))
    genkan.tell("bulk", _usage(now_ms, now_ms, "eth0", 40))
    kominkan.tell("bulk", _health(now_ms, gone_ms, warm=44, waiting=12))
    kominkan.tell("bulk", _usage(now_ms, gone_ms, "wwan0", 8))
    library.tell("bulk", _health(now_ms, now_ms, warm=83, full=True))
    library.tell("bulk", _usage(now_ms, now_ms, "wlan0", 900))
    library.tell("bulk", iter([(now_ms, "health", b'{"cpu_permille":"hot"}')]))
    kominkan.tell("urgent", iter([(gone_ms, "alarm", Alarm("card_reader", "begun", "no answer on /dev/ttyUSB0"))]))
    genkan.tell("urgent", _punches(now_ms))
    kominkan.present(online=False)
    return [genkan, kominkan, library]


def _punches(now_ms: int) -> Iterator[tuple[int, str, Punch]]:
    day_ms = now_ms - DAY_MS
    for minute, card in enumerate(CARDS[:3]):
        yield day_ms - 8 * HOUR_MS + minute * 97_000, "punch", Punch(card, "clock_in")
        yield day_ms + minute * 61_000, "punch", Punch(card, "clock_out", chosen="person")
    told: list[tuple[int, Punch]] = [
        (31, Punch(CARDS[0], "clock_in")),
        (29, Punch(CARDS[1], "clock_in")),
        (28, Punch(CARDS[1], "clock_in", "repeat")),
        (20, Punch("f" * 32, "clock_in", "unknown")),
        (9, Punch(CARDS[2], "clock_out", "unsure", "person")),
        (2, Punch(CARDS[0], "clock_out", chosen="person")),
    ]
    for minutes, punch in told:
        yield now_ms - minutes * MINUTE_MS, "punch", punch


def _health(
    now_ms: int, end_ms: int, *, warm: int, waiting: int = 0, full: bool = False, gap: bool = False
) -> Iterator[tuple[int, str, Health]]:
    """A week in steps of ten minutes, the last hours minute by minute, the working day visible in it."""
    at_ms = now_ms - 8 * DAY_MS
    while at_ms <= end_ms:
        hour = (at_ms / HOUR_MS + 9) % 24
        busy = max(0.0, math.sin((hour - 6) / 14 * math.pi)) if 6 <= hour <= 20 else 0.0
        wave = math.sin(at_ms / 1_700_000) * 0.12 + math.sin(at_ms / 430_000) * 0.05
        if not (gap and now_ms - 19 * HOUR_MS < at_ms < now_ms - 15 * HOUR_MS):
            yield (
                at_ms,
                "health",
                Health(
                    cpu_permille=int(60 + 260 * busy + 200 * abs(wave)),
                    memory_total=GB,
                    memory_available=int(GB * (0.62 - 0.15 * busy)),
                    disk_total=32 * GB,
                    disk_free=GB if full else int((21 - (at_ms - now_ms) / DAY_MS / 10) * GB),
                    uptime_s=(at_ms - now_ms + 9 * DAY_MS) // 1000,
                    version="0.1.0",
                    temperature_milli_c=int((warm + 5 * busy + 8 * wave) * 1000),
                    spool_urgent=waiting,
                    spool_bulk=int(30 * abs(wave)),
                    reader="" if full else "ready",
                    processes=(
                        ProcessState("machinaka-agent", "running", 691_200),
                        ProcessState("kiosk", "running", 86_000),
                    ),
                ),
            )
        at_ms += MINUTE_MS if now_ms - at_ms <= 3 * HOUR_MS else 10 * MINUTE_MS


def _usage(now_ms: int, end_ms: int, interface: str, mb_an_hour: int) -> Iterator[tuple[int, str, Usage]]:
    received = sent = 0
    for hours in range(8 * 24, -1, -1):
        at_ms = now_ms - hours * HOUR_MS
        busy = 1 + 2 * max(0.0, math.sin(((at_ms / HOUR_MS + 3) % 24) / 14 * math.pi))
        received += int(mb_an_hour * busy * 1_000_000)
        sent += int(mb_an_hour * busy * 230_000)
        if at_ms <= end_ms:
            yield at_ms, "usage", Usage((Interface(interface, received, sent, "other"),))
