"""Giving orders on pages: whom to, what will happen, what became of it."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import pages
from hub.db import Connection
from hub.fleet import outbox
from hub.orders import store
from hub.told import Told
from tests.login.parts import Browser, Town, running_town
from wire import codec
from wire.messages import Bundle, Order, Result

DEVICES = (("genkan-1", "terminal"), ("kominkan-1", "terminal"), ("toshokan-ap", "access_point"))


def _fill(conn: Connection) -> None:
    for name, kind in DEVICES:
        conn.execute(
            "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
            "VALUES (?, ?, 0, ?, 0, 'b', 1, '')",
            (name, kind, pages.now_ms()),
        )


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with three devices that are away."""
    with running_town(tmp_path) as running:
        running.write(_fill)
        yield running


@pytest.fixture
def it(town: Town) -> Browser:
    """An IT officer, signed in."""
    town.add("hanako", "it")
    browser = Browser(town)
    assert browser.sign_in("hanako").status_code == 303
    return browser


def _latest(town: Town) -> list[store.OrderRow]:
    return town.read(lambda conn: store.latest(conn, pages.now_ms(), 100))


def _waiting(town: Town) -> list[Order]:
    rows = town.read(
        lambda conn: conn.execute("SELECT message FROM outbox WHERE what = 'order' ORDER BY id").fetchall()
    )
    found = [codec.decode_down(message) for (message,) in rows]
    assert all(isinstance(one, Order) for one in found)
    return found  # type: ignore[return-value]


def test_what_can_be_undone_just_happens_and_can_be_taken_back(town: Town, it: Browser) -> None:
    answer = it.send("/orders", {"device": "genkan-1", "order": "identify"})
    (row,) = _latest(town)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{row.id}")
    assert [one.id for one in _waiting(town)] == [row.id]
    assert "預かり" in it.get(f"/orders/{row.id}").text
    assert it.send(f"/orders/{row.id}/withdraw").headers["location"] == f"/orders/{row.id}"
    assert _waiting(town) == []
    assert "取りやめました" in it.get(f"/orders/{row.id}").text
    assert "too_late" in it.send(f"/orders/{row.id}/withdraw").headers["location"]
    assert "取りやめられません" in it.get(f"/orders/{row.id}?too_late=1").text
    assert town.did()[-2:] == ["order", "withdraw"]


@pytest.mark.parametrize(
    ("order", "says"), [("reboot", "再起動し"), ("lock", "ロックを解くまで"), ("wipe", "元に戻せません")]
)
def test_what_cannot_be_undone_is_asked_once(town: Town, it: Browser, order: str, says: str) -> None:
    asked = it.send("/orders", {"device": "genkan-1", "order": order})
    assert asked.status_code == 200
    assert says in asked.text
    assert _latest(town) == []
    form = {"device": "genkan-1", "order": order, "confirm": "1", "contact": "内線 5", "at_once": "yes"}
    assert it.send("/orders", form).status_code == 303
    (given,) = _waiting(town)
    assert given.name == order
    assert given.arguments == {"reboot": {}, "lock": {"contact": "内線 5"}, "wipe": {"at_once": True}}[order]


@pytest.mark.parametrize(
    ("form", "code", "says"),
    [
        ({"device": "genkan-1", "order": "dance"}, 409, "そのような指示はありません"),
        ({"device": "toshokan-ap", "order": "lock"}, 409, "この種類の端末では使えない"),
        ({"device": "genkan-1", "order": "restart", "process": "; rm"}, 409, "内容が正しくありません"),
        ({"device": "genkan-1", "order": "lock", "contact": "x" * 41, "confirm": "1"}, 409, "内容が正しくありません"),
        ({"device": "nowhere", "order": "ping"}, 404, ""),
        ({"order": "wipe", "confirm": "3"}, 409, "そのような指示はありません"),
        ({}, 409, "そのような指示はありません"),
    ],
)
def test_what_cannot_be_ordered(town: Town, it: Browser, form: dict[str, str], code: int, says: str) -> None:
    answer = it.send("/orders", form)
    assert (answer.status_code, says in answer.text) == (code, True)
    assert (_latest(town), _waiting(town)) == ([], [])


