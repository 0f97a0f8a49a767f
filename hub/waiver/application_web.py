"""Pages of applications: what waits, one grant with everything about it, the decision, renewals due, checks of July."""

from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, get_args

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection, Refused
from hub.guard import Who, fresh, need, read_form
from hub.inventory import store as inventory
from hub.staff.form import Wrong, WrongValue
from hub.waiver import application_store, notice_paper, notice_view, register_store
from hub.waiver import application_view as view
from hub.waiver.application import Application, Asks, Decision, Waiver, fold
from hub.waiver.application_form import NEEDS_DAY, NEEDS_RULE, against, asked_already, read_application, read_decision
from hub.waiver.application_store import Check
from hub.waiver.register import Line, Resident, next_number
from hub.waiver.register_form import plain, shown_phone, text
from hub.waiver.rules.holding import Holds
from hub.waiver.rules.profile import WaiverRule

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("waivers"))]
Enterer = Annotated[Who, Depends(need("apply"))]
# Four eyes are worth nothing on somebody else's open screen: whoever decides has just said who they are.
Decider = Annotated[Who, Depends(fresh("decide"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Text = Annotated[str, Query(max_length=80)]
Page = Annotated[int, Query(ge=1, le=10_000)]

ON_A_PAGE = 50
State = Literal["waiting", "granted", "refused", "withdrawn", "changed", "ended", "revoked", "all"]
_DID = ("enter", "granted", "refused", "withdraw", "check")
_FIELDS = ("number", "resident", "line", "rule", "applied", "accepted", "from", "reason")
_DECISION = ("result", "number", "day", "clause", "until", "reason")


# ---- the list


@router.get("/waiver/applications")
def applications(
    request: Request, who: Seer, state: State = "waiting", q: Text = "", page: Page = 1, did: str = ""
) -> Response:
    """What waits for a decision, oldest first; or grants of another state, newest first."""

    def gather(conn: Connection) -> dict[str, Any]:
        waivers = fold(application_store.applications(conn))
        return {
            "waivers": waivers,
            "numbers": register_store.resident_numbers(conn),
            "lines": {one.id: one for one in register_store.lines(conn)},
            "rule_names": view.rule_names(conn),
        }

    found = request.app.state.db.read(gather)
    waivers: list[Waiver] = found.pop("waivers")
    rows = [one for one in waivers if _listed(one, state, plain(q), found["numbers"])]
    if state != "waiting":
        rows.reverse()
    return pages.page(
        request,
        "register_applications.html",
        who,
        total=len(waivers),
        waiting=sum(one.waiting is not None for one in waivers),
        n=len(rows),
        waivers=rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        number=page,
        more=len(rows) > page * ON_A_PAGE,
        asked={"state": state, "q": q},
        states=get_args(State),
        did=did if did in _DID else "",
        phone=shown_phone,
        **found,
    )


def _listed(one: Waiver, state: State, q: str, numbers: dict[int, str]) -> bool:
    if q and q not in (numbers[one.root.resident_id], *(each.number for each in (one.root, *one.others))):
        return False
    if state == "waiting":
        return one.waiting is not None
    return state in ("all", one.state)


# ---- a new one


class Entering(NamedTuple):
    """What a new application is about: the grant (None: it is one), the resident, and what the form knows."""

    asks: Asks
    waiver: Waiver | None
    resident: Resident | None
    lines: dict[int, Line]
    rules: dict[str, WaiverRule]
    names: dict[str, str]
    days: Holds | None


def _entering(conn: Connection, asks: str, of: int, resident: str) -> Entering:
    """Raises HTTPException for a grant that is not there, and for what cannot be asked about it."""
    rules, names = view.rules_known(conn), view.rule_names(conn)
    lines = {one.id: one for one in register_store.lines(conn)}
    if not of:
        who = register_store.resident_by_number(conn, plain(resident)) if resident else None
        return Entering("grant", None, who, lines, rules, names, None)
    waiver = view.of_application(conn, of)
    if waiver is None:
        raise HTTPException(404)
    if asks not in waiver.may:
        raise HTTPException(409)
    known: Asks = asks
    days = view.held(waiver, rules).days
    return Entering(known, waiver, register_store.resident(conn, waiver.root.resident_id), lines, rules, names, days)


@router.get("/waiver/applications/new")
def new(
    request: Request,
    who: Enterer,
    resident: Text = "",
    asks: Text = "grant",
    of: Annotated[int, Query(ge=0, le=pages.LAST_ID)] = 0,
) -> Response:
    """The form: for a grant, or for a change, an end, a revocation or a renewal of one."""
    today = shown.day_of(pages.now_ms())

    def gather(conn: Connection) -> tuple[Entering, str, list[Line]]:
        entering = _entering(conn, asks, of, resident)
        last = application_store.last_number(conn)
        return entering, next_number(last) or f"{_fiscal(today)}-1", _lines_of(conn, entering)

    entering, number, lines = request.app.state.db.read(gather)
    form = dict.fromkeys((f"application_{name}" for name in _FIELDS), "")
    form |= {"application_number": number, "application_applied": today, "application_resident": resident}
    if entering.waiver is not None:
        form["application_rule"] = entering.waiver.rule
        if entering.asks == "renew":
            form["application_from"] = view.renews_from(view.Held(entering.waiver, entering.days))
    return _new_page(request, who, entering, lines, form)


def _fiscal(today: str) -> str:
    return str(int(today[:4]) - (today[5:7] < "04"))


def _lines_of(conn: Connection, entering: Entering) -> list[Line]:
    """The lines that an application may be for: those the resident has had, the latest first."""
    if entering.resident is None:
        return []
    uses = register_store.uses_of_resident(conn, entering.resident.id)
    return list({use.line_id: entering.lines[use.line_id] for use in reversed(uses)}.values())


def _new_page(
    request: Request,
    who: Who,
    entering: Entering,
    lines: list[Line],
    form: dict[str, str],
    wrong: list[Wrong] = [],  # noqa: B006
) -> Response:
    return pages.page(
        request,
        "register_application_new.html",
        who,
        422 if wrong else 200,
        entering=entering,
        of=entering.waiver.root.id if entering.waiver else 0,
        lines={str(one.id): shown_phone(one.phone) for one in lines},
        form=form,
        wrong=wrong,
        needs_day=entering.asks in NEEDS_DAY,
        needs_rule=entering.asks in NEEDS_RULE,
        open_end=entering.days is not None and entering.days.last == date.max,
        phone=shown_phone,
    )


@router.post("/waiver/applications/new")
def enter(request: Request, who: Enterer, form: Form) -> Response:
    """Enters it; nothing holds of it before another person has decided."""
    of = form.get("of", "0")
    if not of.isdecimal() or len(of) > 18:
        raise HTTPException(400)

    def write(conn: Connection) -> tuple[int, Entering, list[Line], list[Wrong]]:
        entering = _entering(conn, form.get("asks", "grant"), int(of), form.get("application_resident", ""))
        one, wrong = _read(conn, entering, form, who.person.name)
        lines = _lines_of(conn, entering)
        if one is None or wrong:
            return 0, entering, lines, wrong
        try:
            number = application_store.enter(conn, one)
        except Refused:
            return 0, entering, lines, [Wrong("application_number", one.number, "not_taken")]
        resident = entering.resident.number if entering.resident else ""
        audit.note(conn, one.entered_ms, who.person.name, "waiver_apply", one.number, f"{one.asks} {resident}")
        return number, entering, lines, []

    number, entering, lines, wrong = request.app.state.db.write_now(write)
    if number:
        return pages.to(f"/waiver/applications/{entering.waiver.root.id if entering.waiver else number}", did="enter")
    full = dict.fromkeys((f"application_{name}" for name in _FIELDS), "") | form
    return _new_page(request, who, entering, lines, full, wrong)


def _read(
    conn: Connection, entering: Entering, form: dict[str, str], who: str
) -> tuple[Application | None, list[Wrong]]:
    now_ms = pages.now_ms()
    values, wrong = read_application(form, entering.asks, entering.rules, shown.day_of(now_ms))
    resident, waiver = entering.resident, entering.waiver
    if resident is None:
        return None, [
            Wrong("application_resident", form.get("application_resident", "")[:60], "known_resident"),
            *wrong,
        ]
    if waiver is not None:
        line_id = waiver.root.line_id
        problem = against(entering.asks, values.get("application_from", ""), waiver, entering.days)
        rule = values["application_rule"] if entering.asks == "change" else waiver.rule
    else:
        line_id, rule = None, values["application_rule"]
        chosen = form.get("application_line", "")
        if chosen:
            line_id = next((one.id for one in _lines_of(conn, entering) if str(one.id) == chosen), 0)
        problem = Wrong("application_line", chosen[:60], "known_line") if line_id == 0 else None
        same = asked_already(fold(application_store.of_resident(conn, resident.id)), line_id, rule)
        if same is not None and problem is None:
            problem = Wrong("application_rule", entering.names.get(rule, rule), "not_asked_already", same.root.number)
    if wrong or problem:
        return None, [*wrong, *([problem] if problem else [])]
    from_day = values["application_from"]
    if entering.asks == "renew" and waiver is not None:
        from_day = from_day or view.renews_from(view.Held(waiver, entering.days))
    one = Application(
        id=0,
        number=values["application_number"],
        asks=entering.asks,
        of_id=waiver.root.id if waiver else None,
        resident_id=resident.id,
        line_id=line_id,
        rule=rule,
        applied_day=values["application_applied"],
        accepted_day=values["application_accepted"] or values["application_applied"],
        from_day=from_day,
        reason=values["application_reason"],
        entered_by=who,
        entered_ms=now_ms,
    )
    return one, []


# ---- renewals due, checks of July


@router.get("/waiver/applications/renewals")
def renewals(request: Request, who: Seer) -> Response:
    """Waivers that end within two months and that nobody has renewed."""
    today = shown.moment(pages.now_ms()).date()

    def gather(conn: Connection) -> dict[str, Any]:
        return {"found": view.renewals(conn, today), **_known(conn)}

    values = request.app.state.db.read(gather)
    return pages.page(request, "register_renewals.html", who, today=today.isoformat(), phone=shown_phone, **values)


def _known(conn: Connection) -> dict[str, Any]:
    return {
        "numbers": register_store.resident_numbers(conn),
        "lines": {one.id: one for one in register_store.lines(conn)},
        "rule_names": view.rule_names(conn),
    }


@router.get("/waiver/applications/checks")
def checks(
    request: Request,
    who: Seer,
    year: Annotated[int, Query(ge=0, le=2099)] = 0,
    did: str = "",
) -> Response:
    """Whether each ground that was there in July still holds."""
    return _checks_page(request, who, year, did)


def _checks_page(request: Request, who: Who, year: int, did: str = "", wrong: list[Wrong] | None = None) -> Response:
    now = shown.moment(pages.now_ms())
    year = year or now.year - (now.month < view.CHECK_MONTH)
    if year < 2000:
        raise HTTPException(404)

    def gather(conn: Connection) -> dict[str, Any]:
        return {"found": view.checks(conn, year), **_known(conn)}

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "register_checks.html",
        who,
        422 if wrong else 200,
        year=year,
        this_year=now.year,
        still_open=sum(not (one.check and one.check.result) for one in values["found"]),
        did=did if did in _DID else "",
        wrong=wrong or [],
        phone=shown_phone,
        **values,
    )


@router.post("/waiver/applications/checks")
def check(request: Request, who: Enterer, form: Form) -> Response:
    """Keeps what was found on one ground."""
    now_ms, result = pages.now_ms(), form.get("result", "")
    year, of = form.get("year", ""), form.get("of", "")
    if result not in ("holds", "ended") or not (
        year.isdecimal() and len(year) == 4 and of.isdecimal() and len(of) < 19
    ):
        raise HTTPException(400)
    try:
        note = text("check_note", form.get("check_note", ""))
    except WrongValue as error:
        return _checks_page(request, who, int(year), wrong=[error.wrong])

    def write(conn: Connection) -> None:
        found = [one for one in view.checks(conn, int(year)) if one.held.waiver.root.id == int(of)]
        if not found:
            raise HTTPException(404)
        root = found[0].held.waiver.root
        application_store.check(conn, Check(root.id, int(year), result, who.person.name, now_ms, note))
        audit.note(conn, now_ms, who.person.name, "waiver_check", root.number, f"{year} {result}")

    request.app.state.db.write_now(write)
    return pages.to("/waiver/applications/checks", year=year, did="check")


# ---- one of them


@router.get("/waiver/applications/{number}")
def application(request: Request, who: Seer, number: Number, did: str = "") -> Response:
    """A grant with everything that was asked and decided about it."""
    return _page(request, who, number, did)


def _page(
    request: Request,
    who: Who,
    number: int,
    did: str = "",
    form: dict[str, str] | None = None,
    wrong: list[Wrong] | None = None,
) -> Response:
    today = shown.day_of(pages.now_ms())

    def gather(conn: Connection) -> dict[str, Any]:
        waiver = view.of_application(conn, number)
        if waiver is None:
            raise HTTPException(404)
        rules = view.rules_known(conn)
        after = view.if_granted(waiver, rules, today) if waiver.waiting else None
        asked = waiver.waiting
        return {
            "waiver": waiver,
            "after": after,
            "amounts": notice_view.amounts(conn, asked, rules.get(asked.rule), after) if asked else (),
            "days": view.held(waiver, rules).days,
            "parts": [(grant, view.days_of(grant, rules)) for grant in waiver.grants],
            "rules": rules,
            "resident": register_store.resident(conn, waiver.root.resident_id),
            "names_kept": inventory.names_kept(conn),
            "next_decision": next_number(application_store.last_decision_number(conn)),
            **_known(conn),
        }

    values = request.app.state.db.read(gather)
    waiver: Waiver = values["waiver"]
    waiting = waiver.waiting
    decision = dict.fromkeys((f"decision_{name}" for name in _DECISION), "")
    if waiting is not None:
        rule = values["rules"].get(waiting.rule)
        decision |= {
            "decision_number": values["next_decision"],
            "decision_day": today,
            "decision_clause": rule.clause if rule else "",
        }
    return pages.page(
        request,
        "register_application.html",
        who,
        422 if wrong else 200,
        form=decision | (form or {}),
        wrong=wrong or [],
        did=did if did in _DID else "",
        waiting=waiting,
        mine=waiting is not None and waiting.entered_by == who.person.name,
        open_end=date.max,
        phone=shown_phone,
        **values,
    )


@router.post("/waiver/applications/{number}/decide")
def decide(request: Request, who: Decider, form: Form, number: Number) -> Response:
    """Decides on what waits: granted or refused, with number, day and clause. Never by who entered it."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> tuple[Decision | None, list[Wrong]]:
        one = _waiting(conn, number)
        rule = view.rules_known(conn).get(one.rule)
        decision, wrong = read_decision(form, one, rule, who.person.name, (now_ms, shown.day_of(now_ms)))
        if wrong:
            return None, wrong
        try:
            application_store.decide(conn, one.id, decision)
        except Refused:
            return None, [Wrong("decision_number", decision.number, "not_taken")]
        detail = f"{one.asks} {decision.result} {decision.number} {decision.day} {decision.clause}"
        audit.note(conn, now_ms, who.person.name, "waiver_decide", one.number, detail[:400])
        return decision, []

    decision, wrong = request.app.state.db.write_now(write)
    if decision is None:
        return _page(request, who, number, form=form, wrong=wrong)
    return pages.to(f"/waiver/applications/{number}", did=decision.result)


def _waiting(conn: Connection, number: int) -> Application:
    waiver = view.of_application(conn, number)
    if waiver is None:
        raise HTTPException(404)
    if waiver.waiting is None:
        raise HTTPException(409)
    return waiver.waiting


@router.get("/waiver/applications/{number}/notice.pdf")
def notice(request: Request, who: Seer, number: Number) -> Response:
    """The letter that tells a decision, as it was taken; later ones do not change it."""
    found = request.app.state.db.read(lambda conn: notice_view.notice(conn, number))
    if found is None:
        raise HTTPException(404)
    now_ms = pages.now_ms()
    request.app.state.db.write_now(
        lambda conn: audit.note(conn, now_ms, who.person.name, "waiver_notice", found.number)
    )
    headers = {"Content-Disposition": f'inline; filename="notice-{number}.pdf"'}
    return Response(notice_paper.paper(found), media_type="application/pdf", headers=headers)


@router.post("/waiver/applications/{number}/withdraw")
def withdraw(request: Request, who: Enterer, form: Form, number: Number) -> Response:
    """Takes back what waits, at the wish of who applied, or because it was entered wrongly."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        one = _waiting(conn, number)
        reason = form.get("decision_reason", "").strip()[:400]
        day = max(one.applied_day, shown.day_of(now_ms))
        decision = Decision("withdrawn", "", day, "", reason, "", who.person.name, now_ms)
        application_store.decide(conn, one.id, decision)
        audit.note(conn, now_ms, who.person.name, "waiver_withdraw", one.number, one.asks)

    request.app.state.db.write_now(write)
    return pages.to(f"/waiver/applications/{number}", did="withdraw")
