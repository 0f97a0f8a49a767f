"""A view: everything that the notice of a decision says, as it was when the decision was taken.

What was decided later about the same grant does not change a notice: it is folded away.
"""

from datetime import date

from hub.db import Connection
from hub.inventory import store as inventory
from hub.waiver import application_store, application_view, register_store, tariff_store
from hub.waiver.application import Application, Waiver, fold
from hub.waiver.notice_letter import Amount, Notice
from hub.waiver.notice_letter import notice as letter
from hub.waiver.rules import given
from hub.waiver.rules.assess import assess
from hub.waiver.rules.given import Grant
from hub.waiver.rules.holding import Holds
from hub.waiver.rules.profile import BadProfile, WaiverRule


def notice(conn: Connection, application_id: int) -> Notice | None:
    """The letter of an application that was granted or refused, None for any other."""
    chain = application_store.of_grant(conn, application_id)
    one = next((each for each in chain if each.id == application_id), None)
    if one is None or one.decision is None or one.decision.result == "withdrawn":
        return None
    decided_ms = one.decision.decided_ms
    then = [each for each in chain if each.decision and each.decision.decided_ms <= decided_ms]
    rules = application_view.rules_known(conn) | tariff_store.rules_in(conn, one.decision.day[:7])
    days = _days(fold(then)[0], one, rules)
    resident = register_store.resident(conn, one.resident_id)
    assert resident is not None  # noqa: S101 (the table refers to it)
    name = resident.name if inventory.names_kept(conn) else ""
    return letter(
        tariff_store.letter(conn),
        one,
        f"{name}　様" if name else f"利用者番号 {resident.number}　様",
        application_view.rule_names(conn).get(one.rule, one.rule),
        rules.get(one.rule),
        days,
        amounts(conn, one, rules.get(one.rule), days),
    )


def _days(waiver: Waiver, one: Application, rules: dict[str, WaiverRule]) -> Holds | None:
    """Of a grant, a change and a renewal its own days; of an end and a revocation what is left of all."""
    if one.decision is not None and one.asks in ("grant", "change", "renew"):
        own = [grant for grant in waiver.grants if grant.ref == one.decision.number]
        return application_view.days_of(own[-1], rules) if own else None
    return application_view.held(waiver, rules).days


def amounts(conn: Connection, one: Application, rule: WaiverRule | None, days: Holds | None) -> tuple[Amount, ...]:
    """What each line comes to in the first month of what is asked, if it were whole."""
    if rule is None or days is None or one.asks in ("end", "revoke"):
        return ()
    begins = max(days.first, date.fromisoformat(one.from_day)) if one.from_day else days.first
    month = f"{begins:%Y-%m}"
    tariffs, of_line = tariff_store.tariffs_in(conn, month), register_store.tariffs_in(conn, month)
    first = begins.replace(day=1)
    grant = Grant(rule=one.rule, applied=first, decided=first, accepted=first, starts=first)
    found = []
    for line_id in _lines(conn, one, begins):
        line, tariff = register_store.line(conn, line_id), of_line.get(line_id)
        if line is None or tariff is None or tariff.code not in tariffs:
            continue
        each = given.Line(id=line.phone, tariff=tariff.code, list_price_yen=tariff.list_price_yen, grants=(grant,))
        try:
            (result,) = assess(month, tariffs, {one.rule: rule}, [each]).lines
        except BadProfile:
            continue
        found.append(Amount(line.phone, result.total, result.waived, result.resident))
    return tuple(found)


def _lines(conn: Connection, one: Application, day: date) -> list[int]:
    if one.line_id is not None:
        return [one.line_id]
    uses = register_store.uses_of_resident(conn, one.resident_id)
    return sorted({use.line_id for use in uses if not use.to_day or use.to_day >= day.isoformat()})
