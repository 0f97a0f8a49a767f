"""Pages of retention (what is deleted when, and the proof of it), the operator's checklist, the notification's data."""

import csv
import io
import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from hub import audit, pages, sheet, shown
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.wifi import checklist, checklist_store, notice, purge_store, retention
from hub.words import WORDS

router = APIRouter()

Seer = Annotated[Who, Depends(need("wifi"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("wifi"))]
SureRuler = Annotated[Who, Depends(fresh("wifi_rules"))]
Sent = Annotated[dict[str, str], Depends(fields("keep_days", "reason"))]

PAGE = "/wifi/retention"
_PROOFS = 30
_REASON_LENGTH = 200


@router.get(PAGE)
def retention_page(request: Request, who: Seer, did: str = "") -> Response:
    """How long what is kept, what is overdue now, and the proofs of deletion."""
    return _page(request, who, did=did if did == "kept" else "")


@router.post(PAGE)
def keep(request: Request, who: SureRuler, sent: Sent) -> Response:
    """Sets for how long personal fields are kept, and notes why."""
    text, reason = sent.get("keep_days", "").strip(), " ".join(sent.get("reason", "").split())[:_REASON_LENGTH]
    error = "days" if retention.bad_days(text) else "" if reason else "reason"
    if error:
        return _page(request, who, 422, error=error, form=sent)

    def write(conn: Connection) -> None:
        before = purge_store.setting(conn)
        after = msgspec.structs.replace(before, keep_days=int(text))
        purge_store.keep_setting(conn, after)
        told = f"{before.keep_days} → {after.keep_days}: {reason}"
        audit.note(conn, pages.now_ms(), who.person.name, "wifi_keep", "", told)

    request.app.state.db.write_now(write)
    return pages.to(PAGE, did="kept")


@router.get(f"{PAGE}/proofs")
def proofs(request: Request, who: Taker) -> Response:
    """All proofs of deletion, oldest first, with what their hashes are of."""

    def take(conn: Connection) -> list[retention.Proof]:
        found = purge_store.proofs(conn)[::-1]
        audit.note(conn, pages.now_ms(), who.person.name, "wifi_proof", "", str(len(found)))
        return found

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "at", "at_ms", "before", "before_ms", "counts", "left_over", "hash"])
    for one in request.app.state.db.write_now(take):
        at, before = (shown.moment(ms).isoformat() for ms in (one.at_ms, one.before_ms))
        counts = json.dumps(one.counts, sort_keys=True, separators=(",", ":"))
        writer.writerow([one.id, at, one.at_ms, before, one.before_ms, counts, one.left_over, one.hash])
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="wifi-deletion-proofs.csv"'},
    )


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    now_ms = pages.now_ms()

    def look(conn: Connection) -> dict[str, Any]:
        setting = purge_store.setting(conn)
        cut = retention.cut(now_ms, setting.keep_days)
        kept = purge_store.proofs(conn)
        return {
            "setting": setting,
            "cut": cut,
            "due": sum(purge_store.due(conn, cut).values()),
            "proofs": kept[:_PROOFS],
            "all_proofs": len(kept),
            "broken": retention.first_broken(kept[::-1]),
        }

    known = {"error": "", "form": {}, "did": "", "raw_days": retention.RAW_DAYS, "most": retention.MOST_DAYS}
    found = request.app.state.db.read(look)
    return pages.page(request, "wifi_retention.html", who, status, what=retention.WHAT, **{**known, **found, **values})


@router.get("/wifi/checklist")
def checklist_page(request: Request, who: Seer) -> Response:
    """The operator's checklist, as it stands now."""
    now_ms = pages.now_ms()
    found = request.app.state.db.read(lambda conn: checklist.lines(checklist_store.given(conn, now_ms)))
    return pages.page(request, "wifi_checklist.html", who, lines=found, now_ms=now_ms, words=WORDS)


@router.get("/wifi/notice.xlsx")
def notice_file(request: Request, who: Taker) -> Response:
    """Data for the notification under the telecommunications law, as a spreadsheet."""

    def take(conn: Connection) -> list[checklist.Point]:
        audit.note(conn, pages.now_ms(), who.person.name, "wifi_notice")
        return checklist_store.points(conn)

    points = request.app.state.db.write_now(take)
    tables = [
        (*notice.NOTICE, notice.notice_rows(points, request.app.state.settings.url)),
        (*notice.POINTS, notice.point_rows(points)),
        (*notice.SERVICES, notice.service_rows(points)),
    ]
    headers = {"Content-Disposition": 'attachment; filename="wifi-notice.xlsx"'}
    return Response(sheet.xlsx_book(tables), media_type=sheet.XLSX, headers=headers)
