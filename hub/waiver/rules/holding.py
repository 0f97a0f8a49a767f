"""From which day to which a grant of waiver holds (rule).

1. Without a decision it holds on no day.
2. It begins as the ordinance says: with the month of the application (北広島町) or of its acceptance (NHK), with the
   month after the application or the decision (中山町), or on the day applied; or on the day that the decision names.
3. It ends with the month in which the ground was there last, or with that day; at the latest after `max_months`, and
   with `renewal` fiscal_year on 31 March. Then it is applied for anew, and that is another grant.
4. A revocation ends it the day before, whatever else is said.
"""

from datetime import date, timedelta
from typing import NamedTuple

from hub.waiver.rules.fiscal import fiscal_year
from hub.waiver.rules.given import Grant
from hub.waiver.rules.months import first_day, last_day, last_of_months, later, month_of
from hub.waiver.rules.profile import BadProfile, WaiverRule

_EVER = date.max


class Holds(NamedTuple):
    """The first and the last day; `last` is `date.max` while nothing ends it."""

    first: date
    last: date


def holds(rule: WaiverRule, grant: Grant) -> Holds | None:
    """The days on which the grant holds, None for no day. Raises BadProfile without the day of acceptance it needs."""
    if grant.decided is None:
        return None
    first = _first(rule, grant, grant.decided)
    last = min(_last(rule, grant, first))
    return Holds(first, last) if first <= last else None


def renewal_due(rule: WaiverRule, grant: Grant) -> date | None:
    """The last day before the grant has to be applied for anew; None: it need not, or it does not hold at all."""
    held = holds(rule, grant)
    if held is None:
        return None
    due = min(_terms(rule, held.first), default=_EVER)
    return due if due != _EVER and held.last >= due else None


def _first(rule: WaiverRule, grant: Grant, decided: date) -> date:
    if grant.starts is not None:
        return grant.starts
    match rule.start:
        case "by_day":
            return grant.applied
        case "application_month":
            return grant.applied.replace(day=1)
        case "month_after_application":
            return first_day(later(month_of(grant.applied), 1))
        case "month_after_decision":
            return first_day(later(month_of(decided), 1))
        case "acceptance_month":
            if grant.accepted is None:
                raise BadProfile(
                    f"rule {grant.rule}: it starts with the month of acceptance; expected the day accepted"
                )
            return grant.accepted.replace(day=1)


def _last(rule: WaiverRule, grant: Grant, first: date) -> list[date]:
    found = [_EVER, *_terms(rule, first)]
    if grant.ended is not None:
        found.append(grant.ended if rule.end == "by_day" else last_day(month_of(grant.ended)))
    if grant.revoked_from is not None:
        found.append(grant.revoked_from - timedelta(days=1))
    return found


def _terms(rule: WaiverRule, first: date) -> list[date]:
    found = []
    if rule.max_months is not None:
        found.append(last_of_months(first, rule.max_months))
    if rule.renewal == "fiscal_year":
        found.append(date(fiscal_year(first) + 1, 3, 31))
    return found
