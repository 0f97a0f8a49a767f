"""An independent reckoning of a case: slow, in fractions, day by day, and easy to check by eye.

It reads the case's own words and shares nothing with the hub's rules. What it takes for right:
a month's fee by days of use; tax once an invoice and rate, handed out yen by yen; on each day one ground, whichever
order of them is best for the resident; a day's waiver is the month's divided by the days of use; caps and the floor
look at the month; the resident's share is floored at the very end.
"""

import itertools
from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

Case = dict[str, Any]
_DAY = timedelta(days=1)


class Piece(NamedTuple):
    """One charge of one line: what it is, its yen as stated, its rate, whether tax is inside."""

    kind: str
    name: str
    yen: int
    percent: int
    inside: bool

    @property
    def tax(self) -> Fraction:
        return Fraction(self.yen * self.percent, 100 + (self.percent if self.inside else 0))


def reckon(case: Case) -> dict[str, Any]:
    """The answer in the words of a case file."""
    days = days_of(case["month"])
    lines = sorted(case["lines"], key=lambda one: one["id"])
    pieces = [pieces_of(case["month"], tariff_of(case, one), one, days) for one in lines]
    taxes = [[0] * len(its) for its in pieces]
    for invoice in {one.get("invoice", "") for one in lines}:
        of = [at for at, one in enumerate(lines) if one.get("invoice", "") == invoice]
        how = tariff_of(case, lines[of[0]])["tax_rounding"]
        for percent in {piece.percent for at in of for piece in pieces[at]}:
            hand_out_tax(pieces, taxes, of, percent, how)
    answer: dict[str, Any] = {}
    for line, its, tax in zip(lines, pieces, taxes, strict=True):
        totals = [one.yen + (0 if one.inside else its_tax) for one, its_tax in zip(its, tax, strict=True)]
        total = sum(totals)
        use = [day for day in days if in_use(line, day)]
        waived = best(case, line, list(zip(its, totals, strict=True)), use)
        answer[line["id"]] = {
            "base_ex_tax": sum(
                one.yen - (its_tax if one.inside else 0)
                for one, its_tax in zip(its, tax, strict=True)
                if one.kind == "base"
            ),
            "ex_tax": total - sum(tax),
            "total": total,
            "waived": waived,
            "resident": total - waived,
        }
    total, tax_total = sum(one["total"] for one in answer.values()), sum(map(sum, taxes))
    return {"invoice": {"ex_tax": total - tax_total, "tax": tax_total, "total": total}, "lines": answer}


def tariff_of(case: Case, line: Case) -> Case:
    found: Case = case["tariffs"][line["tariff"]] if "tariffs" in case else case["tariff"]
    return found


def days_of(month: str) -> list[date]:
    year, number = int(month[:4]), int(month[5:7])
    return [date(year, number, day + 1) for day in range(monthrange(year, number)[1])]


def in_use(line: Case, day: date) -> bool:
    return str(line.get("from") or "0000") <= str(day) <= str(line.get("to") or "9999")


def pieces_of(month: str, tariff: Case, line: Case, days: list[date]) -> list[Piece]:
    percent, inside = tariff["tax_percent"], tariff["tax_included"]
    use = sum(in_use(line, day) for day in days)
    found = []
    if use:
        base = Fraction(tariff["base_yen"])
        if use < len(days) and tariff["prorata"] == "daily_floor":
            base = Fraction(sum(floor(base / len(days)) for _ in range(use)))
        elif use < len(days) and tariff["prorata"] == "total_then_floor":
            base = Fraction(floor(sum((base / len(days) for _ in range(use)), Fraction(0))))
        found.append(Piece("base", "base", int(base), percent, inside))
        found += [
            Piece("fee", fee["name"], fee["yen"], percent, inside)
            for fee in tariff["line_fees"]
            if fee.get("from", "0000") <= month <= fee.get("to", "9999")
        ]
        over, blocks = line["used_bytes"] - (tariff.get("included_bytes") or 0), 0
        while tariff.get("block_bytes") and over > 0:
            over, blocks = over - tariff["block_bytes"], blocks + 1
        found.append(Piece("overage", "overage", blocks * tariff.get("block_yen", 0), percent, inside))
    for other in line.get("other_charges", []):
        found.append(
            Piece(
                "other",
                other["name"],
                other["yen"],
                other.get("tax_percent", percent),
                other.get("tax_included", inside),
            )
        )
    return found


