"""Access: everything that a month of lines is assessed from, in a handful of statements.

1. A line is in a month when its contract is; its id towards the rules is its phone number, so that two machines with
   other rows come to the same.
2. What the carrier is expected to bill goes by the contract (`contract_lines`); what a resident is charged goes by the
   days on which the line was theirs (`use_lines`).  In a month without hand-over and return both are the same.
3. Days on which a line is nobody's are the town's own.
4. What cannot be assessed is told (`problems`), never left out in silence.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from hub.db import Connection
from hub.waiver import application_store, register_store, tariff_store
from hub.waiver.application import fold, of_lines
from hub.waiver.register import Line, LineTariff, Resident, Use, last_of
from hub.waiver.rules import given
from hub.waiver.rules.given import Grant, OtherCharge
from hub.waiver.rules.profile import Tariff, WaiverRule

Why = Literal["no_tariff", "tariff_unknown", "rule_unknown"]


class Problem(NamedTuple):
    """What stands against an assessment: which line, and what is missing (a word, and the code that it is about)."""

    line_id: int
    phone: str
    why: Why
    code: str = ""


class Stretch(msgspec.Struct, frozen=True):
    """Days of the month on which a line was a resident's, with the waivers that were decided for them."""

    use: Use
    first: date
    last: date
    grants: tuple[Grant, ...]


class MonthLine(msgspec.Struct, frozen=True):
    """A line in the month: its contract's days in it, its tariff's code, and whose it was."""

    line: Line
    first: date
    last: date
    tariff: str
    list_price_yen: int | None
    stretches: tuple[Stretch, ...]


class Of(NamedTuple):
    """Whose a line of the assessment is: the line, and the resident (0: nobody's), and the use (0: nobody's)."""

    line_id: int
    resident_id: int
    use_id: int


class Gathered(msgspec.Struct, frozen=True):
    """A month: tariffs and rules of this month of use by code, lines by phone number, residents by id."""

    month: str
    tariffs: dict[str, Tariff]
    rules: dict[str, WaiverRule]
    lines: tuple[MonthLine, ...]
    residents: dict[int, Resident]
    problems: tuple[Problem, ...]

    @property
    def assessable(self) -> tuple[MonthLine, ...]:
        """The lines that nothing stands against."""
        return self._without({one.line_id for one in self.problems})

    @property
    def priced(self) -> tuple[MonthLine, ...]:
        """The lines that have a tariff in the month."""
        return self._without({one.line_id for one in self.problems if one.why != "rule_unknown"})

    def _without(self, against: set[int]) -> tuple[MonthLine, ...]:
        return tuple(one for one in self.lines if one.line.id not in against)


def month(conn: Connection, month: str) -> Gathered:
    """The month (YYYY-MM) as it is known now, also one that is long past."""
    first_day, last_day = f"{month}-01", last_of(month)
    tariffs, rules = tariff_store.tariffs_in(conn, month), tariff_store.rules_in(conn, month)
    of_line = register_store.tariffs_in(conn, month)
    one_line, every = of_lines(fold(application_store.applications(conn)))
    stretches: dict[int, list[Stretch]] = {}
    for use in register_store.uses_in(conn, first_day, last_day):
        key = (use.resident_id, use.line_id)
        grants = (*one_line.get(key, ()), *every.get(use.resident_id, ()))
        first, last = max(use.from_day, first_day), min(use.to_day or last_day, last_day)
        stretches.setdefault(use.line_id, []).append(
            Stretch(use, date.fromisoformat(first), date.fromisoformat(last), grants)
        )
    lines = [
        _line(one, of_line.get(one.id), tuple(stretches.get(one.id, ())), first_day, last_day)
        for one in register_store.lines(conn)
        if one.from_day <= last_day and (not one.to_day or one.to_day >= first_day)
    ]
    problems = [problem for one in lines for problem in _problems(one, tariffs, rules)]
    residents = {one.id: one for one in register_store.residents(conn)}
    return Gathered(month, tariffs, rules, tuple(lines), residents, tuple(problems))


