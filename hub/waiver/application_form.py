"""An application and a decision as they are written down, and what stands against them (rule).

1. What may be asked for about a grant is in `application.MAY`; one application about it waits at a time.
2. The days of a change, an end and a renewal lie within or behind what holds; a revocation may reach back.
3. Who entered an application does not decide on it.  A refusal and a revocation carry their reason
   (行政手続法8条, 14条).
4. Where a rule waives by whole months, a last day that a decision names is the last of a month.
"""

from collections.abc import Iterable, Mapping

from hub.staff.form import Wrong, WrongValue
from hub.waiver.application import Application, Asks, Decision, Result, Waiver
from hub.waiver.register import last_of
from hub.waiver.register_form import a_day, text
from hub.waiver.rules.holding import Holds
from hub.waiver.rules.profile import WaiverRule

# For what a first day, or a last one, is asked; a renewal's may be left to follow from what it renews.
NEEDS_DAY: frozenset[Asks] = frozenset({"change", "end", "revoke"})
NEEDS_RULE: frozenset[Asks] = frozenset({"grant", "change"})


def read_application(
    values: Mapping[str, str], asks: Asks, rules: Mapping[str, WaiverRule], today: str
) -> tuple[dict[str, str], list[Wrong]]:
    """The fields of an application, and what is wrong with each by itself."""
    found, wrong = dict[str, str](), list[Wrong]()

    def take(field: str, read: object) -> None:
        try:
            found[field] = read(field, values.get(field, ""))  # type: ignore[operator]
        except WrongValue as error:
            wrong.append(error.wrong)

    take("application_number", lambda field, value: text(field, value, needed=True))
    take("application_applied", lambda field, value: a_day(field, value, needed=True))
    take("application_accepted", a_day)
    take("application_from", lambda field, value: a_day(field, value, needed=asks in NEEDS_DAY))
    take("application_reason", lambda field, value: text(field, value, needed=asks == "revoke"))
    found["application_rule"] = values.get("application_rule", "")
    if asks in NEEDS_RULE and found["application_rule"] not in rules:
        wrong.append(Wrong("application_rule", found["application_rule"][:60], "known_rule"))
    for field in ("application_applied", "application_accepted"):
        if found.get(field, "") > today:
            wrong.append(Wrong(field, found[field], "not_later_than_today"))
    if asks == "grant":
        found["application_from"] = ""
    return found, wrong


def against(asks: Asks, from_day: str, waiver: Waiver, held: Holds | None) -> Wrong | None:
    """What stands against a change, an end, a revocation or a renewal of this grant, None for nothing."""
    if asks not in waiver.may:
        return Wrong("application_asks", asks, "may_be_asked")
    if held is None:
        return None
    first, last = held.first.isoformat(), held.last.isoformat()
    if asks == "change" and not first < from_day <= last:
        return Wrong("application_from", from_day, "within_waiver", f"{first} – {last}")
    if asks in ("end", "revoke") and not first <= from_day <= last:
        return Wrong("application_from", from_day, "within_waiver", f"{first} – {last}")
    if asks == "renew" and from_day and from_day <= first:
        return Wrong("application_from", from_day, "after_first")
    return None


def asked_already(waivers: Iterable[Waiver], line_id: int | None, rule: str) -> Waiver | None:
    """A grant of the same rule for the same line that waits or holds; two of it would come to nothing more."""
    for one in waivers:
        if one.root.line_id == line_id and one.rule == rule and one.state in ("waiting", "granted", "changed"):
            return one
    return None


def read_decision(
    values: Mapping[str, str], one: Application, rule: WaiverRule | None, who: str, now: tuple[int, str]
) -> tuple[Decision, list[Wrong]]:
    """A decision on an application, and what stands against it. `now` is the moment (UTC) and the day of it."""
    now_ms, today = now
    wrong: list[Wrong] = []
    found: dict[str, str] = {}
    result = values.get("decision_result", "")
    granted = result == "granted"
    reasoned = result == "refused" or one.asks == "revoke"
    for field, needed in (("number", True), ("clause", granted), ("reason", reasoned)):
        try:
            name = f"decision_{field}"
            found[field] = text(name, values.get(name, ""), needed=needed)
        except WrongValue as error:
            wrong.append(error.wrong)
    for field in ("day", "until"):
        try:
            found[field] = a_day(f"decision_{field}", values.get(f"decision_{field}", ""), needed=field == "day")
        except WrongValue as error:
            wrong.append(error.wrong)
    if result not in ("granted", "refused"):
        wrong.append(Wrong("decision_result", result[:60], "decision_result"))
    if who == one.entered_by:
        wrong.append(Wrong("decision_result", who, "another_person"))
    if "day" in found and not one.applied_day <= found["day"] <= today:
        wrong.append(Wrong("decision_day", found["day"], "between_days", f"{one.applied_day} – {today}"))
    until = found.get("until", "") if granted and one.asks not in ("end", "revoke") else ""
    if until and (problem := _until(until, one, rule)):
        wrong.append(problem)
    known: Result = "granted" if granted else "refused"
    return (
        Decision(
            known,
            found.get("number", ""),
            found.get("day", ""),
            found.get("clause", "") if granted else "",
            found.get("reason", ""),
            until,
            who,
            now_ms,
        ),
        wrong,
    )


def _until(until: str, one: Application, rule: WaiverRule | None) -> Wrong | None:
    if until < (one.from_day or one.applied_day):
        return Wrong("decision_until", until, "after_first")
    if rule is not None and rule.end == "end_of_month" and until != last_of(until[:7]):
        return Wrong("decision_until", until, "last_of_month", last_of(until[:7]))
    return None
