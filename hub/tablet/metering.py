"""Data used, from the counters of a lent device (rule): differences by boot and sequence, months of Japan, the loan.

1. A sample's name is (device, SIM, interface, boot, seq); the same name again is ignored.
2. The order is that of boots and sequences, never that of arrival or of a clock. Boots go by their smallest sequence.
3. Within one boot the difference counts; a new boot counts whole, and what was used between the last sample and the
   reboot is not known (TAIL_LOST_POSSIBLE), unless that sample was taken at shutdown.
4. A fall within one boot is a wrap where the counter is declared 32-bit; else the counter was reset: it is flagged
   (COUNTER_FELL), and the new value counts whole.
5. The first sample ever is where counting begins and adds nothing, unless it tells of a boot within the loan.
6. Only the SIM's interface is billable, Wi-Fi is told apart, a tunnel repeats bytes that are already there.
7. An interval that reaches over a month's end in Japan, or over an end of the loan, is split by time: floored to the
   earlier part, the rest to the later one, the sum kept (ESTIMATED_SPLIT). A sample at the very end makes it exact.
8. What lies before or after the loan belongs to nobody.

Times are milliseconds of UTC, data is bytes.  The totals are a fold; `Meter` and `inserted` are caches that equal it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Literal, NamedTuple

import msgspec

Kind = Literal["sim", "wifi", "tunnel"]
Flag = Literal["COUNTER_FELL", "ESTIMATED_SPLIT", "TAIL_LOST_POSSIBLE"]
# What a sum is of: bytes by SIM or Wi-Fi, or how many steps between two samples have a flag.
What = Literal["sim", "wifi", "COUNTER_FELL", "ESTIMATED_SPLIT", "TAIL_LOST_POSSIBLE"]
# By month (`YYYY-MM`), SIM and what. A change to sums has the same form, and may be negative; 0 is as good as nothing.
Sums = dict[tuple[str, str, What], int]

FLAGS: tuple[Flag, ...] = ("COUNTER_FELL", "ESTIMATED_SPLIT", "TAIL_LOST_POSSIBLE")
_WRAP = 2**32
_OFFSET_MS = 9 * 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = [(year, month) for year in range(1970, 2151) for month in range(1, 13)]
_NAMES = [f"{year}-{month:02d}" for year, month in _MONTHS]
_STARTS = [
    (datetime(year, month, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) - _OFFSET_MS for year, month in _MONTHS
]
_NEVER_MS, _EVER_MS = -(2**64), 2**64


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A counter as it stood: `bytes` since the boot (or since it wrapped), received and sent together.

    A 32-bit counter kept for each direction is two series, each with an `iface` of its own (`wwan0:rx`).
    `sim` is the card behind the interface. `boot_ms`: when the boot began, where it is known: what counts whole flowed
    since then.  `last`: taken at shutdown, so that nothing is lost after it.
    """

    boot: str
    seq: int
    bytes: int
    iface: str
    kind: Kind
    at_ms: int
    bits: Literal[32, 64] = 64
    sim: str = ""
    boot_ms: int | None = None
    last: bool = False


class Loan(NamedTuple):
    """When the device was lent: from the hand-over to the return (None: open)."""

    from_ms: int | None = None
    to_ms: int | None = None


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes by month: what is billable (SIM), the same by SIM and month, and what went over Wi-Fi; flags are sorted.

    A month without a byte is left out.
    """

    billable: dict[str, int]
    by_sim: dict[str, dict[str, int]]
    wifi: dict[str, int]
    flags: tuple[Flag, ...]
    flags_by_month: dict[str, tuple[Flag, ...]]


class Compared(NamedTuple):
    """The carrier's figure beside ours; `basis_points`: hundredths of a percent of the carrier's, a half rounded up."""

    status: Literal["OK", "EXCEPTION"]
    difference_bytes: int
    basis_points: int


_ALWAYS = Loan()
_seq = attrgetter("seq")


def meter(samples: Iterable[Sample], loan: Loan = _ALWAYS) -> Metered:
    """What one device used, from all of its samples in any order."""
    return metered(fold(samples, loan))


def fold(samples: Iterable[Sample], loan: Loan = _ALWAYS) -> Sums:
    """The sums of one device's samples in any order; of two with the same name the first is taken."""
    chains, order = _chains(samples)
    sums: Sums = {}
    for (_, kind), boots in chains.items():
        if kind == "tunnel":
            continue
        before: Sample | None = None
        for boot in order:
            if boot in boots:
                before = _along(sums, kind, before, boots[boot], loan)
    return sums


