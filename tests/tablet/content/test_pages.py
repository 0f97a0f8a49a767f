"""The publishing page and the list of tablets, by a hub that serves: written, looked at, published, answered."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import pages
from hub.db import Connection
from hub.fleet import outbox
from hub.tablet import answer_store, content_store, files, shelf_store, shelf_task, tablet_store, ticket
from hub.told import Told
from tests.certificates import pki
from tests.login.parts import Browser, Town, running_town
from tests.roster.parts import certify
from wire.messages import Answer, ContentSeen, HelpAsk, TabletState
from wire.shelf import Allowance, unpack
from wire.tablet import Modem

PDF = b"%PDF-1.7\n" + b"x" * 3000
PNG = b"\x89PNG\r\n\x1a\n" + b"y" * 200
TABLET, OTHER = "tablet-1", "tablet-2"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with two lent tablets, one of them in 東町."""
    with running_town(tmp_path) as made:
        made.write(_people)
        for name in (TABLET, OTHER):
            certify(made.db, name, pki().identity(name), pages.now_ms())
        yield made


def _people(conn: Connection) -> None:
    for number, (name, who, district) in enumerate(((TABLET, "R-001", "東町"), (OTHER, "R-002", "西町")), 1):
        conn.execute(
            "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, 'tablet', 1, ?, 1)",
            (name, pages.now_ms()),
        )
        conn.execute(
            "INSERT INTO item (id, device_id, changed_ms) SELECT ?, id, 0 FROM device WHERE name = ?", (number, name)
        )
        conn.execute(
            "INSERT INTO loan (item_id, number, since, until, lent_by) "
            "VALUES (?, ?, '2026-04-01', '2027-03-31', 'sato')",
            (number, who),
        )
        conn.execute("INSERT INTO resident (number, district, changed_ms) VALUES (?, ?, 0)", (who, district))


@pytest.fixture
def clerk(town: Town) -> Browser:
    """Somebody who writes."""
    town.add("sato", "clerk")
    browser = Browser(town)
    browser.sign_in("sato")
    return browser


def send(clerk: Browser, number: int, /, *file: bytes, **fields: str) -> httpx.Response:
    """A draft's form as a browser sends it, with a file's name and bytes where one was chosen."""
    words = {"title": "雪のお知らせ", "text": "", "saved": saved(clerk, number), **fields}
    form: dict[str, object] = {"csrf": (None, clerk.csrf()), **{name: (None, text) for name, text in words.items()}}
    form["file"] = ("広報11月号.pdf", file[0]) if file else ("", b"")
    headers = {"origin": clerk._origin}
    return clerk._http.post(f"/content/{number}", files=form, headers=headers)  # type: ignore[arg-type]


def send_file(clerk: Browser, number: int, content: bytes) -> httpx.Response:
    """The form with a file chosen."""
    return send(clerk, number, content, do="file")


def begin(clerk: Browser, kind: str = "notice", title: str = "雪のお知らせ") -> int:
    """A draft's number."""
    answer = clerk.send("/content", {"kind": kind, "title": title})
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def saved(clerk: Browser, number: int) -> str:
    """The mark of a draft's last change, as its form carries it."""
    found = re.search(r'name="saved" value="(\d+)"', clerk.get(f"/content/{number}").text)
    return found[1] if found else ""


def write(clerk: Browser, number: int, **more: str) -> httpx.Response:
    """A draft's words."""
    return send(clerk, number, **{"text": "除雪《じょせつ》をします。", **more})


def publish(clerk: Browser, number: int) -> httpx.Response:
    """As the page after the look does it."""
    found = re.search(r'name="looked" value="(\d+)"', clerk.get(f"/content/{number}/look").text)
    assert found
    return clerk.send(f"/content/{number}/publish", {"do": "publish", "looked": found[1]})


