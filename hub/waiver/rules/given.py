"""What a month of lines is assessed from (rule): each line with its use, days, other charges and grants of waiver."""

from datetime import date

import msgspec


class OtherCharge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge beside the tariff's (roaming, paid content); its `yen` are stated as the tariff's are, unless told."""

    name: str
    yen: int
    tax_percent: int = 10
    tax_included: bool = False


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that was applied for, and what became of it; without `decided` it holds on no day.

    `starts`: the decision names the first day itself, and the rule's start does not count. `ended` is the last day on
    which the ground was there; how far the waiver goes on from there is the rule's end. `revoked_from`: from then on
    there is none, whatever the rule says (取消し, also far back).  `ref` is the decision's number.
    """

    rule: str
    applied: date
    decided: date | None = None
    accepted: date | None = None
    starts: date | None = None
    ended: date | None = None
    revoked_from: date | None = None
    ref: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line in the month. `first` and `last` are the first and the last day of use (None: open).

    `tariff` names the tariff, `invoice` the carrier's invoice that it stands on: tax is rounded once an invoice and
    rate.  `list_price_yen` is the price without a discount, tax inside.  `billed_ex_tax` is what the carrier wrote.
    `waived_this_fiscal_year_yen`: of the months before this one, for caps of a year.

    A line that went from one to another within the month is a line for each: `together_days` are the days of all of
    them (0: it was one's alone), `days_before` those of the ones before. They share one base, and `bears_fees` is false
    for all but one, so that together they cost what one would.
    """

    id: str
    tariff: str = ""
    invoice: str = ""
    used_bytes: int = 0
    first: date | None = None
    last: date | None = None
    other_charges: tuple[OtherCharge, ...] = ()
    list_price_yen: int | None = None
    billed_ex_tax: int | None = None
    waived_this_fiscal_year_yen: int = 0
    grants: tuple[Grant, ...] = ()
    together_days: int = 0
    days_before: int = 0
    bears_fees: bool = True
