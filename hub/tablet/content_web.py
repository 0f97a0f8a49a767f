"""Pages of content for tablets: what they show, what is being written, how it will look, and what became of it.

1. A draft is looked at as the tablet shows it before it is published; what is published is what was looked at (the mark
   of its last change says so).
2. What was published stays as it was; it is withdrawn, and another one is written.
"""

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.pages import LAST_ID, Before
from hub.tablet import answer_store, content, content_store, files, shelf_store, survey
from hub.tablet.content import FILE_BYTES, Item, Wrong
from hub.tablet.shelf import Town
from hub.upload import Upload, upload_of
from wire import terms_text
from wire.shelf import File

router = APIRouter()

_DAY_MS = 86_400_000
_read_file = upload_of(FILE_BYTES)
Writer = Annotated[Who, Depends(need("content"))]
Sender = Annotated[Who, Depends(need("content", _read_file))]
FileForm = Annotated[Upload, Depends(_read_file)]
Begin = Annotated[dict[str, str], Depends(fields("kind", "title"))]
Act = Annotated[dict[str, str], Depends(fields("do", "looked"))]
Numbers = Annotated[dict[str, str], Depends(fields("town", "telephones"))]
Number = Annotated[int, InPath(ge=1, le=LAST_ID)]
Did = Annotated[str, Query(pattern="^[a-z_]{0,20}$")]


@router.get("/content")
def overview(request: Request, who: Writer, before: Before = None, did: Did = "") -> Response:
    """What tablets show, what is being written, and what was withdrawn or is over."""
    return _overview(request, who, before=before, did=did)


def _overview(request: Request, who: Who, status: int = 200, **more: Any) -> Response:
    now_ms = pages.now_ms()
    before = more.pop("before", None)
    typed = {"kind": "", "title": "", **more.pop("typed", {})}

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "drafts": content_store.drafts(conn),
            "live": content_store.live(conn, now_ms),
            "past": content_store.past(conn, now_ms, before),
            "seen": content_store.counts(conn),
            "answered": answer_store.counts(conn),
            "tablets": shelf_store.tablets(conn, now_ms),
            "town": shelf_store.setting(conn),
            "error": shelf_store.error(conn),
        }

    found = request.app.state.db.read(gather)
    lent = found.pop("tablets")
    found["meant"] = {item.id: sum(item.is_for(one.district) for one in lent) for item in found["live"]}
    values: dict[str, Any] = {
        "did": "",
        "wrong": None,
        "typed": typed,
        "kinds": content.KINDS,
        "page": content_store.PAGE,
    }
    return pages.page(request, "content.html", who, status, now_ms=now_ms, **{**values, **more}, **found)


@router.post("/content")
def begin(request: Request, who: Writer, form: Begin) -> Response:
    """A new draft."""
    try:
        kind, title = content.read_kind(form.get("kind", "")), content.read_title(form.get("title", ""))
    except Wrong as wrong:
        return _overview(request, who, 422, wrong=wrong, typed=form)
    now_ms = pages.now_ms()
    number = request.app.state.db.write_now(
        lambda conn: content_store.begin(conn, kind, title, who.person.name, now_ms)
    )
    return pages.to(f"/content/{number}")


# ---- the town's own part of every shelf


@router.get("/content/telephones")
def telephones(request: Request, who: Writer, did: Did = "") -> Response:
    """The town's name and the numbers to call, as every tablet shows them."""
    town = request.app.state.db.read(shelf_store.setting)
    typed = {"town": town.name, "telephones": content.telephone_lines(town.telephones)}
    return pages.page(request, "content_telephones.html", who, typed=typed, wrong=None, did=did)


@router.post("/content/telephones")
def set_telephones(request: Request, who: Writer, form: Numbers) -> Response:
    """Keeps them; tablets are told."""
    typed = {name: form.get(name, "") for name in ("town", "telephones")}
    try:
        town = Town(content.read_town(typed["town"]), content.read_telephones(typed["telephones"]))
    except Wrong as wrong:
        return pages.page(request, "content_telephones.html", who, 422, typed=typed, wrong=wrong, did="")
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        shelf_store.set_town(conn, town)
        audit.note(conn, now_ms, who.person.name, "tablet_numbers", "", f"{len(town.telephones)}")

    request.app.state.db.write_now(write)
    return pages.to("/content/telephones", did="saved")


# ---- one item