def shelf_of(town: Town, name: str) -> list[str]:
    """The titles on a tablet's shelf, as it would be sent now."""
    import zlib

    key, now_ms = shelf_task.key(Path(town.settings.state_dir)), pages.now_ms()
    found = town.read(lambda conn: shelf_store.contents(conn, key, {}, now_ms))
    return [item.title for item in unpack(zlib.compress(found[_id(town, name)])).items]


def _id(town: Town, name: str) -> int:
    return int(town.read(lambda conn: conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone())[0])


def _told(town: Town, name: str, body: object) -> list[Told]:
    return [Told(_id(town, name), name, 1, pages.now_ms() - 1000, pages.now_ms(), body)]


def test_a_notice_is_written_looked_at_published_to_a_district_and_withdrawn(town: Town, clerk: Browser) -> None:
    number = begin(clerk)
    assert (
        write(clerk, number, districts="東町", urgent="yes", do="look")
        .headers["location"]
        .startswith(f"/content/{number}/look")
    )
    look = clerk.get(f"/content/{number}/look").text
    assert "<ruby>除雪" in look
    assert "1台に配信する" in look
    assert shelf_of(town, TABLET) == []
    assert publish(clerk, number).headers["location"].startswith(f"/content/{number}?did=published")
    assert (shelf_of(town, TABLET), shelf_of(town, OTHER)) == (["雪のお知らせ"], [])
    assert clerk.send(f"/content/{number}/publish", {"do": "withdraw"}).status_code == 303
    assert shelf_of(town, TABLET) == []
    assert town.did()[-2:] == ["content_publish", "content_withdraw"]
    assert "取り下げ" in clerk.get(f"/content/{number}").text


def test_what_is_published_is_what_was_looked_at(town: Town, clerk: Browser) -> None:
    number = begin(clerk)
    write(clerk, number)
    found = re.search(r'name="looked" value="(\d+)"', clerk.get(f"/content/{number}/look").text)
    assert found
    write(clerk, number, text="別の文")
    answer = clerk.send(f"/content/{number}/publish", {"do": "publish", "looked": found[1]})
    assert answer.status_code == 409
    assert "別の文" in answer.text
    assert shelf_of(town, TABLET) == []


def test_two_who_write_at_the_same_draft_do_not_overwrite_one_another(clerk: Browser) -> None:
    number = begin(clerk)
    before = saved(clerk, number)
    assert write(clerk, number, text="はじめの人").status_code == 303
    answer = write(clerk, number, text="あとの人", saved=before)
    assert answer.status_code == 409
    # What was typed is still there to be sent again.
    assert "あとの人" in answer.text
    assert "ほかの人がこの下書きを変更しました" in answer.text


def test_what_was_published_stays_as_it_was(town: Town, clerk: Browser) -> None:
    number = begin(clerk, "newsletter")
    assert send_file(clerk, number, PDF).status_code == 303
    publish(clerk, number)
    assert write(clerk, number).status_code == 409
    assert send_file(clerk, number, PNG).status_code == 409
    assert send(clerk, number, do="unfile-0").status_code == 409
    assert publish_again(clerk, number).status_code == 409
    for statement in (
        "UPDATE content_item SET title = 'x'",
        "DELETE FROM content_file",
        "INSERT INTO content_file VALUES (1, 9, 'x', 1, 'x', 'x')",
        "DELETE FROM content_item",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="stays as it was"):
            town.write(lambda conn, statement=statement: conn.execute(statement))  # type: ignore[misc]


def publish_again(clerk: Browser, number: int) -> httpx.Response:
    """A second press."""
    return clerk.send(f"/content/{number}/publish", {"do": "publish", "looked": "1"})