def inserted(before: Sample | None, new: Sample, after: Sample | None, loan: Loan = _ALWAYS) -> Sums:
    """How the sums change when a sample comes between its neighbours, however late: the cache of a fold.

    The neighbours are those of the same device, `iface` and `kind` in the order of rule 2 (None: there is none).  A
    name that is there already must not be given again, and a sample must not change the order of boots: it does not
    where sequences go on over a reboot.
    """
    change: Sums = {}
    if after is not None:
        _add(change, before, after, loan, -1)
    _add(change, before, new, loan, 1)
    if after is not None:
        _add(change, new, after, loan, 1)
    return {key: amount for key, amount in change.items() if amount}


def metered(sums: Sums) -> Metered:
    """Sums as they are told."""
    by_sim: dict[str, dict[str, int]] = {}
    for (month, sim, what), amount in sorted(sums.items()):
        if what == "sim" and amount:
            by_sim.setdefault(sim, {})[month] = amount
    billable, wifi = _by_month(sums, "sim"), _by_month(sums, "wifi")
    by_flag = {flag: _by_month(sums, flag) for flag in FLAGS}
    months = sorted({month for found in by_flag.values() for month in found})
    return Metered(
        billable=billable,
        by_sim=by_sim,
        wifi=wifi,
        flags=tuple(flag for flag in FLAGS if by_flag[flag]),
        flags_by_month={month: tuple(flag for flag in FLAGS if month in by_flag[flag]) for month in months},
    )


def compare(carrier_bytes: int, device_bytes: int, tolerance_percent: int = 5) -> Compared:
    """The carrier's figure decides the money, ours explains it: beyond the tolerance a person has to look."""
    difference = carrier_bytes - device_bytes
    whole = carrier_bytes or abs(difference) or 1
    points = (2 * abs(difference) * 10_000 + whole) // (2 * whole)
    beyond = abs(difference) * 100 > tolerance_percent * carrier_bytes
    return Compared("EXCEPTION" if beyond else "OK", difference, points)


def month_of(at_ms: int) -> str:
    """The month in Japan in which a time lies."""
    return _NAMES[_place(at_ms)]


