"""How much of a line's month is waived, on which ground and on which days (rule).

1. On each day one ground holds, never the sum of two. Which of them comes first is tried out; the order that leaves
   the resident the least is taken, of two alike the one with the greater waiver in a whole month first.
2. What a rule waives of a whole month: a share of what it covers, all but the resident's flat share, or a flat sum; a
   share of the list price never more than what it covers.
3. A part of the month: by the days of use on which it holds. Then the month's cap, the fiscal year's cap and the
   resident's floor, which look at the month's sum and are not cut to days.
4. The resident's share is rounded once a line and month (floored, unless the rule says otherwise); the rest is waived.
   So waived + resident = total, and neither is below zero.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

from hub.waiver.rules.exact import rounded
from hub.waiver.rules.given import Grant, Line
from hub.waiver.rules.holding import holds
from hub.waiver.rules.profile import WaiverRule
from hub.waiver.rules.result import Ground, Part, Step

_FEW = 4


class Waived(NamedTuple):
    """What is waived of a line's month: in all, by ground, and how it came about."""

    yen: int
    grounds: tuple[Ground, ...]
    steps: tuple[Step, ...]


class _Held(NamedTuple):
    """A grant on the days of use, as day numbers; `value` is what it waives of a whole month before caps."""

    grant: Grant
    rule: WaiverRule
    first: int
    last: int
    covered: int
    of_yen: int
    value: Fraction


class _Taken(NamedTuple):
    """What one grant came to, on which days."""

    held: _Held
    days: tuple[int, ...]
    yen: int
    steps: tuple[Step, ...]


def waive(line: Line, rules: Sequence[WaiverRule], parts: Sequence[Part], first: date, last: date) -> Waived:
    """What is waived of a line whose days of use in the month are `first` to `last`; `rules` go with its grants.

    Raises BadProfile for a grant without a day that its rule needs.
    """
    total = sum(part.total for part in parts)
    steps: list[Step] = []
    held: list[_Held] = []
    for grant, rule in sorted(zip(line.grants, rules, strict=True), key=lambda both: _key(both[0])):
        one = _held(line, grant, rule, parts, first, last)
        if one is None:
            steps.append(_not_held(grant, rule))
        else:
            held.append(one)
    days = (last - first).days + 1
    held.sort(key=lambda one: -_whole_month(one, line))
    best = _best(held, line, total, first.toordinal(), days)
    steps.extend(
        Step(rule="outranked", yen=0, numbers=_named(one.grant), clause=one.rule.clause)
        for one in held
        if not any(taken.held is one for taken in best)
    )
    for taken in best:
        steps.extend(taken.steps)
    yen = sum(taken.yen for taken in best)
    return Waived(
        yen,
        tuple(map(_ground, best)),
        (*steps, Step(rule="resident", yen=total - yen, numbers={"total": total, "waived": yen})),
    )


def covered(rule: WaiverRule, parts: Iterable[Part]) -> int:
    """The yen that a rule covers, tax inside."""
    kinds = {"base": ("base", "fee"), "base_alone": ("base",), "all": ("base", "fee", "overage", "other")}[rule.covers]
    return sum(
        part.total
        for part in parts
        if part.kind in kinds and part.name not in rule.excludes and part.kind not in rule.excludes
    )


def _held(line: Line, grant: Grant, rule: WaiverRule, parts: Sequence[Part], first: date, last: date) -> _Held | None:
    span = holds(rule, grant)
    if span is None or max(span.first, first) > min(span.last, last):
        return None
    its_yen = covered(rule, parts)
    of_yen = its_yen if rule.of == "fee" or line.list_price_yen is None else line.list_price_yen
    return _Held(
        grant,
        rule,
        max(span.first, first).toordinal(),
        min(span.last, last).toordinal(),
        its_yen,
        of_yen,
        _value(rule, its_yen, of_yen),
    )


def _value(rule: WaiverRule, its_yen: int, of_yen: int) -> Fraction:
    if rule.amount == "resident_flat":
        return Fraction(max(0, its_yen - rule.flat_yen))
    if rule.amount == "waived_flat":
        return Fraction(min(its_yen, rule.flat_yen))
    return min(Fraction(its_yen), of_yen * Fraction(*rule.share))


def _limits(one: _Held, line: Line, before: int) -> list[tuple[str, int]]:
    """What a rule never goes beyond in this month, by the name of its step; `before` is waived already."""
    found = []
    if one.rule.cap_month_yen is not None:
        found.append(("cap_month", one.rule.cap_month_yen))
    if one.rule.cap_fiscal_year_yen is not None:
        found.append(
            ("cap_fiscal_year", max(0, one.rule.cap_fiscal_year_yen - line.waived_this_fiscal_year_yen - before))
        )
    if one.rule.floor_yen:
        found.append(("floor", max(0, one.covered - one.rule.floor_yen - before)))
    return found


def _whole_month(one: _Held, line: Line) -> Fraction:
    return min([one.value, *(Fraction(most) for _, most in _limits(one, line, 0))])


