"""Pages of the terms: what guests see now, the draft of the next version, what was published before.

1. Everybody who may look at the Wi-Fi sees every version; only `wifi_rules` changes the draft and publishes it.
2. A version is published after a look at every language; what is published is what was looked at (a digest says so).
3. What was published is never changed: a mistake is put right by another version.
"""

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.wifi import certificate, keys, kit_store, kit_task, terms, terms_store
from hub.wifi.certificate import Portal
from hub.wifi.keys import BadKey
from hub.wifi.terms import LANGUAGES, Finding, Operator
from hub.wifi.terms_store import Draft, Texts
from wire import terms_text
from wire.ca_folder import BadFolder
from wire.kit import Terms
from wire.messages import TermsLanguage

router = APIRouter()

_DAY_MS = 86_400_000
_OPERATOR = ("name", "reading", "latin", "contact")
Seer = Annotated[Who, Depends(need("wifi"))]
Ruler = Annotated[Who, Depends(need("wifi_rules"))]
Begin = Annotated[dict[str, str], Depends(fields("of", *_OPERATOR))]
Edit = Annotated[dict[str, str], Depends(fields("text", "do", "saved"))]
Publish = Annotated[dict[str, str], Depends(fields("do", "looked"))]
Did = Annotated[str, Query(max_length=20)]