def test_files_are_taken_shown_and_thrown_away_with_the_draft(town: Town, clerk: Browser) -> None:
    folder = files.folder_of(Path(town.settings.state_dir))
    one, two = begin(clerk, "newsletter"), begin(clerk, "newsletter")
    for number in (one, two):
        assert send_file(clerk, number, PDF).status_code == 303
    assert send_file(clerk, one, PNG).status_code == 303
    digest = next(path.name for path in folder.iterdir() if path.read_bytes() == PDF)
    answer = clerk.get(f"/content/{one}/files/{digest}")
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["content-disposition"].startswith("inline")
    assert clerk.get(f"/content/{one}/files/{'0' * 64}").status_code == 404
    assert clerk.get(f"/content/{one}").text.count("広報11月号.pdf</a>") == 2
    send(clerk, one, do="unfile-0")
    # The other draft has it still.
    assert (folder / digest).exists()
    send(clerk, one, do="drop")
    assert clerk.get(f"/content/{one}").status_code == 404
    send(clerk, two, do="drop")
    assert list(folder.iterdir()) == []


def test_what_cannot_be_taken_is_said_in_one_sentence_and_changes_nothing(town: Town, clerk: Browser) -> None:
    assert clerk.send("/content", {"kind": "song", "title": "x"}).status_code == 422
    assert clerk.send("/content", {"kind": "notice", "title": " "}).status_code == 422
    number = begin(clerk)
    assert "PDF・JPEG・PNG・WebPではありません" in send_file(clerk, number, b"<html>").text
    assert send_file(clerk, number, b"").status_code == 422
    large = send_file(clerk, number, b"%PDF-" + bytes(30_200_000))
    assert (large.status_code, "30 MBより大きい" in large.text) == (422, True)
    assert write(clerk, number, until="2020-01-01").status_code == 422
    kept = send(clerk, begin(clerk, "survey"), do="ask", question="残る質問", way="one", text="残る文")
    # What was typed is still there.
    assert (kept.status_code, "残る質問" in kept.text, "残る文" in kept.text) == (422, True, True)
    assert send(clerk, number, colour="red").status_code == 400
    assert clerk.send(f"/content/{number}", {"title": "x"}).status_code == 415
    empty = clerk.get(f"/content/{number}/look").text
    assert "本文かファイルが必要です" in empty
    assert "台に配信する" not in empty
    found = re.search(r'name="looked" value="(\d+)"', empty)
    assert found
    assert clerk.send(f"/content/{number}/publish", {"do": "publish", "looked": found[1]}).status_code == 409
    assert shelf_of(town, TABLET) == []


def test_a_survey_is_asked_answered_and_counted(town: Town, clerk: Browser) -> None:
    number = begin(clerk, "survey", "バスのアンケート")
    for form in (
        {"question": "足りますか", "way": "one", "choices": "はい\nいいえ"},
        {"question": "ひとこと", "way": "words", "choices": ""},
        {"question": "消す質問", "way": "words", "choices": ""},
    ):
        assert send(clerk, number, do="ask", **form).status_code == 303
    assert "消す質問" in clerk.get(f"/content/{number}").text
    send(clerk, number, do="unask-2")
    assert "消す質問" not in clerk.get(f"/content/{number}").text
    publish(clerk, number)
    item = town.read(lambda conn: content_store.item(conn, number))
    assert item is not None
    assert [one.text for one in item.questions] == ["足りますか", "ひとこと"]
    for name, answers in (
        (TABLET, (("いいえ",), ("=1+1 多く",))),
        (OTHER, (("はい",), ())),
        (TABLET, (("はい",), ("=1+1",))),
    ):
        told = _told(town, name, Answer(item.name, answers))
        town.write(lambda conn, told=told: answer_store.take(conn, told))  # type: ignore[misc]
    page = clerk.get(f"/content/{number}").text
    assert "2 <small>100.0 %" in page
    assert "=1+1" in page
    assert "多く" not in page
    table = clerk.get(f"/content/{number}/answers.csv").text
    assert "R-001" in table
    # No cell begins a formula.
    assert "'=1+1" in table


