"""Pages of the reports of waivers: one table at a time, as page, CSV, xlsx and PDF."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import pages, shown
from hub.db import Connection, Db
from hub.guard import Who, need
from hub.sheet import XLSX
from hub.waiver import report_store
from hub.waiver.report import KINDS, Cell, Column, Kind, Report, Span, report, span_of
from hub.waiver.report_paper import paper
from hub.waiver.report_sheet import csv_file, xlsx_file
from hub.waiver.rules.fiscal import last_payment_day
from hub.words import Language, known_word, word

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Text = Annotated[str, Query(max_length=7)]
File = Literal["csv", "xlsx", "pdf"]
_ROWS = 300
_MEDIA: dict[File, str] = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX, "pdf": "application/pdf"}


@router.get("/waiver/reports")
def reports(request: Request, who: Seer, month: Text = "", year: Text = "", kind: Kind = "grounds") -> Response:
    """A report: of the month or the fiscal year asked for, else of the last month in which anything was booked."""
    db: Db = request.app.state.db
    language = pages.language_of(request)
    known = db.read(report_store.months_with_entries)
    span = span_of(month or year) if month or year else _latest(known)
    if span is None:
        raise HTTPException(400)
    # The table of a year is of a year, whatever month somebody came from.
    span = Span("", span.year) if kind == "year" else span
    found = db.read(lambda conn: report(conn, kind, span))
    return pages.page(
        request,
        "waiver_reports.html",
        who,
        empty=not known and not found.rows,
        found=found,
        kinds=KINDS,
        head=[(_heading(one, language), one.kind in _FIGURES) for one in found.columns],
        rows=[_texts(found.columns, row, language) for row in found.rows[:_ROWS]],
        left=max(0, len(found.rows) - _ROWS),
        sums=_texts(found.columns, found.sums, language) if found.sums else None,
        title=_title(found, language),
        notes=_notes(found, language),
        files=get_args(File),
        months=known,
    )


@router.get("/waiver/reports/{report_kind}.{file}")
def save(request: Request, who: Seer, report_kind: Kind, file: File, span: Text | None = None) -> Response:
    """The same table as a file."""
    db: Db = request.app.state.db
    kind = report_kind
    asked = _latest(db.read(report_store.months_with_entries)) if span is None else span_of(span)
    if asked is None:
        raise HTTPException(400)
    language = pages.language_of(request)

    def gather(conn: Connection) -> Report:
        return report(conn, kind, Span("", asked.year) if kind == "year" else asked)

    found = db.read(gather)
    head = [(_heading(one, language), one.kind in _FIGURES) for one in found.columns]
    content = _made(found, file, head, language)
    name = f"waiver-{kind}-{found.span.text}.{file}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_MEDIA[file], headers=headers)


def _made(found: Report, file: File, head: list[tuple[str, bool]], language: Language) -> bytes:
    headings = [text for text, _ in head]
    if file == "pdf":
        rows = [_texts(found.columns, row, language) for row in found.rows]
        rows += [_texts(found.columns, found.sums, language)] if found.sums else []
        return paper(_title(found, language), head, rows, _notes(found, language), language)
    # Figures stay figures in a table that somebody works on; below it stands what it rests on.
    plain: list[list[str | int]] = [
        [_plain(column, cell, language) for column, cell in zip(found.columns, row, strict=True)] for row in found.rows
    ]
    plain += [[note, *[""] * (len(headings) - 1)] for note in _notes(found, language)]
    return csv_file(headings, plain) if file == "csv" else xlsx_file(_title(found, language)[:31], headings, plain)


_FIGURES = ("yen", "count")


def _latest(known: list[str]) -> Span | None:
    return span_of(known[0]) if known else span_of(shown.day_of(pages.now_ms())[:7])


def _heading(column: Column, language: Language) -> str:
    return word(language, f"wreport_col_{column.key}")


def _texts(columns: tuple[Column, ...], row: tuple[Cell, ...], language: Language) -> list[str]:
    return [_shown(column, cell, language) for column, cell in zip(columns, row, strict=True)]


def _shown(column: Column, cell: Cell, language: Language) -> str:
    if cell is None or cell == "":
        return ""
    if isinstance(cell, int):
        return shown.money(language, cell) if column.kind == "yen" else shown.count(cell)
    if column.kind == "month":
        return word(language, "close_month", y=int(cell[:4]), m=int(cell[5:]))
    return str(_plain(column, cell, language))


def _plain(column: Column, cell: Cell, language: Language) -> str | int:
    if cell is None:
        return ""
    if column.kind == "word" and isinstance(cell, str):
        key = f"{column.prefix}{cell}"
        found = known_word(language, key)
        return cell if found == key else found
    return cell


def _title(found: Report, language: Language) -> str:
    span = found.span
    when = (
        word(language, "close_month", y=int(span.month[:4]), m=int(span.month[5:]))
        if span.month
        else word(language, "wreport_year_n", y=span.year)
    )
    return f"{word(language, f'wreport_kind_{found.kind}')} {when}"


def _notes(found: Report, language: Language) -> list[str]:
    """What the table rests on: the closed months and their hashes, or that they are not closed."""
    notes = [word(language, f"wreport_note_{found.kind}", day=last_payment_day(found.span.year).isoformat())]
    notes += [
        word(language, "wreport_hash", month=one.month, hash=one.content_hash, chain=one.chain_hash)
        for one in found.closings
    ]
    if not found.closings:
        notes.append(word(language, "wreport_not_closed"))
    return notes