def test_several_at_once_are_counted_first(town: Town, it: Browser) -> None:
    assert "3台" in it.get("/orders/new").text
    assert "2台" in it.get("/orders/new?kind=terminal").text
    asked = it.send("/orders", {"q": "", "order": "lock"})
    assert asked.status_code == 200
    assert all(words in asked.text for words in ("対象は2台です", "1台には出しません", "genkan-1", "kominkan-1"))
    assert _latest(town) == []
    # Another device came meanwhile: the count is asked again.
    again = it.send("/orders", {"q": "", "order": "lock", "confirm": "1"})
    assert "対象が変わりました" in again.text
    done = it.send("/orders", {"q": "", "order": "lock", "confirm": "2"})
    assert done.headers["location"] == "/orders?given=lock&n=2"
    assert "「端末をロック」を2台に指示しました" in it.get("/orders?given=lock&n=2").text
    assert sorted(row.device for row in _latest(town)) == ["genkan-1", "kominkan-1"]
    # What harms nobody is counted too, when it goes to several.
    assert it.send("/orders", {"q": "kominkan", "order": "ping"}).status_code == 200


def test_a_device_on_hold_is_left_out(town: Town, it: Browser) -> None:
    def hold(conn: Connection) -> None:
        outbox.hold(conn, 1, "clone", pages.now_ms(), "system")

    town.write(hold)
    assert it.send("/orders", {"device": "genkan-1", "order": "ping"}).status_code == 409
    assert "2台には出しません" in it.send("/orders", {"q": "", "order": "lock"}).text
    assert "指示は出せません" in it.get("/devices/genkan-1").text


def test_steps_results_and_files_are_shown(town: Town, it: Browser) -> None:
    it.send("/orders", {"device": "genkan-1", "order": "diagnostics"})
    (row,) = _latest(town)

    def tell(body: Result | Bundle) -> None:
        take = store.take_results if isinstance(body, Result) else store.take_bundles
        town.write(lambda conn: take(conn, [Told(1, "genkan-1", 1, 0, pages.now_ms(), body)]))

    tell(Result(row.id, "delivered"))
    assert "到達" in it.get("/orders").text
    tell(Bundle(row.id, 0, 2, base64.b64encode(b"one").decode()))
    assert "1 / 2 を受け取りました" in it.get(f"/orders/{row.id}").text
    assert it.get(f"/orders/{row.id}/bundle").status_code == 404
    tell(Bundle(row.id, 1, 2, base64.b64encode(b"two").decode()))
    tell(Result(row.id, "done", "parts: <b>2</b>"))
    page = it.get(f"/orders/{row.id}").text
    assert "完了" in page
    assert "&lt;b&gt;2" in page
    assert "<b>2" not in page
    file = it.get(f"/orders/{row.id}/bundle")
    assert (file.content, file.headers["content-type"]) == (b"onetwo", "application/gzip")
    assert re.search(r'filename="genkan-1-[0-9a-f]{8}\.tar\.gz"', file.headers["content-disposition"])
    assert "受け取る (6 B)" in it.get("/devices/genkan-1").text
    it.get("/language/en?next=/")
    assert "Download (6 B)" in it.get("/orders").text


def test_live_parts_tell_of_a_step(town: Town, it: Browser) -> None:
    it.send("/orders", {"device": "genkan-1", "order": "ping"})
    (row,) = _latest(town)
    for path, event in (("/orders/events", "orders"), (f"/orders/{row.id}/events", "order")):
        with it.stream(path) as answer:
            lines = answer.iter_lines()
            assert next(lines) == f"event: {event}"
    assert it.get(f"/orders/{'0' * 32}/events").status_code == 404
    assert it.get("/orders/xyz").status_code == 400


def test_who_may_not_order_sees_no_buttons(town: Town, it: Browser) -> None:
    town.add("taro", "clerk")
    clerk = Browser(town)
    clerk.sign_in("taro")
    assert 'action="/orders"' in it.get("/devices/genkan-1").text
    page = clerk.get("/devices/genkan-1").text
    assert 'action="/orders"' not in page
    assert "盗難" not in page
    assert "/orders/new" not in clerk.get("/devices").text