def hand_out_tax(pieces: list[list[Piece]], taxes: list[list[int]], of: list[int], percent: int, how: str) -> None:
    """Rounds the invoice's tax once, then hands whole yen out: to lines, to groups inside a line, to pieces."""
    places = {at: [place for place, one in enumerate(pieces[at]) if one.percent == percent] for at in of}
    exact = {at: sum((pieces[at][place].tax for place in places[at]), Fraction(0)) for at in of if places[at]}
    tax = sum(exact.values(), Fraction(0))
    whole = {"floor": floor(tax), "ceil": ceil(tax), "half_up": floor(tax + Fraction(1, 2))}[how]
    for at, its in hand_out(whole, list(exact.items())):
        groups: dict[Any, list[int]] = {}
        for place in places[at]:
            kind = pieces[at][place].kind
            groups.setdefault("line" if kind in ("base", "fee") else place, []).append(place)
        by_group = [(name, sum((pieces[at][p].tax for p in group), Fraction(0))) for name, group in groups.items()]
        for name, yen in hand_out(its, by_group):
            for place, one in hand_out(yen, [(p, pieces[at][p].tax) for p in groups[name]]):
                taxes[at][place] = one


def hand_out(whole: int, exact: list[tuple[Any, Fraction]]) -> list[tuple[Any, int]]:
    """Yen by yen to whoever is furthest below the exact share, of two alike to the first."""
    given = [floor(one) for _, one in exact]
    while sum(given) < whole:
        short = [one - had for (_, one), had in zip(exact, given, strict=True)]
        given[short.index(max(short))] += 1
    return [(name, yen) for (name, _), yen in zip(exact, given, strict=True)]


def best(case: Case, line: Case, totals: list[tuple[Piece, int]], use: list[date]) -> int:
    """The most that any order of the grounds waives."""
    grants = line.get("waivers", [])
    return max(in_order(case, line, totals, use, order) for order in itertools.permutations(grants))


def in_order(case: Case, line: Case, totals: list[tuple[Piece, int]], use: list[date], order: tuple[Case, ...]) -> int:
    total = sum(yen for _, yen in totals)
    taken: set[date] = set()
    exact, waived = Fraction(0), 0
    for grant in order:
        rule = case["rules"][grant["rule"]]
        covered = sum(yen for piece, yen in totals if covers(rule, piece))
        of_month = min(Fraction(covered), month_value(rule, covered, line))
        its = Fraction(0)
        for day in use:
            if day not in taken and on(rule, grant, day):
                taken.add(day)
                its += of_month / len(use)
        if rule.get("cap_month_yen") is not None:
            its = min(its, Fraction(rule["cap_month_yen"]))
        if rule.get("cap_fiscal_year_yen") is not None:
            left = rule["cap_fiscal_year_yen"] - line.get("waived_this_fiscal_year_yen", 0) - waived
            its = min(its, Fraction(max(0, left)))
        if rule.get("floor_yen"):
            its = min(its, Fraction(max(0, covered - rule["floor_yen"] - waived)))
        exact += its
        waived = total - floor(total - exact)
    return waived


def covers(rule: Case, piece: Piece) -> bool:
    if piece.name in rule.get("excludes", []) or piece.kind in rule.get("excludes", []):
        return False
    what = rule.get("covers", "base")
    return what == "all" or piece.kind == "base" or (what == "base" and piece.kind == "fee")


def month_value(rule: Case, covered: int, line: Case) -> Fraction:
    if "resident_flat_yen" in rule:
        return Fraction(max(0, covered - rule["resident_flat_yen"]))
    if "waived_flat_yen" in rule:
        return Fraction(rule["waived_flat_yen"])
    share = Fraction(1) if rule["amount"] == "full" else Fraction(rule["amount"])
    if rule.get("of") == "list_price" and line.get("list_price_yen") is not None:
        return share * int(line["list_price_yen"])
    return share * covered


def on(rule: Case, grant: Case, day: date) -> bool:
    """Whether the waiver holds on this day, by comparing months and days as text."""
    if not grant.get("decided"):
        return False
    month, text = str(day)[:7], str(day)
    applied, decided, accepted = (str(grant.get(key) or "")[:7] for key in ("applied", "decided", "accepted"))
    begun = {
        "application_month": month >= applied,
        "month_after_application": month > applied,
        "month_after_decision": month > decided,
        "acceptance_month": month >= accepted,
        "by_day": text >= grant["applied"],
    }[rule.get("start", "application_month").removeprefix("next_")]
    if grant.get("starts"):
        begun = text >= grant["starts"]
    if grant.get("revoked_from") and text >= grant["revoked_from"]:
        return False
    if begun and grant.get("ended"):
        begun = text <= grant["ended"] if rule.get("end") == "by_day" else month <= grant["ended"][:7]
    return bool(begun)