class Meter:
    """The sums of one device, kept while samples come in any order: at any time the same as the fold of all so far."""

    def __init__(self, loan: Loan = _ALWAYS) -> None:
        """Nothing yet."""
        self.sums: Sums = {}
        self._loan = loan
        # Boots in their order, and by interface and boot the sequences and samples in theirs.
        self._order: list[str] = []
        self._firsts: dict[str, tuple[int, int]] = {}
        self._chains: dict[tuple[str, Kind], dict[str, tuple[list[int], list[Sample]]]] = {}

    @property
    def metered(self) -> Metered:
        """The sums as they are told."""
        return metered(self.sums)

    def add(self, samples: Iterable[Sample]) -> Sums:
        """Takes samples in; what the sums change by."""
        before = dict(self.sums)
        for sample in samples:
            self._take(sample)
        keys = before.keys() | self.sums.keys()
        return {key: by for key in keys if (by := self.sums.get(key, 0) - before.get(key, 0))}

    def _take(self, sample: Sample) -> None:
        boots = self._chains.setdefault((sample.iface, sample.kind), {})
        seqs, samples = boots.setdefault(sample.boot, ([], []))
        at = bisect_left(seqs, sample.seq)
        if at < len(seqs) and seqs[at] == sample.seq:
            return
        reordered = self._rank(sample)
        if not reordered:
            before = samples[at - 1] if at else self._neighbour(boots, sample.boot, -1)
            after = samples[at] if at < len(seqs) else self._neighbour(boots, sample.boot, 1)
            self._change(inserted(before, sample, after, self._loan))
        seqs.insert(at, sample.seq)
        samples.insert(at, sample)
        if reordered:
            self.sums = fold(self._all(), self._loan)

    def _rank(self, sample: Sample) -> bool:
        """Puts the sample's boot in its place; whether boots that were there have another order now."""
        first, known = (sample.seq, sample.at_ms), self._firsts.get(sample.boot)
        if known is not None and known <= first:
            return False
        self._firsts[sample.boot] = first
        before, self._order = self._order, _boot_order(self._firsts)
        return known is not None and before != self._order

    def _neighbour(
        self, boots: dict[str, tuple[list[int], list[Sample]]], boot: str, way: Literal[-1, 1]
    ) -> Sample | None:
        """The nearest sample of another boot: the last one before, or the first one after."""
        at = self._order.index(boot) + way
        while 0 <= at < len(self._order):
            samples = boots.get(self._order[at], ([], []))[1]
            if samples:
                return samples[-1] if way < 0 else samples[0]
            at += way
        return None

    def _change(self, by: Sums) -> None:
        for key, amount in by.items():
            _plus(self.sums, key, amount)
            if not self.sums[key]:
                del self.sums[key]

    def _all(self) -> Iterator[Sample]:
        for boots in self._chains.values():
            for _, samples in boots.values():
                yield from samples


