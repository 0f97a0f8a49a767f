"""SQL of what lent tablets counted: samples as they came, and the months folded from them, kept up to date.

1. Only SIM and Wi-Fi are kept: a tunnel repeats bytes that are on one of these, and nobody pays for a cable.
2. `usage_month` is changed in the transaction that brings a sample, and equals the fold of all samples at any time;
   `fold_device` is that fold.
3. A clock reading that comes later moves the samples of its boot that were counted by a guess, and folds them anew.
4. Boots that do not follow one another (records of a copied device that were kept apart) are `tangled`: such a device
   is folded anew each time.
5. A loan that begins or ends within a month, or a series that begins in it, is folded from its samples; else the month
   is the cache's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Literal, NamedTuple

from hub.db import Connection, Into, insert
from hub.shown import day_start_ms
from hub.tablet import metering
from hub.tablet.metering import FLAGS, Flag, Kind, Loan, Sample
from hub.told import Told
from wire.messages import ClockReading, Interface, Usage

_SAMPLE = Into(
    "usage_sample (device_id, interface, lane_id, seq, boot_id, at_ms, mono_ms, clock, link, sim, bits, total_bytes, "
    "is_last)",
    13,
    "ON CONFLICT DO NOTHING",
)
_MONTH = Into(
    "usage_month (device_id, month, sim, what, amount)",
    5,
    "ON CONFLICT (device_id, month, sim, what) DO UPDATE SET amount = amount + excluded.amount",
)
_SPAN = Into(
    "usage_span (device_id, month, first_lane, first_seq, last_lane, last_seq)",
    6,
    "ON CONFLICT (device_id, month) DO UPDATE SET "
    "first_lane = CASE WHEN (first_lane, first_seq) < (excluded.first_lane, excluded.first_seq) "
    "THEN first_lane ELSE excluded.first_lane END, "
    "first_seq = CASE WHEN (first_lane, first_seq) < (excluded.first_lane, excluded.first_seq) "
    "THEN first_seq ELSE excluded.first_seq END, "
    "last_lane = CASE WHEN (last_lane, last_seq) > (excluded.last_lane, excluded.last_seq) "
    "THEN last_lane ELSE excluded.last_lane END, "
    "last_seq = CASE WHEN (last_lane, last_seq) > (excluded.last_lane, excluded.last_seq) "
    "THEN last_seq ELSE excluded.last_seq END",
)
_COLUMNS = "interface, lane_id, seq, boot_id, at_ms, mono_ms, clock, link, sim, bits, total_bytes, is_last"
_KINDS: dict[str, Kind] = {"mobile": "sim", "wifi": "wifi"}
# A lane's numbers do not come near this: a sample every second for thirty thousand years.
_LANE = 2**40
# A clock that is off by less moves nothing: only the month's very edge could tell, and it has a sample of its own.
_OFF_MS = 60_000
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_NOWHERE, _ENDLESS = (-1, 0), (2**63, 0)
# What one change to the cache is of: device, month, SIM, and `sim`, `wifi`, a flag or `begins`; `tangled` has no month.
_Changes = dict[tuple[int, str, str, str], int]


class Used(NamedTuple):
    """What a device or a line used in a month: bytes over SIM and Wi-Fi, and what makes them less than sure."""

    sim_bytes: int = 0
    wifi_bytes: int = 0
    flags: tuple[Flag, ...] = ()


class _Row(NamedTuple):
    """A sample as it is stored, without its device."""

    interface: str
    lane_id: int
    seq: int
    boot_id: int
    at_ms: int
    mono_ms: int
    clock: int
    link: Kind
    sim: str
    bits: Literal[32, 64]
    total_bytes: int
    is_last: int

    def sample(self) -> Sample:
        """As the fold takes it: its place in the order is that of lane and number."""
        return Sample(
            boot=str(self.boot_id),
            seq=self.lane_id * _LANE + self.seq,
            bytes=self.total_bytes,
            iface=self.interface,
            kind=self.link,
            at_ms=self.at_ms,
            bits=self.bits,
            sim=self.sim,
            boot_ms=self.at_ms - self.mono_ms,
            last=bool(self.is_last),
        )


# ---- what devices tell


def take(conn: Connection, told: Sequence[Told]) -> None:
    """Samples of lent tablets (`wire.messages.Usage`), and clock readings of theirs."""
    by_device: dict[int, list[Told]] = defaultdict(list)
    for one in told:
        by_device[one.device_id].append(one)
    changes: _Changes = {}
    for device_id, found in by_device.items():
        rows = [row for one in found if isinstance(one.body, Usage) for row in _rows(one)]
        plainly = _add(conn, device_id, rows, changes)
        _keep_spans(conn, device_id, rows)
        moved = [_place(conn, one) for one in found if isinstance(one.body, ClockReading)]
        if not plainly or any(moved):
            # What was added up for it so far is part of the whole.
            for key in [key for key in changes if key[0] == device_id]:
                del changes[key]
            fold_device(conn, device_id)
    _keep_changes(conn, changes)


def _add(conn: Connection, device_id: int, rows: list[_Row], changes: _Changes) -> bool:
    """Stores new samples and adds what they change; False where the device has to be folded anew."""
    series: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        series[row.interface].append(row)
    ends = {interface: _end(conn, device_id, interface) for interface in series}
    plainly = all(_goes_on(conn, device_id, ends[interface], found) for interface, found in series.items())
    if not plainly:
        insert(conn, _SAMPLE, [part for row in rows for part in (device_id, *row)])
        return False
    for interface, found in series.items():
        _go_on(conn, device_id, ends[interface], found, changes)
    return True


def _rows(told: Told) -> Iterator[_Row]:
    """A record's readings; where each way wraps by itself, each is a series of its own."""
    usage: Usage = told.body
    for interface in usage.interfaces:
        kind = _KINDS.get(interface.link)
        if kind is None:
            continue
        for name, total in _series(interface):
            yield _Row(
                f"{kind}:{name}",
                told.lane_id,
                told.seq,
                told.boot_id,
                told.at_ms,
                told.mono_ms,
                told.clock,
                kind,
                plain_sim(interface.sim) if kind == "sim" else "",
                interface.bits,
                total,
                int(usage.occasion == "shutdown"),
            )