def _best(held: list[_Held], line: Line, total: int, first: int, days: int) -> list[_Taken]:
    """The grounds of each day in the order that waives most; `held` comes in order of the whole month."""
    found: list[_Taken] = []
    for order in _orders(held):
        taken = _take(order, line, total, first, days)
        if not found or sum(each.yen for each in taken) > sum(each.yen for each in found):
            found = taken
    return found


def _orders(held: list[_Held]) -> Iterable[Sequence[_Held]]:
    """Every order of a few grounds; of many, each once in front: so no single ground would waive more."""
    if len(held) <= _FEW:
        return permutations(held)
    return ([one, *held[:at], *held[at + 1 :]] for at, one in enumerate(held))


def _take(order: Sequence[_Held], line: Line, total: int, first: int, days: int) -> list[_Taken]:
    """Gives each day to the first ground in this order that holds on it, and works out what they come to."""
    left = set(range(first, first + days))
    exact, sofar = Fraction(0), 0
    found = []
    for one in order:
        its_days = tuple(day for day in range(one.first, one.last + 1) if day in left)
        if not its_days:
            continue
        left.difference_update(its_days)
        by_days = one.value * Fraction(len(its_days), days)
        limits = _limits(one, line, sofar)
        limited = min([by_days, *(Fraction(most) for _, most in limits)])
        exact += limited
        # The resident's share is what is rounded, of all grounds so far together: no yen is lost between two of them.
        share = total - exact
        upto = max(sofar, total - rounded(share.numerator, share.denominator, one.rule.rounding))
        yen, sofar = upto - sofar, upto
        found.append(_Taken(one, its_days, yen, _steps(one, its_days, days, yen, limits, by_days)))
    return found


def _steps(
    one: _Held, its_days: tuple[int, ...], days: int, yen: int, limits: list[tuple[str, int]], by_days: Fraction
) -> tuple[Step, ...]:
    numbers = _named(one.grant) | {
        "first": _iso(its_days[0]),
        "last": _iso(its_days[-1]),
        "days": len(its_days),
        "of_days": days,
        "covered": one.covered,
        "of_yen": one.of_yen,
        "numerator": one.rule.share.numerator,
        "denominator": one.rule.share.denominator,
        "flat_yen": one.rule.flat_yen,
        "exact": _sen(by_days),
        "rounding": one.rule.rounding,
    }
    name = {"share": "waived_share", "resident_flat": "waived_resident_flat", "waived_flat": "waived_flat"}[
        one.rule.amount
    ]
    if name == "waived_share" and one.rule.of == "list_price":
        name = "waived_share_of_list_price"
    steps = [Step(rule=name, yen=yen, numbers=numbers, clause=one.rule.clause)]
    binding = min((most for _, most in limits), default=None)
    for limit, most in limits:
        if most == binding and most < by_days:
            steps.append(Step(rule=limit, yen=most, numbers=_named(one.grant), clause=one.rule.clause))
    return tuple(steps)


def _not_held(grant: Grant, rule: WaiverRule) -> Step:
    span = holds(rule, grant)
    if grant.decided is None:
        return Step(rule="undecided", yen=0, numbers=_named(grant), clause=rule.clause)
    if span is None:
        return Step(rule="never_holds", yen=0, numbers=_named(grant), clause=rule.clause)
    numbers = _named(grant) | {"first": span.first.isoformat(), "last": _until(span.last)}
    return Step(rule="other_days", yen=0, numbers=numbers, clause=rule.clause)


def _sen(exact: Fraction) -> str:
    """To hundredths of a yen, floored, for the eye."""
    sen = exact.numerator * 100 // exact.denominator
    return f"{sen // 100:,}.{sen % 100:02d}"


def _until(last: date) -> str:
    return "" if last == date.max else last.isoformat()


def _named(grant: Grant) -> dict[str, int | str]:
    return {"name": grant.rule, "ref": grant.ref}


def _key(grant: Grant) -> tuple[str, ...]:
    days = (grant.applied, grant.decided, grant.accepted, grant.starts, grant.ended, grant.revoked_from)
    return (grant.rule, grant.ref, *("" if day is None else day.isoformat() for day in days))


def _ground(taken: _Taken) -> Ground:
    rule, grant = taken.held.rule, taken.held.grant
    return Ground(
        rule=grant.rule,
        account=rule.ground or grant.rule,
        clause=rule.clause,
        ref=grant.ref,
        days=_stretches(taken.days),
        day_count=len(taken.days),
        waived=taken.yen,
    )


def _stretches(days: Sequence[int]) -> tuple[tuple[str, str], ...]:
    found: list[list[int]] = []
    for day in days:
        if found and found[-1][1] == day - 1:
            found[-1][1] = day
        else:
            found.append([day, day])
    return tuple((_iso(first), _iso(last)) for first, last in found)


def _iso(number: int) -> str:
    return (date.min + timedelta(days=number - 1)).isoformat()