@router.get("/content/{number}")
def one(request: Request, who: Writer, number: Number, did: Did = "") -> Response:
    """A draft to write, or what was published: who has it, who opened it, what was answered."""
    found = _item(request, number)
    if found.published_ms is None:
        return _draft(request, who, found, did=did)
    return _published(request, who, found, did=did)


def _item(request: Request, number: int) -> Item:
    found: Item | None = request.app.state.db.read(lambda conn: content_store.item(conn, number))
    if found is None:
        raise HTTPException(404)
    return found


def _draft(request: Request, who: Who, item: Item, status: int = 200, **more: Any) -> Response:
    known = request.app.state.db.read(shelf_store.districts)
    # What was typed stands there again after a refusal, with the boxes as they were ticked.
    form = more.pop("typed", None)
    typed = {**_typed(item), "urgent": "", **form} if form else _typed(item)
    values: dict[str, Any] = {"did": "", "wrong": None, "typed": typed, "other": False, **more}
    return pages.page(
        request,
        "content_draft.html",
        who,
        status,
        item=item,
        known=known,
        unknown=content.unknown_districts(item.districts, known),
        lacks=content.lacks(item),
        odd=content.odd_marks(item),
        ways=content.WAYS,
        most={"files": content.FILES, "questions": content.QUESTIONS, "mb": FILE_BYTES // 1_000_000},
        **values,
    )


def _typed(item: Item) -> dict[str, str]:
    """A draft as its form shows it."""
    return {
        "title": item.title,
        "text": item.text,
        "urgent": "yes" if item.urgent else "",
        "districts": "、".join(item.districts),
        "until": shown.day_of(item.until_ms - 1) if item.until_ms else "",
        "question": "",
        "way": "one",
        "choices": "",
    }


def _published(request: Request, who: Who, item: Item, *, did: str) -> Response:
    now_ms = pages.now_ms()

    def gather(conn: Connection) -> dict[str, Any]:
        given = answer_store.given(conn, item.name) if item.kind == "survey" else []
        lent = [one for one in shelf_store.tablets(conn, now_ms) if item.is_for(one.district)]
        return {
            "seen": content_store.seen(conn, item.name),
            "tablets": lent,
            "given": given,
            "results": survey.results(item.questions, [one.answers for one in given]),
        }

    return pages.page(
        request,
        "content_one.html",
        who,
        item=item,
        state=item.state(now_ms),
        title=terms_text.runs(item.title),
        blocks=terms_text.blocks(item.text),
        did=did,
        **request.app.state.db.read(gather),
    )


@router.post("/content/{number}")
def save(request: Request, who: Sender, number: Number, form: FileForm) -> Response:
    """Keeps a draft's words, and a file or question that was added, or takes one out: all of it, or nothing and why.

    Nothing is kept when somebody else has changed the draft meanwhile. `do=look` goes on to how it will look, `do=drop`
    throws the draft away.
    """
    if not set(form) <= {*content.FIELDS, "csrf"}:
        raise HTTPException(400)
    item, act = _draft_of(request, number), form.get("do", "save")
    if act == "drop":
        return _drop(request, item)
    now_ms = pages.now_ms()
    try:
        text = content.read_text(form, shown.day_of(now_ms))
        change = content.read_change(item, form, act)
        file = _file(item, form)
    except Wrong as wrong:
        return _draft(request, who, item, 422, typed=form, wrong=wrong)
    until_ms = shown.day_start_ms(date.fromisoformat(text.until_day)) + _DAY_MS if text.until_day else 0
    if file is not None:
        files.put(_folder(request), form.content)

    def write(conn: Connection) -> bool:
        now = content_store.draft(conn, number)
        if now is None or str(now.changed_ms) != form.get("saved"):
            return False
        content_store.write(conn, now, text, until_ms, change, file, now_ms)
        return True

    if not request.app.state.db.write_now(write):
        return _draft(request, who, _draft_of(request, number), 409, typed=form, other=True)
    if file is not None:
        # Another draft may have thrown the same file away meanwhile.
        files.put(_folder(request), form.content)
    _forget_files(request, [change.without])
    return pages.to(f"/content/{number}/look" if act == "look" else f"/content/{number}", did="saved")


def _file(item: Item, form: Upload) -> File | None:
    """The file that was added; None for none. Raises Wrong."""
    if not form.content and not form.filename and not form.too_large:
        return None
    media_type = content.file_to_add(item, form.content, too_large=form.too_large)
    digest = hashlib.sha256(form.content).hexdigest()
    return File(digest, len(form.content), media_type, content.file_name(form.filename))


def _draft_of(request: Request, number: int) -> Item:
    found = _item(request, number)
    if found.published_ms is not None:
        raise HTTPException(409)
    return found


def _drop(request: Request, item: Item) -> Response:
    def write(conn: Connection) -> None:
        if content_store.draft(conn, item.id) is not None:
            content_store.drop(conn, item.id)

    request.app.state.db.write_now(write)
    _forget_files(request, [one.digest for one in item.files])
    return pages.to("/content", did="dropped")


def _forget_files(request: Request, digests: list[str]) -> None:
    """Takes files off the disk that no item has any more."""

    def forget(conn: Connection) -> None:
        # In the writer's turn: nobody takes the same file in meanwhile.
        for digest in filter(None, digests):
            if not content_store.is_kept(conn, digest):
                files.remove(_folder(request), digest)

    if any(digests):
        request.app.state.db.write_now(forget)


def _folder(request: Request) -> Path:
    return files.folder_of(Path(request.app.state.settings.state_dir))


@router.get("/content/{number}/files/{digest}")
def file(request: Request, who: Writer, number: Number, digest: str) -> Response:
    """A file of an item, as it is."""
    found = next((one for one in _item(request, number).files if one.digest == digest), None)
    path = files.path(_folder(request), digest) if found else None
    if found is None or path is None:
        raise HTTPException(404)
    # In the browser's own viewer; what it is was told by its first bytes, and nothing else is kept.
    name = quote(found.name or digest)
    return FileResponse(
        path, media_type=found.media_type, headers={"Content-Disposition": f"inline; filename*=utf-8''{name}"}
    )


# ---- publishing


@router.get("/content/{number}/look")
def look(request: Request, who: Writer, number: Number) -> Response:
    """A draft as the tablet will show it, to whom it will go, and the button that publishes it."""
    return _look(request, who, _item(request, number))


def _look(request: Request, who: Who, item: Item, status: int = 200, *, other: bool = False) -> Response:
    now_ms = pages.now_ms()
    lent = request.app.state.db.read(lambda conn: shelf_store.tablets(conn, now_ms))
    return pages.page(
        request,
        "content_look.html",
        who,
        status,
        item=item,
        title=terms_text.runs(item.title),
        blocks=terms_text.blocks(item.text),
        lacks=content.lacks(item),
        odd=content.odd_marks(item),
        tablets=[one for one in lent if item.is_for(one.district)],
        lent=len(lent),
        other=other,
    )


@router.post("/content/{number}/publish")
def publish(request: Request, who: Writer, number: Number, form: Act) -> Response:
    """Publishes what was looked at; `do=withdraw` takes back what was published."""
    item, now_ms = _item(request, number), pages.now_ms()
    act = form.get("do", "")
    if act == "withdraw" and item.published_ms is not None:
        return _withdraw(request, who, item)
    if act != "publish" or item.published_ms is not None or content.lacks(item):
        raise HTTPException(409)

    def write(conn: Connection) -> bool:
        now = content_store.draft(conn, number)
        if now is None or str(now.changed_ms) != form.get("looked"):
            return False
        content_store.publish(conn, number, who.person.name, now_ms)
        audit.note(conn, now_ms, who.person.name, "content_publish", item.name, item.title)
        return True

    if not request.app.state.db.write_now(write):
        return _look(request, who, _item(request, number), 409, other=True)
    return pages.to(f"/content/{number}", did="published")


def _withdraw(request: Request, who: Who, item: Item) -> Response:
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        now = content_store.item(conn, item.id)
        if now is not None and now.withdrawn_ms is None:
            content_store.withdraw(conn, item.id, who.person.name, now_ms)
            audit.note(conn, now_ms, who.person.name, "content_withdraw", item.name, item.title)

    request.app.state.db.write_now(write)
    return pages.to(f"/content/{item.id}", did="withdrawn")


@router.get("/content/{number}/answers.csv")
def answers(request: Request, who: Writer, number: Number) -> Response:
    """Every answer to a survey, one row a tablet."""
    item = _item(request, number)
    given = request.app.state.db.read(lambda conn: answer_store.given(conn, item.name))
    ja = pages.language_of(request) == "ja"
    head = ["タブレット", "貸与番号", "回答日時"] if ja else ["tablet", "loan number", "answered"]
    rows = (
        [
            one.device,
            one.number,
            f"{shown.moment(one.at_ms):%Y-%m-%d %H:%M}",
            *survey.cells(item.questions, one.answers),
        ]
        for one in given
    )
    return pages.table_file(f"survey-{item.id}.csv", [*head, *survey.table(item.questions)], rows)