@router.get("/wifi/terms")
def overview(request: Request, who: Seer, day: str = "", did: Did = "") -> Response:
    """What guests see, who has it, with which certificate; the draft, and every version there was."""
    asked = _day(day)

    def gather(conn: Connection) -> dict[str, Any]:
        from_ms = shown.day_start_ms(asked) if asked else 0
        return {
            "now": terms_store.current(conn),
            "history": terms_store.history(conn),
            "draft": terms_store.draft(conn),
            "standings": kit_store.standings(conn),
            "kit_error": kit_store.error(conn),
            "days": terms_store.keep_days(conn),
            "seen": terms_store.seen_between(conn, from_ms, from_ms + _DAY_MS) if asked else [],
        }

    found = request.app.state.db.read(gather)
    portal, warning = _portal(request)
    values: dict[str, Any] = {
        "day": day[:10],
        "asked": asked,
        "did": did,
        "names": terms.NAMES,
        "portal": portal,
        "warning": warning,
    }
    return pages.page(request, "wifi_terms.html", who, host=_host(request), **values, **found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _host(request: Request) -> str:
    host: str = request.app.state.settings.wifi.portal_host
    return host


def _portal(request: Request) -> tuple[Portal | None, str]:
    """The portal's certificate, and the word for what somebody should know of it."""
    settings = request.app.state.settings
    folder, now_ms = keys.folder_of(Path(settings.state_dir)), pages.now_ms()
    found = certificate.current(folder, settings.wifi.portal_host, now_ms)
    brought = certificate.brought(folder, settings.wifi.portal_host)
    if brought is not None and brought.end_ms <= now_ms:
        return found, "ended"
    if found is None:
        return None, "none"
    if not found.brought:
        return found, "own"
    return found, "soon" if now_ms >= found.ends_soon_at_ms else ""


@router.get("/wifi/terms/versions/{name}")
def one(request: Request, who: Seer, name: str, language: TermsLanguage = "ja") -> Response:
    """A version as its guests saw it, in one language."""
    found = request.app.state.db.read(lambda conn: terms_store.published(conn, name))
    if found is None:
        raise HTTPException(404)
    return _show(request, who, found, language)


def _show(request: Request, who: Who, found: Terms, language: TermsLanguage) -> Response:
    blocks = terms_text.blocks(found.texts.get(language, ""))
    values: dict[str, Any] = {
        "terms": found,
        "shown": language,
        "languages": LANGUAGES,
        "names": terms.NAMES,
        "tags": terms.TAGS,
    }
    return pages.page(request, "wifi_terms_one.html", who, blocks=blocks, **values)


# ---- the draft


@router.get("/wifi/terms/draft")
def draft(request: Request, who: Ruler, did: Did = "") -> Response:
    """The draft: what is wrong with each language; without one, how it begins."""

    def gather(conn: Connection) -> dict[str, Any]:
        found = terms_store.draft(conn)
        return {"draft": found, "now": terms_store.current(conn), "days": terms_store.keep_days(conn)}

    return _draft(request, who, request.app.state.db.read(gather), did=did)


def _draft(request: Request, who: Who, found: dict[str, Any], status: int = 200, **more: Any) -> Response:
    kept: Draft | None = found["draft"]
    problems = _by_language(kept.texts) if kept else {}
    hinders = any(one.hinders for some in problems.values() for one in some)
    values = {"did": "", "wrong": [], "typed": {}, "room": None, **more}
    return pages.page(
        request,
        "wifi_terms_draft.html",
        who,
        status,
        languages=LANGUAGES,
        names=terms.NAMES,
        problems=problems,
        hinders=hinders,
        **values,
        **found,
    )


def _by_language(texts: Texts) -> dict[TermsLanguage, list[Finding]]:
    found: dict[TermsLanguage, list[Finding]] = {language: [] for language in LANGUAGES}
    for one in terms.findings(texts):
        found[one.language].append(one)
    return found


@router.post("/wifi/terms/draft")
def begin(request: Request, who: Ruler, form: Begin) -> Response:
    """Begins a draft: of what guests see now, or of the texts that come with the program, with the town's name."""
    values = {name: form.get(name, "").strip() for name in _OPERATOR}
    wrong = _wrong(values) if form.get("of") == "shipped" else []
    now_ms = pages.now_ms()

    def write(conn: Connection) -> bool:
        if terms_store.draft(conn) is not None:
            return False
        if form.get("of") == "shipped":
            texts = terms.filled(terms_store.shipped_texts(), Operator(**values), terms_store.keep_days(conn))
        else:
            texts = dict(terms_store.current(conn).texts)
        terms_store.save_draft(conn, texts, who.person.name, now_ms)
        audit.note(conn, now_ms, who.person.name, "terms_draft", "", form.get("of", "")[:20])
        return True

    if wrong:
        none = {"draft": None, "now": request.app.state.db.read(terms_store.current), "days": 0}
        return _draft(request, who, none, 422, wrong=wrong, typed=values)
    request.app.state.db.write_now(write)
    return pages.to("/wifi/terms/draft", did="begun")


def _wrong(values: dict[str, str]) -> list[str]:
    """The fields that are not as they should be: a name, how it is read in kana, and a name in Latin letters."""
    wrong = [name for name in ("name", "latin", "contact") if not 0 < len(values[name]) <= terms.LONGEST_FIELD]
    if terms.with_furigana(values["name"], values["reading"]) is None:
        wrong.append("reading")
    return wrong


@router.get("/wifi/terms/draft/{language}")
def edit(request: Request, who: Ruler, language: TermsLanguage) -> Response:
    """One language of the draft, and how guests would see it."""
    found = request.app.state.db.read(terms_store.draft)
    if found is None:
        return pages.to("/wifi/terms/draft")
    return _edit(request, who, language, found.texts.get(language, ""), found)


def _edit(
    request: Request,
    who: Who,
    language: TermsLanguage,
    text: str,
    kept: Draft,
    status: int = 200,
    *,
    other: bool = False,
) -> Response:
    return pages.page(
        request,
        "wifi_terms_edit.html",
        who,
        status,
        shown=language,
        languages=LANGUAGES,
        names=terms.NAMES,
        tag=terms.TAGS[language],
        text=text,
        longest=terms.LONGEST,
        saved=kept.saved_ms,
        blocks=terms_text.blocks(text),
        problems=_by_language({**kept.texts, language: text})[language],
        other=other,
        saved_by=kept.saved_by,
    )


@router.post("/wifi/terms/draft/{language}")
def save(request: Request, who: Ruler, language: TermsLanguage, form: Edit) -> Response:
    """Shows how a text would look; with `do=save` it is kept, unless somebody else has changed the draft meanwhile."""
    text = terms.tidy(form.get("text", ""))
    now_ms = pages.now_ms()

    def write(conn: Connection) -> Draft | None:
        found = terms_store.draft(conn)
        if found is None or str(found.saved_ms) != form.get("saved"):
            return found
        # Later than the one before, whatever the clock says: it is what the next form is told apart by.
        at_ms = max(now_ms, found.saved_ms + 1)
        terms_store.save_draft(conn, {**found.texts, language: text}, who.person.name, at_ms)
        audit.note(conn, now_ms, who.person.name, "terms_draft", language)
        return terms_store.draft(conn)

    before = request.app.state.db.read(terms_store.draft)
    if before is None:
        return pages.to("/wifi/terms/draft")
    if form.get("do") != "save":
        return _edit(request, who, language, text, before)
    after = request.app.state.db.write_now(write)
    if after is None:
        return pages.to("/wifi/terms/draft")
    if after.texts.get(language) != text or str(before.saved_ms) != form.get("saved"):
        return _edit(request, who, language, text, after, 409, other=True)
    return pages.to("/wifi/terms/draft", did="saved")


# ---- publishing


@router.post("/wifi/terms/publish")
def publish(request: Request, who: Ruler, form: Publish) -> Response:
    """Asks once; with `do=publish` and the digest of what was looked at, the draft becomes a version. `do=drop` throws
    it away, asked once too."""
    found = request.app.state.db.read(terms_store.draft)
    if found is None:
        return pages.to("/wifi/terms/draft")
    act, digest = form.get("do", ""), _digest(found)
    if act in ("publish", "drop") and form.get("looked") == digest:
        return _publish(request, who, digest) if act == "publish" else _drop(request, who, digest)
    if act not in ("ask_drop", "drop") and any(one.hinders for one in terms.findings(found.texts)):
        return pages.to("/wifi/terms/draft")
    if act not in ("ask_drop", "drop") and (room := _does_not_fit(request, found)) is not None:
        values = {"draft": found, "now": request.app.state.db.read(terms_store.current), "days": 0}
        return _draft(request, who, values, 422, room=room)
    standings = request.app.state.db.read(kit_store.standings)
    sure = "drop" if act in ("ask_drop", "drop") else "publish"
    return pages.page(request, "wifi_terms_sure.html", who, sure=sure, looked=digest, points=len(standings))


def _digest(found: Draft) -> str:
    return hashlib.sha256(msgspec.json.encode(found.texts, order="sorted")).hexdigest()


def _does_not_fit(request: Request, found: Draft) -> int | None:
    """0 when kits would be larger than a message with these texts; None when they fit, or cannot be made at all."""
    try:
        files = kit_task.read_files(request.app.state.settings, pages.now_ms())
    except (BadKey, BadFolder, OSError):
        return None
    wanted = Terms("9999-12-31-99", found.texts)
    room: int | None = request.app.state.db.read(
        lambda conn: kit_store.overfull(conn, files, pages.now_ms(), terms=wanted)
    )
    return room


def _publish(request: Request, who: Who, digest: str) -> Response:
    now_ms = pages.now_ms()

    def write(conn: Connection) -> str:
        found = terms_store.draft(conn)
        if found is None or _digest(found) != digest or any(one.hinders for one in terms.findings(found.texts)):
            return ""
        version = terms.version_name(shown.day_of(now_ms), terms_store.versions(conn))
        terms_store.publish_draft(conn, version, who.person.name, now_ms)
        kit_store.touch(conn)
        audit.note(conn, now_ms, who.person.name, "terms_publish", version, digest[:16])
        return version

    version = request.app.state.db.write_now(write)
    return pages.to("/wifi/terms", did="published") if version else pages.to("/wifi/terms/draft")


def _drop(request: Request, who: Who, digest: str) -> Response:
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        found = terms_store.draft(conn)
        if found is not None and _digest(found) == digest:
            terms_store.drop_draft(conn)
            audit.note(conn, now_ms, who.person.name, "terms_draft_dropped")

    request.app.state.db.write_now(write)
    return pages.to("/wifi/terms", did="dropped")
