"""From which day to which a waiver holds; when it has to be applied for anew."""

from datetime import date

import pytest

from hub.waiver.rules.given import Grant
from hub.waiver.rules.holding import Holds, holds, renewal_due
from hub.waiver.rules.profile import BadProfile, Start, WaiverRule

APPLIED, DECIDED = date(2026, 12, 10), date(2027, 1, 16)
EVER = date.max


def grant(**changes: date | None) -> Grant:
    return Grant(**{"rule": "r", "applied": APPLIED, "decided": DECIDED} | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("application_month", date(2026, 12, 1)),
        ("month_after_application", date(2027, 1, 1)),
        ("month_after_decision", date(2027, 2, 1)),
        ("acceptance_month", date(2026, 11, 1)),
        ("by_day", date(2026, 12, 10)),
    ],
)
def test_when_it_begins(start: Start, first: date) -> None:
    assert holds(WaiverRule(start=start), grant(accepted=date(2026, 11, 30))) == Holds(first, EVER)
    assert holds(WaiverRule(start=start), grant(starts=date(2026, 12, 24))) == Holds(date(2026, 12, 24), EVER)
    assert holds(WaiverRule(start=start), grant(decided=None)) is None


def test_the_month_of_acceptance_needs_its_day() -> None:
    with pytest.raises(BadProfile, match="expected the day accepted"):
        holds(WaiverRule(start="acceptance_month"), grant())


def test_when_it_ends() -> None:
    ended = date(2027, 2, 11)
    assert holds(WaiverRule(), grant(ended=ended)) == Holds(date(2026, 12, 1), date(2027, 2, 28))
    assert holds(WaiverRule(end="by_day"), grant(ended=ended)) == Holds(date(2026, 12, 1), ended)
    revoked = grant(ended=ended, revoked_from=date(2027, 1, 1))
    assert holds(WaiverRule(), revoked) == Holds(date(2026, 12, 1), date(2026, 12, 31))
    assert holds(WaiverRule(), grant(revoked_from=date(2026, 12, 1))) is None
    assert holds(WaiverRule(end="by_day"), grant(ended=date(2026, 11, 30))) is None


def test_it_holds_for_so_many_months_or_to_the_end_of_the_fiscal_year() -> None:
    year = WaiverRule(max_months=12)
    assert holds(year, grant()) == Holds(date(2026, 12, 1), date(2027, 11, 30))
    assert holds(WaiverRule(max_months=1, start="by_day"), grant()) == Holds(APPLIED, date(2027, 1, 9))
    assert holds(WaiverRule(max_months=1), grant(starts=date(2027, 1, 31))) == Holds(
        date(2027, 1, 31), date(2027, 2, 28)
    )
    to_march = WaiverRule(renewal="fiscal_year", start="month_after_decision")
    assert holds(to_march, grant()) == Holds(date(2027, 2, 1), date(2027, 3, 31))
    april = grant(applied=date(2027, 3, 31), decided=date(2027, 3, 31))
    assert holds(to_march, april) == Holds(date(2027, 4, 1), date(2028, 3, 31))


def test_when_it_has_to_be_applied_for_anew() -> None:
    year = WaiverRule(max_months=12)
    assert renewal_due(year, grant()) == date(2027, 11, 30)
    assert renewal_due(year, grant(ended=date(2027, 5, 2))) is None
    assert renewal_due(year, grant(decided=None)) is None
    assert renewal_due(WaiverRule(), grant()) is None
    assert renewal_due(WaiverRule(max_months=12, renewal="fiscal_year"), grant()) == date(2027, 3, 31)