def _line(
    one: Line, tariff: LineTariff | None, stretches: tuple[Stretch, ...], first_day: str, last_day: str
) -> MonthLine:
    first = date.fromisoformat(max(one.from_day, first_day))
    last = date.fromisoformat(min(one.to_day or last_day, last_day))
    price = tariff.list_price_yen if tariff else None
    return MonthLine(one, first, last, tariff.code if tariff else "", price, stretches)


def _problems(one: MonthLine, tariffs: Mapping[str, Tariff], rules: Mapping[str, WaiverRule]) -> list[Problem]:
    found = []
    if not one.tariff:
        found.append(Problem(one.line.id, one.line.phone, "no_tariff"))
    elif one.tariff not in tariffs:
        found.append(Problem(one.line.id, one.line.phone, "tariff_unknown", one.tariff))
    unknown = {grant.rule for stretch in one.stretches for grant in stretch.grants if grant.rule not in rules}
    found += [Problem(one.line.id, one.line.phone, "rule_unknown", code) for code in sorted(unknown)]
    return found


# ---- towards the rules


def contract_lines(gathered: Gathered, used: Mapping[int, int] | None = None) -> list[given.Line]:
    """Each line for the days of its contract: what the carrier is expected to bill. `used` are bytes by line id."""
    return [
        given.Line(
            id=one.line.phone,
            tariff=one.tariff,
            invoice=one.line.carrier,
            used_bytes=(used or {}).get(one.line.id, 0),
            first=one.first,
            last=one.last,
            list_price_yen=one.list_price_yen,
        )
        for one in gathered.priced
    ]


def use_lines(
    gathered: Gathered,
    used: Mapping[int, int] | None = None,
    other_charges: Mapping[int, tuple[OtherCharge, ...]] | None = None,
    waived_before: Mapping[tuple[int, int], int] | None = None,
) -> tuple[list[given.Line], dict[str, Of]]:
    """Each line for the days on which it was somebody's, and whose each is.

    A line that was nobody's all month is there for its contract, so that an invoice's tax spreads over all of it.
    `used` and `other_charges` are by line id. Two who had a line after each other share its base by days; its fees,
    data beyond the allowance and other charges are the last one's. `waived_before` is what was waived in the fiscal
    year before this month, by line and resident.
    """
    found: list[given.Line] = []
    of: dict[str, Of] = {}
    for one in gathered.assessable:
        plain = given.Line(
            id=one.line.phone, tariff=one.tariff, invoice=one.line.carrier, first=one.first, last=one.last
        )
        charged = {
            "used_bytes": (used or {}).get(one.line.id, 0),
            "other_charges": (other_charges or {}).get(one.line.id, ()),
            "list_price_yen": one.list_price_yen,
        }
        if not one.stretches:
            found.append(msgspec.structs.replace(plain, **charged))
            of[plain.id] = Of(one.line.id, 0, 0)
        together = sum(_days(stretch) for stretch in one.stretches) if len(one.stretches) > 1 else 0
        before = 0
        for n, stretch in enumerate(one.stretches, 1):
            last = n == len(one.stretches)
            name = plain.id if last else f"{plain.id}/{n}"
            resident = stretch.use.resident_id
            found.append(
                msgspec.structs.replace(
                    plain,
                    id=name,
                    first=stretch.first,
                    last=stretch.last,
                    grants=stretch.grants,
                    together_days=together,
                    days_before=before,
                    bears_fees=last,
                    waived_this_fiscal_year_yen=(waived_before or {}).get((one.line.id, resident), 0),
                    **(charged if last else {"list_price_yen": one.list_price_yen}),
                )
            )
            of[name] = Of(one.line.id, resident, stretch.use.id)
            before += _days(stretch)
    return found, of


def _days(stretch: Stretch) -> int:
    return (stretch.last - stretch.first).days + 1
