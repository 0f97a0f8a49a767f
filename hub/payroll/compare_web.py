"""The page of a parallel run: the payroll's own result against ours; the file is looked at and not kept."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages, sheet
from hub.db import Connection, Db
from hub.guard import Who, need
from hub.payroll import gather, store
from hub.payroll.choice import choices
from hub.payroll.compare import CannotCompare, Compared, compare
from hub.sheet import CannotRead, Sheet
from hub.upload import Upload, read_upload

router = APIRouter()

_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")
_SHOWN = 300

File = Annotated[Upload, Depends(read_upload)]
Sender = Annotated[Who, Depends(need("payroll", read_upload))]


@router.post("/payroll/compare")
def compared(request: Request, who: Sender, file: File) -> Response:
    """What differs, person by person and column by column."""
    db: Db = request.app.state.db
    month, name = file.get("month", ""), file.get("layout", "")
    if not _MONTH.fullmatch(month):
        raise HTTPException(400)
    why, found, status = "", None, 200
    if file.too_large:
        why, status = "too_large", 413
    else:
        try:
            read = sheet.read(file.filename, file.content)
            found = db.read(lambda conn: _compare(conn, read, month, name))
        except CannotRead as error:
            why, status = f"import_{error.why}", 422
            if error.why == "no_headings":
                why = "compare_no_headings"
        except CannotCompare as error:
            why, status = f"compare_{error.why}", 422
    return pages.page(
        request,
        "payroll_compare.html",
        who,
        status,
        why="import_too_large" if why == "too_large" else why,
        why_found=sheet.BYTES // 1_000_000,
        found=found,
        month=month,
        layout_name=name,
        file_name=file.filename,
        most=_SHOWN,
    )


def _compare(conn: Connection, read: Sheet, month: str, name: str) -> Compared:
    choice = choices(conn).get(name)
    if choice is None or choice.layout is None:
        raise HTTPException(404)
    table = gather.table(conn, month, pages.now_ms())
    return compare(read.headings, read.rows, choice.layout, table, store.letters(conn))
