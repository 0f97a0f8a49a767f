"""Pages of tariffs and rules of waiver: versions by month of use, a sample to begin with, what letters say."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.staff.form import Wrong
from hub.waiver import notice_letter, rules_sample, tariff_store
from hub.waiver import rules_form as forms
from hub.waiver.rules.profile import Tariff, WaiverRule
from hub.waiver.tariff_store import RuleVersion, TariffVersion

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("waivers"))]
Keeper = Annotated[Who, Depends(need("waiver_rules"))]
Text = Annotated[str, Query(max_length=40)]
_DID = ("tariff", "rule", "sample", "letter")


@router.get("/waiver/rules")
def rules(request: Request, who: Seer, did: str = "") -> Response:
    """Every version of every tariff and rule."""
    month = shown.day_of(pages.now_ms())[:7]

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "tariffs": tariff_store.tariffs(conn),
            "rules": tariff_store.rules(conn),
            "closed": tariff_store.closed_through(conn),
            "letter": tariff_store.letter(conn),
            "now": set(tariff_store.tariffs_in(conn, month)) | set(tariff_store.rules_in(conn, month)),
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "register_rules.html",
        who,
        month=month,
        did=did if did in _DID else "",
        data_text=forms.data_text,
        **values,
    )


@router.get("/waiver/rules/tariff")
def tariff(request: Request, who: Keeper, code: Text = "", month: Text = "") -> Response:
    """The form of a tariff: empty, or a version to correct or to go on from."""
    found = request.app.state.db.read(lambda conn: _tariff(conn, code, month)) if code else None
    if code and found is None:
        raise HTTPException(404)
    form = dict.fromkeys(forms.TARIFF, "") | {"tariff_from": shown.day_of(pages.now_ms())[:7]}
    if found is not None:
        form = forms.tariff_values(found.code, found.from_month, found.to_month, found.tariff)
    return _form_page(request, who, "tariff", form, [])


def _tariff(conn: Connection, code: str, month: str) -> TariffVersion | None:
    found = [one for one in tariff_store.tariffs(conn) if one.code == code and month in ("", one.from_month)]
    return found[0] if found else None


def _rule(conn: Connection, code: str, month: str) -> RuleVersion | None:
    found = [one for one in tariff_store.rules(conn) if one.code == code and month in ("", one.from_month)]
    return found[0] if found else None


def _form_page(request: Request, who: Who, kind: str, form: dict[str, str], wrong: list[Wrong]) -> Response:
    return pages.page(
        request,
        f"register_{kind}_form.html",
        who,
        422 if wrong else 200,
        form=form,
        wrong=wrong,
        closed=request.app.state.db.read(tariff_store.closed_through),
        forms=forms,
    )


@router.post("/waiver/rules/tariff")
def put_tariff(request: Request, who: Keeper, form: Form) -> Response:
    """Keeps a version of a tariff, unless a closed month went by it."""
    code, first, last, tariff, wrong = forms.read_tariff_form(form)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> Wrong | None:
        assert tariff is not None  # noqa: S101 (nothing was wrong)
        old = next((one for one in tariff_store.tariffs(conn) if (one.code, one.from_month) == (code, first)), None)
        before = (old.from_month, old.to_month, old.tariff) if old else None
        closed = tariff_store.closed_through(conn)
        problem = forms.version_against("tariff", (first, last, tariff), before, closed)
        if problem is None:
            _keep_tariff(conn, code, (first, last), tariff, who.person.name, now_ms)
        return problem

    problem = None if wrong else request.app.state.db.write_now(write)
    wrong += [problem] if problem else []
    if wrong:
        return _form_page(request, who, "tariff", dict.fromkeys(forms.TARIFF, "") | form, wrong)
    return pages.to("/waiver/rules", did="tariff")


def _keep_tariff(conn: Connection, code: str, months: tuple[str, str], tariff: Tariff, who: str, now_ms: int) -> None:
    tariff_store.put_tariff(conn, TariffVersion(code, *months, tariff, who, now_ms))
    audit.note(conn, now_ms, who, "tariff_version", code, f"{months[0]} – {months[1]}".strip(" –"))


@router.get("/waiver/rules/rule")
def rule(request: Request, who: Keeper, code: Text = "", month: Text = "") -> Response:
    """The form of a rule: empty, or a version to correct or to go on from."""
    found = request.app.state.db.read(lambda conn: _rule(conn, code, month)) if code else None
    if code and found is None:
        raise HTTPException(404)
    form = dict.fromkeys(forms.RULE, "") | {"rule_from": shown.day_of(pages.now_ms())[:7]}
    if found is not None:
        months = (found.from_month, found.to_month)
        form = forms.rule_values(found.code, months, found.name, found.clause, found.rule)
    return _form_page(request, who, "rule", form, [])


@router.post("/waiver/rules/rule")
def put_rule(request: Request, who: Keeper, form: Form) -> Response:
    """Keeps a version of a rule, unless a closed month went by it."""
    read = forms.RuleFields(form)
    now_ms, months = pages.now_ms(), (read.from_month, read.to_month)

    def write(conn: Connection) -> Wrong | None:
        assert read.rule is not None  # noqa: S101 (nothing was wrong)
        key = (read.code, read.from_month)
        old = next((one for one in tariff_store.rules(conn) if (one.code, one.from_month) == key), None)
        before = (old.from_month, old.to_month, (old.clause, old.rule)) if old else None
        new = (*months, (read.clause, read.rule))
        problem = forms.version_against("rule", new, before, tariff_store.closed_through(conn))
        if problem is None:
            _keep_rule(conn, read.code, months, (read.name, read.clause, read.rule), who.person.name, now_ms)
        return problem

    problem = None if read.wrong else request.app.state.db.write_now(write)
    wrong = read.wrong + ([problem] if problem else [])
    if wrong:
        return _form_page(request, who, "rule", dict.fromkeys(forms.RULE, "") | form, wrong)
    return pages.to("/waiver/rules", did="rule")


def _keep_rule(
    conn: Connection,
    code: str,
    months: tuple[str, str],
    says: tuple[str, str, WaiverRule],
    who: str,
    now_ms: int,
) -> None:
    name, clause, rule = says
    tariff_store.put_rule(conn, RuleVersion(code, *months, name, clause, rule, who, now_ms))
    audit.note(conn, now_ms, who, "waiver_rule_version", code, f"{months[0]} – {months[1]} {clause}")


@router.post("/waiver/rules/sample")
def sample(request: Request, who: Keeper, _form: Form) -> Response:
    """The model town's tariffs and rules, from this fiscal year's April on, where there are none yet."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        if not load_sample(conn, who.person.name, now_ms):
            raise HTTPException(409)

    request.app.state.db.write_now(write)
    return pages.to("/waiver/rules", did="sample")