def test_who_has_it_and_who_opened_it_is_shown(town: Town, clerk: Browser) -> None:
    number = begin(clerk)
    write(clerk, number)
    publish(clerk, number)
    item = town.read(lambda conn: content_store.item(conn, number))
    assert item is not None

    def seen(what: str, name: str = TABLET) -> tuple[int, ...]:
        told = _told(town, name, ContentSeen(item.name, what))  # type: ignore[arg-type]
        town.write(lambda conn: content_store.take(conn, told))
        found = town.read(lambda conn: content_store.seen(conn, item.name))[_id(town, name)]
        return (bool(found.fetched_ms), bool(found.opened_ms), bool(found.dropped_ms))

    assert seen("fetched") == (True, False, False)
    assert seen("opened") == (True, True, False)
    assert seen("dropped") == (False, True, True)
    assert seen("fetched") == (True, True, False)
    assert seen("fetched", OTHER) == (True, False, False)
    assert town.read(content_store.counts) == {item.name: (2, 1)}
    # What a tablet tells of an item that nobody wrote is kept nowhere.
    for body in (ContentSeen("f" * 32, "opened"), Answer("f" * 32, (("x",),))):
        keep = content_store.take if isinstance(body, ContentSeen) else answer_store.take
        town.write(lambda conn, keep=keep, body=body: keep(conn, _told_in(conn, TABLET, body)))  # type: ignore[misc]
    assert town.read(content_store.counts) == {item.name: (2, 1)}
    assert town.read(answer_store.counts) == {}
    assert "1 / 2" in clerk.get("/content").text


def test_the_lists_of_telephones_and_the_towns_name_reach_the_shelves(town: Town, clerk: Browser) -> None:
    bad = clerk.send("/content/telephones", {"town": "町", "telephones": "保健センター"})
    assert (bad.status_code, "1行目を" in bad.text, "保健センター" in bad.text) == (422, True, True)
    good = {"town": "モデル町役場", "telephones": "保健センター, 0123-45-6789"}
    assert clerk.send("/content/telephones", good).status_code == 303
    assert town.read(shelf_store.setting).name == "モデル町役場"
    assert "0123-45-6789" in clerk.get("/content/telephones").text
    assert town.did()[-1] == "tablet_numbers"


# ---- tablets


def test_the_list_of_tablets_tells_how_each_is_and_who_asks(town: Town, clerk: Browser) -> None:
    modem = Modem("wwan0", operator="docomo", technology="lte", signal_percent=62, roaming=True)
    state = TabletState(9, False, (modem,), "mobile", 1000, 2)
    town.write(lambda conn: tablet_store.take_states(conn, _told_in(conn, TABLET, state)))
    asked = HelpAsk("a" * 32, about="papers")
    town.write(lambda conn: tablet_store.take_asks(conn, _told_in(conn, TABLET, asked)))
    other = HelpAsk("b" * 32, about="tablet")
    town.write(lambda conn: tablet_store.take_asks(conn, _told_in(conn, OTHER, other)))
    town.app.state.line_allowances = lambda conn, now_ms: {1: Allowance("8981", 3_000_000_000, 1)}
    page = clerk.get("/tablets").text
    for words in (
        "相談を待っている人が2人",
        "手続きや書類",
        "R-001",
        "東町",
        "9 %",
        "62 %",
        "ローミング中",
        "残り 100.0 %（3.0 GB",
    ):
        assert words in page, words
    assert "タブレットから相談の依頼が2件" in clerk.get("/").text
    # Taken back by the resident, and seen to by an officer: each once.
    back = HelpAsk("b" * 32, "taken_back")
    town.write(lambda conn: tablet_store.take_asks(conn, _told_in(conn, OTHER, back)))
    town.write(lambda conn: tablet_store.take_asks(conn, _told_in(conn, OTHER, other)))
    assert clerk.send("/tablets/help", {"device": TABLET, "ask": "a" * 32}).status_code == 303
    assert clerk.send("/tablets/help", {"device": TABLET, "ask": "a" * 32}).status_code == 303
    assert town.did().count("help_seen") == 1
    page = clerk.get("/tablets").text
    assert "相談を待っている人" not in page
    assert "satoが対応" in page
    assert "本人が取り消し" in page
    assert clerk.send("/tablets/help", {"device": TABLET}).status_code == 400


