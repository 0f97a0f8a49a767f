"""What one line costs in a month by its tariff, before tax is rounded (rule). Amounts are as the tariff states them.

1. The base is for the days of use. A part of a month is pro rata on the total and floored, or at a daily rate that is
   floored, or the whole base: the contract says which. A whole month is the whole base either way.
2. Fees of a line are dated by the month of use and whole also for one day.
3. Beyond the allowance each started block counts; exactly the allowance is free. The allowance is not cut to days.
4. Those who had one line after each other in the month share the base of all their days by days, in whole yen that add
   up to it; fees come once.
5. Without a day of use there is nothing but other charges, which the carrier adds on its own.
"""

from datetime import date
from typing import NamedTuple

from hub.waiver.rules.given import Line
from hub.waiver.rules.months import first_day, last_day
from hub.waiver.rules.profile import Tariff
from hub.waiver.rules.result import Step


class Charge(NamedTuple):
    """One charge as it is stated: `yen` with or without its tax."""

    name: str
    kind: str
    yen: int
    tax_percent: int
    tax_included: bool


class Charges(NamedTuple):
    """A line's charges: base first, fees, overage, then the others; the days of use; how it came about."""

    first: date
    last: date
    blocks: int
    charges: tuple[Charge, ...]
    steps: tuple[Step, ...]

    @property
    def days(self) -> int:
        """How many days of use; 0: none."""
        return max(0, (self.last - self.first).days + 1)


def charges(month: str, tariff: Tariff, line: Line) -> Charges:
    """What the line costs in the month."""
    first, last = first_day(month), last_day(month)
    month_days = last.day
    first, last = max(first, line.first or first), min(last, line.last or last)
    found: list[Charge] = []
    steps: list[Step] = []
    blocks = 0

    def charge(name: str, kind: str, step: Step) -> None:
        found.append(Charge(name, kind, step.yen, tariff.tax_percent, tariff.tax_included))
        steps.append(step)

    if first <= last:
        charge("base", "base", _share(tariff, line, (last - first).days + 1, month_days))
        for fee in tariff.line_fees if line.bears_fees else ():
            if (not fee.first or fee.first <= month) and (not fee.last or month <= fee.last):
                charge(fee.name, "fee", Step(rule="line_fee", yen=fee.yen, numbers={"name": fee.name}))
        blocks = started_blocks(tariff, line.used_bytes)
        charge("overage", "overage", _overage(tariff, line.used_bytes, blocks))
    else:
        steps.append(Step(rule="no_day_of_use", yen=0))
    for other in line.other_charges:
        found.append(Charge(other.name, "other", other.yen, other.tax_percent, other.tax_included))
        steps.append(Step(rule="other_charge", yen=other.yen, numbers={"name": other.name}))
    return Charges(first, last, blocks, tuple(found), tuple(steps))


def started_blocks(tariff: Tariff, used_bytes: int) -> int:
    """How many blocks beyond the allowance were begun."""
    if tariff.included_bytes is None or tariff.block_bytes is None:
        return 0
    return -(-max(0, used_bytes - tariff.included_bytes) // tariff.block_bytes)


def _share(tariff: Tariff, line: Line, days: int, month_days: int) -> Step:
    """The base of one who had the line alone; else their part of the base of all that had it in the month."""
    if not line.together_days:
        return _base(tariff, days, month_days)
    whole = _base(tariff, line.together_days, month_days).yen
    until, before = (whole * n // line.together_days for n in (line.days_before + days, line.days_before))
    numbers: dict[str, int | str] = {"whole_yen": whole, "days": days, "together_days": line.together_days}
    return Step(rule="base_shared", yen=until - before, numbers=numbers)


def _base(tariff: Tariff, days: int, month_days: int) -> Step:
    numbers: dict[str, int | str] = {"base_yen": tariff.base_yen, "days": days, "month_days": month_days}
    if days == month_days or tariff.prorata == "none":
        rule = "base_whole" if days == month_days else "base_not_prorated"
        return Step(rule=rule, yen=tariff.base_yen, numbers=numbers)
    if tariff.prorata == "daily_floor":
        return Step(rule="base_by_daily_rate", yen=tariff.base_yen // month_days * days, numbers=numbers)
    return Step(rule="base_by_days", yen=tariff.base_yen * days // month_days, numbers=numbers)


def _overage(tariff: Tariff, used_bytes: int, blocks: int) -> Step:
    numbers: dict[str, int | str] = {"used_bytes": used_bytes}
    if tariff.included_bytes is None:
        return Step(rule="no_limit", yen=0, numbers=numbers)
    numbers["included_bytes"] = tariff.included_bytes
    if not blocks:
        rule = "within_allowance" if used_bytes <= tariff.included_bytes else "slowed_down"
        return Step(rule=rule, yen=0, numbers=numbers)
    numbers |= {"block_bytes": tariff.block_bytes or 0, "block_yen": tariff.block_yen, "blocks": blocks}
    return Step(rule="started_blocks", yen=blocks * tariff.block_yen, numbers=numbers)