def load_sample(conn: Connection, who: str, now_ms: int) -> bool:
    """Keeps the sample; not where there is a tariff or a rule already. Whether it did."""
    if tariff_store.tariffs(conn) or tariff_store.rules(conn):
        return False
    today = shown.day_of(now_ms)
    april = (f"{int(today[:4]) - (today[5:7] < '04')}-04", "")
    for code, tariff in rules_sample.TARIFFS.items():
        _keep_tariff(conn, code, april, tariff, who, now_ms)
    for code, says in rules_sample.RULES.items():
        _keep_rule(conn, code, april, says, who, now_ms)
    audit.note(conn, now_ms, who, "waiver_sample")
    return True


@router.get("/waiver/rules/letter")
def letter(request: Request, who: Keeper) -> Response:
    """What notices of decision say of the town."""
    found = request.app.state.db.read(tariff_store.letter)
    return _letter_page(request, who, notice_letter.values_of(found), [])


def _letter_page(request: Request, who: Who, form: dict[str, str], wrong: list[Wrong]) -> Response:
    status = 422 if wrong else 200
    lengths = notice_letter.FIELDS
    return pages.page(request, "register_letter.html", who, status, form=form, wrong=wrong, lengths=lengths)


@router.post("/waiver/rules/letter")
def put_letter(request: Request, who: Keeper, form: Form) -> Response:
    """Keeps that."""
    values, wrong = notice_letter.read(form)
    if wrong:
        return _letter_page(request, who, notice_letter.values_of(form), wrong)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        tariff_store.put_letter(conn, values, who.person.name, now_ms)
        audit.note(conn, now_ms, who.person.name, "waiver_letter", values["letter_town"])

    request.app.state.db.write_now(write)
    return pages.to("/waiver/rules", did="letter")