def _series(interface: Interface) -> tuple[tuple[str, int], ...]:
    if interface.bits == 32:
        return (f"{interface.name}:rx", interface.rx_bytes), (f"{interface.name}:tx", interface.tx_bytes)
    return ((interface.name, interface.rx_bytes + interface.tx_bytes),)


def plain_sim(iccid: str) -> str:
    """An ICCID as it is compared: modems end one of nineteen digits with an F, people write spaces."""
    return iccid.replace(" ", "").replace("-", "").upper().rstrip("F")


def _keep_spans(conn: Connection, device_id: int, rows: Iterable[_Row]) -> None:
    """From where to where the samples of each month stand."""
    first: dict[str, tuple[int, int]] = {}
    last: dict[str, tuple[int, int]] = {}
    for row in rows:
        month, place = _month_of_hour(row.at_ms // _HOUR_MS), (row.lane_id, row.seq)
        if place < first.get(month, _ENDLESS):
            first[month] = place
        if place > last.get(month, _NOWHERE):
            last[month] = place
    insert(conn, _SPAN, [part for month, found in first.items() for part in (device_id, month, *found, *last[month])])


@lru_cache(10_000)
def _month_of_hour(hour: int) -> str:
    """The month in Japan of an hour since 1970: months begin with an hour."""
    return metering.month_of(hour * _HOUR_MS)


def _end(conn: Connection, device_id: int, interface: str) -> _Row | None:
    """The last sample of a series."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM usage_sample WHERE device_id = ? AND interface = ? "  # noqa: S608 (our own names)
        "ORDER BY lane_id DESC, seq DESC LIMIT 1",
        (device_id, interface),
    ).fetchone()
    return _Row(*row) if row else None


def _goes_on(conn: Connection, device_id: int, end: _Row | None, rows: list[_Row]) -> bool:
    """Whether samples simply follow the end of their series, as nearly always: in order, and no boot that is over."""
    places = [(row.lane_id, row.seq) for row in ([end, *rows] if end else rows)]
    if any(one >= other for one, other in pairwise(places)) or _is_tangled(conn, device_id):
        return False
    boots = [boot for boot, _ in groupby(row.boot_id for row in rows)]
    if end and boots[0] == end.boot_id:
        boots = boots[1:]
    if len(set(boots)) < len(boots) or (end and end.boot_id in boots):
        return False
    return not any(_has_boot(conn, device_id, boot) for boot in boots)


def _go_on(conn: Connection, device_id: int, end: _Row | None, rows: list[_Row], changes: _Changes) -> None:
    insert(conn, _SAMPLE, [part for row in rows for part in (device_id, *row)])
    if end is None:
        _plus(changes, (device_id, metering.month_of(rows[0].at_ms), "", "begins"), 1)
    for key, amount in metering.fold(one.sample() for one in (*([end] if end else ()), *rows)).items():
        _plus(changes, (device_id, *key), amount)


def _has_boot(conn: Connection, device_id: int, boot_id: int) -> bool:
    found = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM usage_sample WHERE device_id = ? AND boot_id = ?)", (device_id, boot_id)
    ).fetchone()
    return bool(found[0])


def _is_tangled(conn: Connection, device_id: int) -> bool:
    found = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM usage_month WHERE device_id = ? AND month = '' AND amount > 0)", (device_id,)
    ).fetchone()
    return bool(found[0])


def _plus(changes: _Changes, key: tuple[int, str, str, str], amount: int) -> None:
    changes[key] = changes.get(key, 0) + amount


def _keep_changes(conn: Connection, changes: _Changes) -> None:
    insert(conn, _MONTH, [part for key, amount in changes.items() if amount for part in (*key, amount)])


def _place(conn: Connection, told: Told) -> bool:
    """Moves samples of a boot whose clock was not right to where a reading puts them; whether any was far off."""
    reading: ClockReading = told.body
    began_ms = reading.wall_ms - reading.mono_ms
    moved = conn.execute(
        "UPDATE usage_sample SET at_ms = ?1 + mono_ms WHERE device_id = ?2 AND boot_id = ?3 AND clock <> 0 "
        "AND abs(at_ms - ?1 - mono_ms) > ?4",
        (began_ms, told.device_id, told.boot_id, _OFF_MS),
    )
    return moved.rowcount > 0


# ---- the fold, and what is read


def devices(conn: Connection) -> list[int]:
    """Every device that counted something."""
    found = {device_id for (device_id,) in conn.execute("SELECT DISTINCT device_id FROM usage_sample")}
    found |= {device_id for (device_id,) in conn.execute("SELECT DISTINCT device_id FROM usage_month")}
    return sorted(found)


def fold_device(conn: Connection, device_id: int) -> bool:
    """Makes the cache of a device equal to the fold; whether it was not."""
    rows = [_Row(*row) for row in conn.execute(_ALL, (device_id,))]
    conn.execute("DELETE FROM usage_span WHERE device_id = ?", (device_id,))
    _keep_spans(conn, device_id, rows)
    wanted = _folded(rows)
    there = {
        (month, sim, what): amount
        for month, sim, what, amount in conn.execute(
            "SELECT month, sim, what, amount FROM usage_month WHERE device_id = ? AND amount <> 0", (device_id,)
        )
    }
    if there == wanted:
        return False
    conn.execute("DELETE FROM usage_month WHERE device_id = ?", (device_id,))
    insert(conn, _MONTH, [part for key, amount in wanted.items() for part in (device_id, *key, amount)])
    return True


_ALL = f"SELECT {_COLUMNS} FROM usage_sample WHERE device_id = ? ORDER BY interface, lane_id, seq"  # noqa: S608


def _folded(rows: Sequence[_Row]) -> dict[tuple[str, str, str], int]:
    """What the cache of a device is to hold."""
    found: dict[tuple[str, str, str], int] = {}
    found.update(metering.fold(row.sample() for row in rows).items())
    for first in _firsts(rows):
        key = (metering.month_of(first.at_ms), "", "begins")
        found[key] = found.get(key, 0) + 1
    if _tangles(rows):
        found["", "", "tangled"] = 1
    return {key: amount for key, amount in found.items() if amount}


def _tangles(rows: Sequence[_Row]) -> bool:
    """Whether a boot comes again after another one had begun."""
    order = sorted({(row.lane_id, row.seq, row.boot_id) for row in rows})
    boots = [boot for boot, _ in groupby(boot for _, _, boot in order)]
    return len(set(boots)) < len(boots)


def _firsts(rows: Sequence[_Row]) -> Iterable[_Row]:
    """Where counting begins in each series: its first sample in the order of boots."""
    boots: dict[int, tuple[int, int]] = {}
    for row in rows:
        place = (row.lane_id, row.seq)
        boots[row.boot_id] = min(place, boots.get(row.boot_id, place))
    found: dict[str, _Row] = {}
    for row in rows:
        first = found.get(row.interface)
        if first is None or _rank(boots, row) < _rank(boots, first):
            found[row.interface] = row
    return found.values()


def _rank(boots: dict[int, tuple[int, int]], row: _Row) -> tuple[tuple[int, int], int, int]:
    return boots[row.boot_id], row.lane_id, row.seq


# ---- a month


def of_devices(conn: Connection, month: str) -> dict[int, Used]:
    """What each lent device used in a month (`YYYY-MM`), whoever had it: device id -> bytes and flags."""
    sums: dict[int, dict[str, int]] = defaultdict(dict)
    rows = conn.execute(
        "SELECT device_id, what, sum(amount) FROM usage_month WHERE month = ? GROUP BY device_id, what", (month,)
    )
    for device_id, what, amount in rows:
        sums[device_id][what] = amount
    return {device_id: _used(found) for device_id, found in sums.items()}


def _used(sums: dict[str, int]) -> Used:
    return Used(sums.get("sim", 0), sums.get("wifi", 0), tuple(flag for flag in FLAGS if sums.get(flag, 0)))


def used(conn: Connection, month: str) -> dict[int, Used]:
    """What each line used in a month by the tablets' own counters, within the dates that somebody had it: line id ->
    bytes and flags. A line that no counter tells of is not there.
    """
    cache = _Cache(conn, month)
    found: dict[int, Used] = {}
    for use in _uses(conn, month):
        for device_id in cache.devices_of(use):
            one = cache.used(device_id, use)
            if one is not None:
                found[use.line_id] = _together(found.get(use.line_id, Used()), one)
    return found


def _together(one: Used, other: Used) -> Used:
    flags = tuple(flag for flag in FLAGS if flag in one.flags or flag in other.flags)
    return Used(one.sim_bytes + other.sim_bytes, one.wifi_bytes + other.wifi_bytes, flags)


class _Use(NamedTuple):
    """Who had a line from when to when: its SIM, and the tablet it was lent with."""

    line_id: int
    sim: str
    device_id: int | None
    loan: Loan


def _uses(conn: Connection, month: str) -> list[_Use]:
    first, last = f"{month}-01", f"{month}-31"
    rows = conn.execute(
        "SELECT u.line_id, l.iccid, i.device_id, u.from_day, u.to_day, u.from_ms, u.to_ms FROM line_use u "
        "JOIN line l ON l.id = u.line_id LEFT JOIN item i ON i.id = u.item_id "
        "WHERE u.from_day <= ? AND (u.to_day = '' OR u.to_day >= ?) ORDER BY u.line_id, u.id",
        (last, first),
    )
    return [
        _Use(line_id, plain_sim(iccid), device_id, Loan(from_ms or _start_ms(from_day), _loan_end_ms(to_ms, to_day)))
        for line_id, iccid, device_id, from_day, to_day, from_ms, to_ms in rows
    ]


def _start_ms(day: str) -> int:
    return day_start_ms(date.fromisoformat(day))


def _loan_end_ms(to_ms: int, to_day: str) -> int | None:
    """The last day counts whole, where the moment of the return is not known."""
    if to_ms:
        return to_ms
    return _start_ms(to_day) + _DAY_MS if to_day else None


_ABOUT = (
    f"SELECT {_COLUMNS} FROM usage_sample WHERE device_id = ? AND interface = ? "  # noqa: S608 (our own names)
    "AND (lane_id, seq) BETWEEN (?, ?) AND (?, ?) ORDER BY lane_id, seq"
)
_BEFORE = (
    f"SELECT {_COLUMNS} FROM usage_sample WHERE device_id = ? AND interface = ? AND (lane_id, seq) < (?, ?) "  # noqa: S608
    "ORDER BY lane_id DESC, seq DESC LIMIT 1"
)
_AFTER = (
    f"SELECT {_COLUMNS} FROM usage_sample WHERE device_id = ? AND interface = ? AND (lane_id, seq) > (?, ?) "  # noqa: S608
    "ORDER BY lane_id, seq LIMIT 1"
)


def _samples_about(conn: Connection, device_id: int, month: str) -> list[Sample]:
    """The samples between which something may have flowed in a month: of each series those from the first that is not
    earlier to the last that is not later, in the device's order, the one before and the one after.

    The one before is where counting goes on from; what flowed until then is of an earlier month.
    """
    if _is_tangled(conn, device_id):
        return [_Row(*row).sample() for row in conn.execute(_ALL, (device_id,))]
    spans = conn.execute(
        "SELECT month, first_lane, first_seq, last_lane, last_seq FROM usage_span WHERE device_id = ?", (device_id,)
    ).fetchall()
    first = min((one[1:3] for one in spans if one[0] >= month), default=None)
    last = max((one[3:5] for one in spans if one[0] <= month), default=_NOWHERE)
    if first is None:
        return []
    found: list[Sample] = []
    for interface in _interfaces(conn, device_id):
        before = conn.execute(_BEFORE, (device_id, interface, *first)).fetchone()
        if before:
            found.append(_Row(*before).sample())
        found += [_Row(*row).sample() for row in conn.execute(_ABOUT, (device_id, interface, *first, *last))]
        after = conn.execute(_AFTER, (device_id, interface, *last)).fetchone()
        if after:
            found.append(_Row(*after).sample())
    return found


def _interfaces(conn: Connection, device_id: int) -> list[str]:
    """The series of a device, found one after the other and not by going through its samples."""
    found, name = list[str](), ""
    while name is not None:
        found.append(name)
        (name,) = conn.execute(
            "SELECT min(interface) FROM usage_sample WHERE device_id = ? AND interface > ?", (device_id, name)
        ).fetchone()
    return found[1:]


class _Cache:
    """A month's sums, and the samples of devices for which these are not enough."""

    def __init__(self, conn: Connection, month: str) -> None:
        self._conn, self._month = conn, month
        year, number = int(month[:4]), int(month[5:])
        self._from_ms = day_start_ms(date(year, number, 1))
        self._to_ms = day_start_ms(date(year + number // 12, number % 12 + 1, 1))
        self._sums: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
        self._by_sim: dict[str, list[int]] = defaultdict(list)
        self._samples: dict[int, list[Sample]] = {}
        rows = conn.execute("SELECT device_id, sim, what, amount FROM usage_month WHERE month = ?", (month,))
        for device_id, sim, what, amount in rows:
            self._sums[device_id][sim, what] = amount
            if sim and what == "sim":
                self._by_sim[sim].append(device_id)
        # A series that begins later may have counted since a boot in this month already.
        rows = conn.execute("SELECT DISTINCT device_id FROM usage_month WHERE month >= ? AND what = 'begins'", (month,))
        self._begin = {device_id for (device_id,) in rows}

    def devices_of(self, use: _Use) -> list[int]:
        """The tablet that went with the line, and whichever told of its card."""
        found = set(self._by_sim[use.sim]) if use.sim else set()
        if use.device_id is not None:
            found.add(use.device_id)
        return sorted(found)

    def used(self, device_id: int, use: _Use) -> Used | None:
        """What of a device's month is this use's; None where nothing was counted."""
        if self._is_whole(use.loan) and device_id not in self._begin:
            return self._of_use(self._sums.get(device_id, {}), device_id, use)
        if device_id not in self._samples:
            self._samples[device_id] = _samples_about(self._conn, device_id, self._month)
        cut = metering.fold(self._samples[device_id], use.loan)
        of_month: dict[tuple[str, str], int] = {
            (sim, what): amount for (month, sim, what), amount in cut.items() if month == self._month
        }
        return self._of_use(of_month, device_id, use)

    def _is_whole(self, loan: Loan) -> bool:
        """Whether all of the month is within the loan, its very beginning too."""
        begins = loan.from_ms is not None and loan.from_ms < self._from_ms
        return begins and (loan.to_ms is None or loan.to_ms >= self._to_ms)

    @staticmethod
    def _of_use(sums: dict[tuple[str, str], int], device_id: int, use: _Use) -> Used | None:
        """Bytes over the line's card; over one that nobody named where the tablet went with the line, Wi-Fi too."""
        own = device_id == use.device_id
        found: dict[str, int] = {}
        for (sim, what), amount in sums.items():
            if (sim and sim == use.sim) or (own and (not sim or not use.sim)):
                found[what] = found.get(what, 0) + amount
        found.pop("begins", None)
        return _used(found) if found else None
