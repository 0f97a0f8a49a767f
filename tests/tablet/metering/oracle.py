"""An independent count of a device's bytes: slow, in fractions, each interval cut where a month or the loan ends.

It shares nothing with the hub's rules but the samples themselves.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor

from hub.tablet.metering import Loan, Sample

Counted = tuple[dict[str, dict[str, int]], set[str]]
_JAPAN = timedelta(hours=9)


def count(samples: list[Sample], loan: Loan) -> Counted:
    """Bytes by kind and month, months without a byte left out, and the flags."""
    found: dict[str, dict[str, int]] = {"sim": defaultdict(int), "wifi": defaultdict(int)}
    flags: set[str] = set()
    for iface, kind in sorted({(one.iface, one.kind) for one in samples}):
        if kind == "tunnel":
            continue
        before = None
        for one in series(samples, iface, kind):
            used, since_ms, flag = between(before, one, loan)
            parts = cut(since_ms, one.at_ms, used, loan)
            for month, amount in parts:
                found[kind][month] += amount
            if parts and flag:
                flags.add(flag)
            if parts and used and (len(parts) > 1 or parts[0][1] != used or touches(since_ms, one.at_ms, loan)):
                flags.add("ESTIMATED_SPLIT")
            before = one
    return {kind: {month: some for month, some in its.items() if some} for kind, its in found.items()}, flags


def series(samples: list[Sample], iface: str, kind: str) -> list[Sample]:
    """The samples of one interface in the order of boots and sequences, the first of each name."""
    begins: dict[str, int] = {}
    for one in samples:
        begins[one.boot] = min(one.seq, begins.get(one.boot, one.seq))
    named: dict[tuple[int, int], Sample] = {}
    for one in samples:
        if (one.iface, one.kind) == (iface, kind):
            named.setdefault((begins[one.boot], one.seq), one)
    return [named[name] for name in sorted(named)]


def between(before: Sample | None, one: Sample, loan: Loan) -> tuple[int, int, str]:
    """The bytes since the sample before, since when, and what has to be said."""
    if before is None:
        told = one.boot_ms is not None and loan.from_ms is not None and one.boot_ms >= loan.from_ms
        return (one.bytes, one.boot_ms, "") if told and one.boot_ms is not None else (0, one.at_ms, "")
    if before.boot != one.boot:
        return one.bytes, max(before.at_ms, one.boot_ms or before.at_ms), "" if before.last else "TAIL_LOST_POSSIBLE"
    if before.sim != one.sim:
        return 0, before.at_ms, "TAIL_LOST_POSSIBLE"
    if one.bytes >= before.bytes:
        return one.bytes - before.bytes, before.at_ms, ""
    if one.bits == 32:
        return 2**32 - before.bytes + one.bytes, before.at_ms, ""
    return one.bytes, before.at_ms, "COUNTER_FELL"


def month(at_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms) + _JAPAN).strftime("%Y-%m")


def cut(since_ms: int, until_ms: int, used: int, loan: Loan) -> list[tuple[str, int]]:
    """The bytes by month within the loan: cut at the loan's ends and at each midnight that begins a month."""
    if since_ms >= until_ms:
        inside = (loan.from_ms is None or until_ms >= loan.from_ms) and (loan.to_ms is None or until_ms < loan.to_ms)
        return [(month(until_ms), used)] if inside else []
    cuts = cuts_of(since_ms, until_ms, loan)
    by_month: dict[str, int] = defaultdict(int)
    for begin, end in zip([since_ms, *cuts], [*cuts, until_ms], strict=True):
        amounts = [floor(Fraction(used * (at - since_ms), until_ms - since_ms)) for at in (begin, end)]
        if (loan.from_ms is None or begin >= loan.from_ms) and (loan.to_ms is None or end <= loan.to_ms):
            by_month[month(begin)] += amounts[1] - amounts[0]
    return sorted(by_month.items())


def cuts_of(since_ms: int, until_ms: int, loan: Loan) -> list[int]:
    found = {at for at in (loan.from_ms, loan.to_ms) if at is not None and since_ms < at < until_ms}
    midnight = (since_ms // 86_400_000) * 86_400_000 - 9 * 3_600_000
    while midnight < until_ms:
        if midnight > since_ms and month(midnight) != month(midnight - 1):
            found.add(midnight)
        midnight += 86_400_000
    return sorted(found)


def touches(since_ms: int, until_ms: int, loan: Loan) -> bool:
    return since_ms < until_ms and bool(cuts_of(since_ms, until_ms, loan))
