"""A carrier's bill against what the register and the tariff have to expect (rule).

1. A line is found by its phone number, else by its SIM; it must be under contract in the month, with this carrier.
2. Expected is what the tariff of the month says for the days of the contract, with the data used that the bill tells
   (else our own count), and the charges beside the tariff as the bill has them: nobody but the carrier knows of these.
3. Amounts are compared exact, with their tax, before any rounding: tax of one line depends on all others.
4. RATE_CHANGED: more than half of a tariff's lines of a whole month, and at least two, are billed the same base and
   fees, which are not the tariff's; a line that the changed rate explains has that verdict, others are over- or
   underbilled.
5. Differences of a bill are rounded once and spread over its lines by largest remainder, as its tax is.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec

from hub.waiver.bill import Expected, Line, Verdict
from hub.waiver.bill_intake import Paper, Row
from hub.waiver.rules.exact import rounded, spread
from hub.waiver.rules.given import Line as Given
from hub.waiver.rules.given import OtherCharge
from hub.waiver.rules.months import last_day
from hub.waiver.rules.profile import LineFee, Tariff
from hub.waiver.rules.tariff import Charge, charges


class Contract(msgspec.Struct, frozen=True):
    """A line of the register: its contract in the month; without one, why there is none (ended, no_tariff)."""

    line_id: int
    phone: str
    iccid: str
    carrier: str
    given: Given | None
    why: str = ""
    budget_code: str = ""
    used_bytes: int | None = None


class Standing(NamedTuple):
    """What a line costs whatever is used: base and fees as they are stated."""

    base_yen: int
    fees: tuple[tuple[str, int], ...]


class _Pair(NamedTuple):
    """A row of the bill and its contract, if there is one."""

    row: Row
    contract: Contract | None
    why: str
    expected: tuple[Charge, ...]


def match(paper: Paper, contracts: Sequence[Contract], tariffs: Mapping[str, Tariff]) -> list[Line]:
    """The bill's lines, judged, in the order of the file; behind them those that are missing, by phone number."""
    pairs = _pairs(paper, contracts, tariffs)
    changed = _changed_rates(paper.month, pairs, tariffs)
    verdicts = [_verdict(paper.month, one, tariffs, changed) for one in pairs]
    exact = [
        _exact(one.row.charges) - _exact(one.expected) if verdict != "OK" else Fraction(0)
        for one, verdict in zip(pairs, verdicts, strict=True)
    ]
    shares = iter(_shares([one for one, verdict in zip(exact, verdicts, strict=True) if _is_counted(verdict)]))
    found = []
    for pair, verdict in zip(pairs, verdicts, strict=True):
        difference = 0
        if verdict == "UNKNOWN_LINE":
            difference = pair.row.ex_tax_yen + pair.row.tax_yen
        elif verdict != "OK":
            difference = next(shares)
        found.append(_judged(pair, verdict, difference))
    there = {one.contract.line_id for one in pairs if one.contract is not None}
    return found + _missing(paper, contracts, tariffs, there)


def _is_counted(verdict: Verdict) -> bool:
    return verdict not in ("OK", "UNKNOWN_LINE")


# ---- who is who


def _pairs(paper: Paper, contracts: Sequence[Contract], tariffs: Mapping[str, Tariff]) -> list[_Pair]:
    by_phone = {one.phone: one for one in contracts if one.phone}
    # A card that went from one contract to another is the one's that is in force.
    by_sim = {_sim(one.iccid): one for one in sorted(contracts, key=lambda one: one.given is not None) if one.iccid}
    taken: set[int] = set()
    found = []
    for row in paper.rows:
        contract = by_phone.get(row.phone) or (by_sim.get(_sim(row.iccid)) if row.iccid else None)
        why = _against(paper, row, contract, taken)
        if contract is None or why:
            about = contract.carrier if contract is not None and why == "other_carrier" else ""
            found.append(_Pair(row, None, why if not about else f"{why}:{about}", ()))
            continue
        taken.add(contract.line_id)
        found.append(_Pair(row, contract, "", _expected(paper.month, contract, row, tariffs)))
    return found


def _against(paper: Paper, row: Row, contract: Contract | None, taken: set[int]) -> str:
    """Why a row is of no line that could be expected; empty for nothing against it."""
    if contract is None:
        return "unknown" if row.phone or row.iccid else "of_no_line"
    if contract.carrier and paper.carrier and contract.carrier != paper.carrier:
        return "other_carrier"
    if contract.given is None:
        return contract.why
    return "twice" if contract.line_id in taken else ""


def _sim(iccid: str) -> str:
    return iccid.rstrip("F")


def _expected(month: str, contract: Contract, row: Row | None, tariffs: Mapping[str, Tariff]) -> tuple[Charge, ...]:
    """The charges that the tariff has for a line, with what only the carrier knows from its row."""
    given = contract.given
    if given is None:
        return ()
    return charges(month, tariffs[given.tariff], _as_billed(given, contract, row)).charges


def _as_billed(given: Given, contract: Contract, row: Row | None) -> Given:
    used = contract.used_bytes if row is None or row.used_bytes is None else row.used_bytes
    others = (
        ()
        if row is None
        else tuple(
            OtherCharge(name=one.name, yen=one.yen, tax_percent=one.tax_percent, tax_included=one.tax_included)
            for one in row.charges
            if one.kind == "other"
        )
    )
    return msgspec.structs.replace(given, used_bytes=used or 0, other_charges=others)


# ---- amounts