def _told_in(conn: Connection, name: str, body: object) -> list[Told]:
    (id_,) = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
    return [Told(id_, name, 1, pages.now_ms() - 1000, pages.now_ms(), body)]


def test_the_live_part_is_sent(town: Town, clerk: Browser) -> None:
    with clerk.stream("/tablets/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: tablets"
        assert any(TABLET in next(lines) for _ in range(60))


# ---- the door for tablets


def _published(clerk: Browser, town: Town, content: bytes, districts: str = "") -> str:
    number = begin(clerk, "newsletter")
    send(clerk, number, content, districts=districts)
    publish(clerk, number)
    item = town.read(lambda conn: content_store.item(conn, number))
    assert item is not None
    return item.files[0].digest


def _ask(town: Town, digest: str, header: str, part: str = "") -> httpx.Response:
    headers = {b"authorization": header.encode()} | ({b"range": part.encode()} if part else {})
    return httpx.get(f"{town.url}/tablet/files/{digest}", headers=headers)


def test_a_tablet_gets_the_files_of_its_own_shelf_and_nothing_else(town: Town, clerk: Browser) -> None:
    key, names = shelf_task.key(Path(town.settings.state_dir)), town.read(_key_names)
    mine, theirs = (f"Bearer {ticket.make(key, name, names[name])}" for name in (TABLET, OTHER))
    digest = _published(clerk, town, PDF, "東町")
    everybody = _published(clerk, town, PNG)
    answer = _ask(town, digest, mine)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PDF, "application/pdf")
    part = _ask(town, digest, mine, "bytes=1000-")
    assert (part.status_code, part.content) == (206, PDF[1000:])
    assert part.headers["content-range"] == f"bytes 1000-{len(PDF) - 1}/{len(PDF)}"
    assert _ask(town, digest, mine, f"bytes={len(PDF)}-").status_code == 416
    assert _ask(town, everybody, theirs).content == PNG
    refused = [
        theirs,
        "",
        mine[:-1],
        mine.replace("Bearer", "Basic"),
        "Bearer tablet-1.",
        "Bearer nobody.abc",
        "Bearer é",
    ]
    for header in refused:
        answer = _ask(town, digest, header)
        assert answer.status_code == 404, header
    for odd in ("0" * 64, "..%2Fsession.key", digest[:-1], "A" * 64):
        assert _ask(town, odd, mine).status_code in (400, 404)


def _key_names(conn: Connection) -> dict[str, str]:
    return dict(
        conn.execute("SELECT d.name, c.key_name FROM device d JOIN certificate c ON c.device_id = d.id").fetchall()
    )


def test_a_ticket_ends_with_the_loan_of_trust(town: Town, clerk: Browser) -> None:
    key, names = shelf_task.key(Path(town.settings.state_dir)), town.read(_key_names)
    header = f"Bearer {ticket.make(key, TABLET, names[TABLET])}"
    digest = _published(clerk, town, PDF)
    id_ = _id(town, TABLET)
    assert _ask(town, digest, header).status_code == 200
    town.write(lambda conn: outbox.hold(conn, id_, "stolen", 1, "sato"))
    assert _ask(town, digest, header).status_code == 404
    town.write(lambda conn: outbox.release(conn, id_))
    assert _ask(town, digest, header).status_code == 200
    town.write(lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1 WHERE device_id = ?", (id_,)))
    assert _ask(town, digest, header).status_code == 404


def test_a_withdrawn_items_file_is_given_no_more(town: Town, clerk: Browser) -> None:
    key, names = shelf_task.key(Path(town.settings.state_dir)), town.read(_key_names)
    header = f"Bearer {ticket.make(key, TABLET, names[TABLET])}"
    digest = _published(clerk, town, PDF)
    assert _ask(town, digest, header).status_code == 200
    clerk.send("/content/1/publish", {"do": "withdraw"})
    assert _ask(town, digest, header).status_code == 404
