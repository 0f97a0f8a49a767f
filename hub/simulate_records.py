"""What simulated devices say: plausible records of the kinds and in the shares that were asked for.

1. Each lane counts its own seqs from 1; what a device counts (bytes, seconds) only grows.
2. The same number says the same: a run can be repeated.
"""

import functools
import random
import time

import msgspec

from wire import codec
from wire.messages import LANE_OF_KIND, RECORDS_PER_BATCH, Batch, Health, Interface, Lane, Punch, Record, Usage

CARDS = 400
_BODIES = 64
_MIB = 1 << 20


class BadMix(Exception):
    """One plain sentence on what was expected of the shares."""


def parse_mix(text: str) -> dict[str, int]:
    """Shares such as `health=8,usage=1,punch=1`, as numbers by kind. Raises BadMix."""
    shares: dict[str, int] = {}
    for part in text.split(","):
        kind, _, share = part.partition("=")
        if kind not in _KINDS or kind in shares or not share.isascii() or not share.isdigit() or len(share) > 6:
            raise BadMix(f"found {part!r}, expected shares such as health=8,usage=1,punch=1")
        shares[kind] = int(share)
    if not any(shares.values()):
        raise BadMix(f"found {text!r}, expected at least one share above 0")
    return shares


class Voice:
    """One device's records.  `shares` by kind; `number` makes it differ from its neighbours, the same way each run."""

    def __init__(self, number: int, shares: dict[str, int]) -> None:
        self._random = random.Random(number)  # noqa: S311 (what devices say need not be secret)
        self._kinds: dict[Lane, list[str]] = {}
        self._lanes: list[Lane] = []
        for kind, share in shares.items():
            lane = LANE_OF_KIND[kind]
            self._kinds.setdefault(lane, []).extend([kind] * share)
            self._lanes += [lane] * share
        self._number = number
        self._counters = [self._random.randrange(10**9) for _ in range(4)]
        self._began_s = time.monotonic()
        # The same in all runs would make a device that comes again a repeat of itself.
        self.boot = f"{random.SystemRandom().getrandbits(128):032x}"
        self.spool = f"{random.SystemRandom().getrandbits(64):016x}"

    def next_lane(self) -> Lane:
        """The lane that the next batch belongs to."""
        return self._random.choice(self._lanes)

    def batch(self, lane: Lane, after: int, count: int) -> Batch:
        """The next `count` records (at most 500) of a lane, joined to those before."""
        at_ms = time.time_ns() // 1_000_000
        mono_ms = int((time.monotonic() - self._began_s) * 1000)
        kinds, boot = self._kinds[lane], self.boot
        records = [
            Record(seq, kind, boot, mono_ms, at_ms, "synced", self._body(kind, seq))
            for seq, kind in enumerate(self._random.choices(kinds, k=min(count, RECORDS_PER_BATCH)), after + 1)
        ]
        return Batch(self.spool, lane, after, tuple(records))

    def _body(self, kind: str, seq: int) -> msgspec.Raw:
        if kind == "health":
            return _health_bodies()[(seq + self._number) % _BODIES]
        return msgspec.Raw(codec.encode_body(self._usage() if kind == "usage" else self._punch(seq)))

    def _usage(self) -> Usage:
        counters = self._counters
        for index in range(4):
            counters[index] += self._random.randrange(200_000)
        return Usage(
            (
                Interface("wwan0", counters[0], counters[1], "mobile"),
                Interface("wlan0", counters[2], counters[3], "wifi"),
            )
        )

    def _punch(self, seq: int) -> Punch:
        card = f"{self._random.randrange(CARDS):032x}"
        return Punch(card, "clock_in" if seq % 2 else "clock_out", technology="felica")


_KINDS = ("health", "usage", "punch")


@functools.cache
def _health_bodies() -> list[msgspec.Raw]:
    """The same for all devices: thousands of them fit into memory."""
    chance = random.Random(0)  # noqa: S311 (as above)
    return [msgspec.Raw(codec.encode_body(_health(chance, index))) for index in range(_BODIES)]


def _health(chance: random.Random, index: int) -> Health:
    return Health(
        cpu_permille=chance.randrange(20, 600),
        memory_total=1024 * _MIB,
        memory_available=chance.randrange(400, 700) * _MIB,
        disk_total=16_000 * _MIB,
        disk_free=chance.randrange(9_000, 12_000) * _MIB,
        uptime_s=86_400 + index * 60,
        version="0.1.0",
        agent_rss=chance.randrange(36, 42) * _MIB,
        temperature_milli_c=chance.randrange(38_000, 61_000),
        load_milli=chance.randrange(900),
    )