def _exact(found: Sequence[Charge]) -> Fraction:
    """With tax, before rounding."""
    total = Fraction(0)
    for one in found:
        total += Fraction(one.yen) if one.tax_included else Fraction(one.yen * (100 + one.tax_percent), 100)
    return total


def _shares(exact: Sequence[Fraction]) -> list[int]:
    """Whole yen that add up to the rounded sum."""
    unit = 100
    parts = [int(one * unit) for one in exact]
    return spread(rounded(sum(parts), unit, "half_up"), parts, unit) if parts else []


# ---- rates


def _standing(found: Sequence[Charge]) -> Standing | None:
    """Base and fees; None where a row does not tell its parts."""
    if any(one.kind == "all" for one in found):
        return None
    base = sum(one.yen for one in found if one.kind == "base")
    return Standing(base, tuple(sorted((one.name, one.yen) for one in found if one.kind == "fee" and one.yen)))


def _changed_rates(month: str, pairs: Sequence[_Pair], tariffs: Mapping[str, Tariff]) -> dict[str, Tariff]:
    """Tariffs as the carrier seems to have changed them, by name."""
    billed: dict[str, Counter[Standing]] = defaultdict(Counter)
    for one in pairs:
        given = one.contract.given if one.contract else None
        if given is None or not _is_whole(month, given):
            continue
        standing = _standing(one.row.charges)
        if standing is not None:
            billed[given.tariff][standing] += 1
    found = {}
    for name, counts in billed.items():
        standing, times = counts.most_common(1)[0]
        changed = _as_changed(tariffs[name], standing)
        plain = _standing(charges(month, tariffs[name], Given(id="")).charges)
        if times >= 2 and 2 * times > counts.total() and standing != plain:
            found[name] = changed
    return found


def _is_whole(month: str, given: Given) -> bool:
    first, last = last_day(month).replace(day=1), last_day(month)
    return (given.first or first) <= first and (given.last or last) >= last


def _as_changed(tariff: Tariff, standing: Standing) -> Tariff:
    fees = tuple(LineFee(name=name, yen=yen) for name, yen in standing.fees)
    return msgspec.structs.replace(tariff, base_yen=standing.base_yen, line_fees=fees)


def _verdict(month: str, pair: _Pair, tariffs: Mapping[str, Tariff], changed: Mapping[str, Tariff]) -> Verdict:
    if pair.contract is None or pair.contract.given is None:
        return "UNKNOWN_LINE"
    off = _exact(pair.row.charges) - _exact(pair.expected)
    given = pair.contract.given
    if _is_same(off, pair.row.charges, pair.expected):
        return "OK"
    if given.tariff in changed:
        explained = charges(month, changed[given.tariff], _as_billed(given, pair.contract, pair.row)).charges
        if _is_same(_exact(pair.row.charges) - _exact(explained), pair.row.charges, explained):
            return "RATE_CHANGED"
    return "OVERBILLED" if off > 0 else "UNDERBILLED"


def _is_same(off: Fraction, billed: Sequence[Charge], expected: Sequence[Charge]) -> bool:
    """Exactly the same; where one states tax inside and the other does not, but for the rounding of it."""
    mixed = len({one.tax_included for one in (*billed, *expected) if one.yen}) > 1
    return abs(off) < 1 if mixed else off == 0


# ---- what comes out


def _judged(pair: _Pair, verdict: Verdict, difference: int) -> Line:
    row, contract = pair.row, pair.contract
    total = row.ex_tax_yen + row.tax_yen
    why, _, about = pair.why.partition(":")
    return Line(
        n=row.n,
        phone=row.phone,
        iccid=row.iccid,
        line_id=contract.line_id if contract else None,
        items=row.items,
        used_bytes=row.used_bytes,
        ex_tax_yen=row.ex_tax_yen,
        tax_yen=row.tax_yen,
        total_yen=total,
        verdict=verdict,
        expected_yen=total - difference if verdict != "UNKNOWN_LINE" else None,
        difference_yen=difference,
        expected=_told(contract, pair.expected) if contract else Expected(why=why, about=about),
        budget_code=contract.budget_code if contract else "",
    )


def _told(contract: Contract, expected: Sequence[Charge]) -> Expected:
    given = contract.given
    return Expected(
        tariff=given.tariff if given else "",
        charges=tuple((one.name, one.kind, one.yen) for one in expected if one.yen),
        tax_included=any(one.tax_included for one in expected),
        used_bytes=contract.used_bytes,
    )


def _missing(paper: Paper, contracts: Sequence[Contract], tariffs: Mapping[str, Tariff], there: set[int]) -> list[Line]:
    """Lines that this carrier should have billed."""
    n = max(row.n for row in paper.rows)
    found = []
    for one in sorted(contracts, key=lambda contract: contract.phone):
        if one.given is None or one.line_id in there or one.carrier != paper.carrier:
            continue
        expected = _expected(paper.month, one, None, tariffs)
        yen = int(rounded(int(_exact(expected) * 100), 100, "floor"))
        if not yen:
            continue
        n += 1
        found.append(
            Line(
                n=n,
                phone=one.phone,
                iccid=one.iccid,
                line_id=one.line_id,
                items=(),
                used_bytes=None,
                ex_tax_yen=0,
                tax_yen=0,
                total_yen=0,
                verdict="MISSING_LINE",
                expected_yen=yen,
                difference_yen=-yen,
                expected=_told(one, expected),
                budget_code=one.budget_code,
            )
        )
    return found
