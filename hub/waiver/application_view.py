"""Views over applications: what holds from when to when, which renewals are due, which grounds are to be looked at."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from hub.db import Connection
from hub.waiver import application_store, tariff_store
from hub.waiver.application import Decision, Waiver, fold
from hub.waiver.application_store import Check
from hub.waiver.rules.given import Grant
from hub.waiver.rules.holding import Holds, holds
from hub.waiver.rules.months import later
from hub.waiver.rules.profile import BadProfile, WaiverRule

# A renewal is shown so many months before a waiver ends.
AHEAD_MONTHS = 2
# In July the tax of the year is known (課税証明): grounds are looked at from its first day on.
CHECK_MONTH = 7


class Held(NamedTuple):
    """A waiver, and its first and last day (`date.max`: nothing ends it); None when it holds on no day."""

    waiver: Waiver
    days: Holds | None


class ToCheck(NamedTuple):
    """A waiver whose ground is to be looked at in a year, and what was found."""

    held: Held
    check: Check | None


def rules_known(conn: Connection) -> dict[str, WaiverRule]:
    """The newest version of every rule, by code: what a waiver's days are told by."""
    found: dict[str, WaiverRule] = {}
    for one in tariff_store.rules(conn):
        found.setdefault(one.code, one.rule)
    return found


def rule_names(conn: Connection) -> dict[str, str]:
    """What each rule is called, by code, in its newest version."""
    found: dict[str, str] = {}
    for one in tariff_store.rules(conn):
        found.setdefault(one.code, one.name)
    return found


def held(waiver: Waiver, rules: Mapping[str, WaiverRule]) -> Held:
    """From when to when a waiver holds, all of its parts together."""
    found = [days for grant in waiver.grants if (days := days_of(grant, rules))]
    if not found:
        return Held(waiver, None)
    return Held(waiver, Holds(min(one.first for one in found), max(one.last for one in found)))


def days_of(grant: Grant, rules: Mapping[str, WaiverRule]) -> Holds | None:
    """From when to when one part holds; None for no day, and where its rule is not known or lacks a day."""
    rule = rules.get(grant.rule)
    try:
        return holds(rule, grant) if rule else None
    except BadProfile:
        return None


def of_application(conn: Connection, application_id: int) -> Waiver | None:
    """The waiver that an application is about, or None."""
    found = fold(application_store.of_grant(conn, application_id))
    return found[0] if found else None


def if_granted(waiver: Waiver, rules: Mapping[str, WaiverRule], today: str) -> Holds | None:
    """From when to when it would hold if what waits were granted today, without a last day of its own."""
    decision = Decision("granted", "", today, "", "", "", "", 2**62)
    rows = [
        one if one.decision else msgspec.structs.replace(one, decision=decision)
        for one in (waiver.root, *waiver.others)
    ]
    return held(fold(rows)[0], rules).days


def renewals(conn: Connection, today: date) -> list[Held]:
    """Waivers that end within two months, or ended in the two before, and that nobody has renewed; soonest first."""
    month = f"{today:%Y-%m}"
    first, last = f"{later(month, -AHEAD_MONTHS)}-01", f"{later(month, AHEAD_MONTHS)}-31"
    rules = rules_known(conn)
    found = []
    for waiver in fold(application_store.applications(conn)):
        if waiver.state not in ("granted", "changed"):
            continue
        one = held(waiver, rules)
        if one.days is not None and first <= one.days.last.isoformat() <= last and not _renewing(waiver):
            found.append(one)
    return sorted(found, key=lambda one: (one.days.last if one.days else date.max, one.waiver.root.id))


def _renewing(waiver: Waiver) -> bool:
    waiting = waiver.waiting
    return waiting is not None and waiting.asks == "renew"


def checks(conn: Connection, year: int) -> list[ToCheck]:
    """Waivers that hold in July of a year and whose rule asks for a look each year; those still open first."""
    first, last = date(year, CHECK_MONTH, 1), date(year, CHECK_MONTH, 31)
    rules, known = rules_known(conn), application_store.checks(conn, year)
    found = []
    for waiver in fold(application_store.applications(conn)):
        one = held(waiver, rules)
        if one.days is None or one.days.first > last or one.days.last < first:
            continue
        rule = rules.get(waiver.rule)
        if waiver.root.id in known or (rule is not None and rule.recheck_month is not None):
            found.append(ToCheck(one, known.get(waiver.root.id)))
    return sorted(found, key=lambda one: (bool(one.check and one.check.result), one.held.waiver.root.id))


def open_checks(conn: Connection, year: int) -> list[ToCheck]:
    """Those that nobody has looked at yet."""
    return [one for one in checks(conn, year) if not (one.check and one.check.result)]


def renews_from(one: Held) -> str:
    """The first day of a renewal that follows what it renews; empty where nothing ends it."""
    if one.days is None or one.days.last == date.max:
        return ""
    return (one.days.last + timedelta(days=1)).isoformat()