def _chains(samples: Iterable[Sample]) -> tuple[dict[tuple[str, Kind], dict[str, list[Sample]]], list[str]]:
    """Each interface's samples by boot, in order and without repeats; the boots in order."""
    chains: defaultdict[tuple[str, Kind], defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        chains[sample.iface, sample.kind][sample.boot].append(sample)
    firsts: dict[str, tuple[int, int]] = {}
    for boots in chains.values():
        for boot, found in boots.items():
            boots[boot] = _in_order(found)
            first = (boots[boot][0].seq, boots[boot][0].at_ms)
            firsts[boot] = min(first, firsts.get(boot, first))
    return {key: dict(boots) for key, boots in chains.items()}, _boot_order(firsts)


def _in_order(samples: list[Sample]) -> list[Sample]:
    """By sequence, of two with the same one the first that came."""
    samples.sort(key=_seq)
    return [one for at, one in enumerate(samples) if not at or one.seq != samples[at - 1].seq]


def _boot_order(firsts: dict[str, tuple[int, int]]) -> list[str]:
    """By smallest sequence; where two begin alike, by its time, then by name, so that the order is one order."""
    return sorted(firsts, key=lambda boot: (firsts[boot], boot))


def _along(sums: Sums, what: What, before: Sample | None, samples: list[Sample], loan: Loan) -> Sample | None:
    """Adds a boot's samples to the sums; the last one.

    Nearly every step lies within one month and one loan, between two samples of one boot: it is added here, at once.
    """
    # No step lies in this: the first sample, which may follow another boot's, goes the long way.
    low, high, sim = 1, 0, ""
    key = ("", "", what)
    for one in samples:
        if before is not None and one.sim == sim:
            used = one.bytes - before.bytes
            if used >= 0 and low <= before.at_ms < one.at_ms <= high:
                sums[key] = sums.get(key, 0) + used
                before = one
                continue
        _add(sums, before, one, loan, 1)
        low, high = _window(one.at_ms, loan)
        sim, key = one.sim, (month_of(one.at_ms), one.sim, what)
        before = one
    return before


def _add(sums: Sums, before: Sample | None, after: Sample, loan: Loan, sign: Literal[-1, 1]) -> None:
    """What lies between two neighbours, added to the sums or taken out of them."""
    if after.kind == "tunnel":
        return
    step = _step(before, after, loan)
    if step is None:
        return
    parts = _spread(step, after.at_ms, loan)
    for month, amount in parts.by_month:
        _plus(sums, (month, after.sim, after.kind), sign * amount)
        if parts.estimated:
            _plus(sums, (month, after.sim, "ESTIMATED_SPLIT"), sign)
    if parts.by_month and step.flag is not None:
        _plus(sums, (parts.by_month[-1][0], after.sim, step.flag), sign)


class _Step(NamedTuple):
    used: int
    begin_ms: int
    flag: Flag | None = None


class _Parts(NamedTuple):
    by_month: list[tuple[str, int]]
    estimated: bool


def _step(before: Sample | None, after: Sample, loan: Loan) -> _Step | None:
    """The bytes between two neighbours and since when they flowed; None: counting only begins here."""
    if before is None:
        if after.boot_ms is None or loan.from_ms is None or after.boot_ms < loan.from_ms:
            return None
        return _Step(after.bytes, after.boot_ms)
    if before.boot != after.boot:
        begin_ms = before.at_ms if after.boot_ms is None else max(before.at_ms, after.boot_ms)
        return _Step(after.bytes, begin_ms, None if before.last else "TAIL_LOST_POSSIBLE")
    if before.sim != after.sim:
        # The counter is the interface's: which card its bytes went over since then, nobody knows.
        return _Step(0, before.at_ms, "TAIL_LOST_POSSIBLE")
    fell = after.bytes < before.bytes
    if fell and after.bits == 64:
        return _Step(after.bytes, before.at_ms, "COUNTER_FELL")
    return _Step(after.bytes - before.bytes + (_WRAP if fell else 0), before.at_ms)


def _spread(step: _Step, end_ms: int, loan: Loan) -> _Parts:
    """The step's bytes by month within the loan. An interval that is none (a clock went back) counts at its end."""
    low, high = _bounds(loan)
    begin_ms = step.begin_ms
    if begin_ms >= end_ms:
        return _Parts([(month_of(end_ms), step.used)] if low <= end_ms < high else [], estimated=False)
    cuts = _STARTS[bisect_right(_STARTS, begin_ms) : bisect_left(_STARTS, end_ms)]
    cuts = sorted({*cuts, *(cut for cut in (low, high) if begin_ms < cut < end_ms)})
    by_month: dict[str, int] = {}
    done, since = 0, begin_ms
    for until in (*cuts, end_ms):
        upto = step.used * (until - begin_ms) // (end_ms - begin_ms)
        if low <= since and until <= high:
            name = month_of(since)
            by_month[name] = by_month.get(name, 0) + upto - done
        done, since = upto, until
    return _Parts(sorted(by_month.items()), bool(cuts) and step.used > 0)


def _window(at_ms: int, loan: Loan) -> tuple[int, int]:
    """From when to when a step counts whole where this time lies: its month, cut to the loan."""
    low, high = _bounds(loan)
    place = _place(at_ms)
    return max(low, _STARTS[place]), min(high, _STARTS[place + 1] if place + 1 < len(_STARTS) else _EVER_MS)


def _bounds(loan: Loan) -> tuple[int, int]:
    return (
        _NEVER_MS if loan.from_ms is None else loan.from_ms,
        _EVER_MS if loan.to_ms is None else loan.to_ms,
    )


def _place(at_ms: int) -> int:
    return max(0, bisect_right(_STARTS, at_ms) - 1)


def _plus(sums: Sums, key: tuple[str, str, What], amount: int) -> None:
    sums[key] = sums.get(key, 0) + amount


def _by_month(sums: Sums, wanted: What) -> dict[str, int]:
    found: dict[str, int] = {}
    for (month, _, what), amount in sorted(sums.items()):
        if what == wanted and amount:
            found[month] = found.get(month, 0) + amount
    return found
