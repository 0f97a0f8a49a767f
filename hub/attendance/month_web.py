"""Pages of a person's month and of each of its days: everybody's for whoever looks after hours, one's own for oneself.

Both are the same pages; they differ in their address and in what one may do from there.  The papers (PDF) say the same.
"""

from datetime import date
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import pages
from hub.attendance import bar, explain, told
from hub.attendance.rules.calendar import month_of
from hub.attendance.rules.clause import CLAUSES
from hub.attendance.timesheet import Line, Timesheet, timesheet
from hub.db import Connection
from hub.guard import Who, need
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.store import Member

router = APIRouter()

Seer = Annotated[Who, Depends(need("attendance"))]
Own = Annotated[Who, Depends(need("my_time"))]
Month = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Day = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-[0-9]{2}$")]
Number = Annotated[str, Path(max_length=40)]


class Subject(NamedTuple):
    """Whose pages these are, and where: one's own, or somebody's."""

    member: Member
    own: bool

    @property
    def root(self) -> str:
        """The address before the month."""
        return "/my-time" if self.own else f"/attendance/people/{quote(self.member.number, safe='')}"

    def entry(self, kind: str, day: date) -> str:
        """Where a request of a kind is entered for a day."""
        if self.own:
            return f"/my-time/requests/new?kind={kind}&day={day}"
        return f"/attendance/requests/new?number={quote(self.member.number, safe='')}&kind={kind}&day={day}"


@router.get("/attendance/people/{number}/{month}.pdf")
def month_file(request: Request, who: Seer, number: Number, month: Month) -> Response:
    """A person's month as a paper."""
    return _month_paper(request, _somebody(request, number), month)


@router.get("/attendance/people/{number}/{month}")
def month_page(request: Request, who: Seer, number: Number, month: Month) -> Response:
    """A person's month."""
    return _month(request, who, _somebody(request, number), month)


@router.get("/attendance/people/{number}/{month}/{day}.pdf")
def day_file(request: Request, who: Seer, number: Number, month: Month, day: Day) -> Response:
    """A day and how its figures came about, as a paper."""
    return _day_paper(request, _somebody(request, number), month, day)


@router.get("/attendance/people/{number}/{month}/{day}")
def day_page(request: Request, who: Seer, number: Number, month: Month, day: Day) -> Response:
    """A day and how its figures came about."""
    return _day(request, who, _somebody(request, number), month, day)


@router.get("/my-time/{month}.pdf")
def own_month_file(request: Request, who: Own, month: Month) -> Response:
    """One's own month as a paper."""
    subject = _oneself(request, who)
    return _month_paper(request, subject, month) if subject else pages.to(f"/my-time/{month}")


@router.get("/my-time/{month}")
def own_month_page(request: Request, who: Own, month: Month) -> Response:
    """One's own month."""
    subject = _oneself(request, who)
    return _month(request, who, subject, month) if subject else pages.page(request, "my_unlinked.html", who)


@router.get("/my-time/{month}/{day}.pdf")
def own_day_file(request: Request, who: Own, month: Month, day: Day) -> Response:
    """A day of one's own as a paper."""
    subject = _oneself(request, who)
    return _day_paper(request, subject, month, day) if subject else pages.to(f"/my-time/{month}")


@router.get("/my-time/{month}/{day}")
def own_day_page(request: Request, who: Own, month: Month, day: Day) -> Response:
    """A day of one's own."""
    subject = _oneself(request, who)
    return _day(request, who, subject, month, day) if subject else pages.to(f"/my-time/{month}")


def _somebody(request: Request, number: str) -> Subject:
    member = request.app.state.db.read(lambda conn: staff.by_number(conn, number))
    if member is None:
        raise HTTPException(404)
    return Subject(member, own=False)


def _oneself(request: Request, who: Who) -> Subject | None:
    member = request.app.state.db.read(lambda conn: staff.member_of_person(conn, who.person.id))
    return Subject(member, own=True) if member else None


def _read(request: Request, subject: Subject, month: str) -> Timesheet | None:
    sheet: Timesheet | None = request.app.state.db.read(
        lambda conn: timesheet(conn, subject.member, month, pages.now_ms())
    )
    return sheet


def _month(request: Request, who: Who, subject: Subject, month: str) -> Response:
    sheet = _read(request, subject, month)
    if sheet is None:
        return pages.page(request, "month_none.html", who, subject=subject, month=month)
    return pages.page(
        request,
        "month.html",
        who,
        subject=subject,
        sheet=sheet,
        month=month,
        today=moment(pages.now_ms()).date(),
        units=explain.units(sheet),
        told=told,
        may_enter=subject.own or who.may("attend"),
    )


def _of_day(request: Request, subject: Subject, month: str, text: str) -> tuple[Timesheet, Line, explain.Day]:
    """A day with all that stands behind it. Raises HTTPException for one that is none of the month's."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None

    def gather(conn: Connection) -> tuple[Timesheet, Line, explain.Day] | None:
        now_ms = pages.now_ms()
        sheet = timesheet(conn, subject.member, month, now_ms)
        line = sheet.line(day) if sheet else None
        return (sheet, line, explain.day(conn, sheet, line.result, now_ms)) if sheet and line else None

    found: tuple[Timesheet, Line, explain.Day] | None = request.app.state.db.read(gather)
    if found is None or month_of(day) != month:
        raise HTTPException(404)
    return found


def _day(request: Request, who: Who, subject: Subject, month: str, text: str) -> Response:
    sheet, line, behind = _of_day(request, subject, month, text)
    days = [one.result.day for one in sheet.lines]
    place = days.index(line.result.day)
    values: dict[str, Any] = {
        "sheet": sheet,
        "line": line,
        "behind": behind,
        "month": month,
        "bar": bar.bar(line.result, sheet.profile.night),
        "minute_text": bar.minute_text,
        "entries": explain.entries,
        "clauses": CLAUSES,
        "told": told,
        "before": days[place - 1] if place else None,
        "after": days[place + 1] if place + 1 < len(days) else None,
        "may_enter": subject.own or who.may("attend"),
    }
    return pages.page(request, "month_day.html", who, subject=subject, **values)


def _month_paper(request: Request, subject: Subject, month: str) -> Response:
    from hub.attendance import paper

    sheet = _read(request, subject, month)
    if sheet is None:
        raise HTTPException(404)
    text = paper.month_paper(sheet, explain.units(sheet), pages.language_of(request))
    return _pdf(text, f"{subject.member.number}-{month}.pdf")


def _day_paper(request: Request, subject: Subject, month: str, text: str) -> Response:
    from hub.attendance import paper

    sheet, line, behind = _of_day(request, subject, month, text)
    made = paper.day_paper(sheet, line, behind, pages.language_of(request))
    return _pdf(made, f"{subject.member.number}-{text}.pdf")


def _pdf(content: bytes, name: str) -> Response:
    """Shown in the browser; the name is that of a file that is kept."""
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type="application/pdf", headers=headers)
