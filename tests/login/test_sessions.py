"""A session ends at its hour, unused, signed out, or with its person; open pages end with it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import msgspec
import pytest

from hub import pages, people
from hub.access import Role
from hub.live import Change
from tests.login.parts import PASSWORD, Browser, Town

HOUR_MS = 3_600_000
EVENTS = ("/devices/events", "/taps/events", "/today/events")


def test_a_session_grows_old_and_ends_at_its_hour(town: Town) -> None:
    number, now = town.add("hanako", "clerk"), pages.now_ms()
    token = town.write(lambda conn: people.begin_session(conn, number, now, 12))

    def holds(at_ms: int) -> tuple[bool, bool]:
        session = town.read(lambda conn: people.in_session(conn, token, at_ms))
        return session is not None, session is not None and session.stale

    assert holds(now) == (True, False)
    assert holds(now + 61_000) == (True, True)
    assert holds(now + 2 * HOUR_MS) == (False, False)
    for hour in range(1, 12):
        town.write(lambda conn, at=now + hour * HOUR_MS: people.seen(conn, token, at))  # type: ignore[misc]
        assert holds(now + hour * HOUR_MS)[0]
    assert holds(now + 12 * HOUR_MS - 1)[0]
    assert not holds(now + 12 * HOUR_MS)[0]


def test_a_page_counts_as_use_and_a_page_that_asks_by_itself_does_not(town: Town, admin: Browser) -> None:
    long_ago = pages.now_ms() - HOUR_MS // 3

    def seen_ms() -> int:
        return int(town.read(lambda conn: conn.execute("SELECT seen_ms FROM session").fetchone()[0]))

    town.write(lambda conn: conn.execute("UPDATE session SET seen_ms = ?", (long_ago,)))
    assert admin.signed_in()
    assert seen_ms() == long_ago
    admin.get("/settings")
    assert seen_ms() > long_ago
    town.write(lambda conn: conn.execute("UPDATE session SET seen_ms = ?", (long_ago - HOUR_MS // 3,)))
    assert not admin.signed_in()
    assert admin.get("/settings").status_code == 303


def test_signing_out_ends_this_session_only(town: Town, admin: Browser) -> None:
    other = Browser(town)
    other.sign_in("hanako")
    kept = admin.cookies["machinaka"]
    assert admin.send("/sign-out").headers["location"] == "/sign-in"
    assert "machinaka" not in admin.cookies
    # The cookie is worth nothing, should somebody have kept it.
    assert Browser(town).get("/session", cookie=f"machinaka={kept}").status_code == 401
    assert other.signed_in()
    assert town.did()[-1] == "sign_out"


def test_signing_out_everywhere_ends_them_all(town: Town, admin: Browser) -> None:
    other = Browser(town)
    other.sign_in("hanako")
    admin.send("/sign-out", {"everywhere": "yes"})
    assert not other.signed_in()
    assert town.did()[-1] == "sign_out_everywhere"


def test_a_new_password_ends_every_session(town: Town, admin: Browser) -> None:
    other, new = Browser(town), "another long sentence"
    other.sign_in("hanako")
    for now, password, sentence in (
        ("not this one", new, "いまのパスワードが違います"),
        (PASSWORD, "short", "8文字以上"),
        (PASSWORD, "hanako hanako hanako", "8文字以上"),
    ):
        answer = admin.send("/settings/password", {"now": now, "password": password})
        assert answer.status_code == 400
        assert sentence in answer.text
    assert other.signed_in()
    assert admin.send("/settings/password", {"now": PASSWORD, "password": new}).status_code == 303
    assert not admin.signed_in()
    assert not other.signed_in()
    assert Browser(town).sign_in("hanako").status_code == 401
    assert Browser(town).sign_in("hanako", new).status_code == 303
    assert town.did()[-4:] == ["password_failed", "password", "sign_in_failed", "sign_in"]


def test_whoever_is_disabled_is_out_at_once_and_that_can_be_undone(town: Town, admin: Browser) -> None:
    number, taro = town.add("taro", "clerk"), Browser(town)
    taro.sign_in("taro")
    done = admin.get(admin.send(f"/settings/people/{number}", {"do": "disable"}).headers["location"])
    assert "taro さんを使えなくしました。" in done.text
    assert "元に戻す" in done.text
    assert not taro.signed_in()
    assert taro.sign_in("taro").status_code == 401
    assert admin.send(f"/settings/people/{number}", {"do": "new_link"}).status_code == 400
    admin.send(f"/settings/people/{number}", {"do": "enable"})
    assert taro.sign_in("taro").status_code == 303
    assert town.did()[-4:] == ["disable", "sign_in_failed", "enable", "sign_in"]


def test_nobody_disables_themselves(town: Town, admin: Browser) -> None:
    answer = admin.send("/settings/people/1", {"do": "disable"})
    assert answer.status_code == 400
    assert "自分自身は使えなくできません。" in answer.text
    assert admin.signed_in()


def test_on_a_database_that_cannot_be_written_pages_are_still_read(town: Town, admin: Browser) -> None:
    town.write(lambda conn: conn.execute("UPDATE session SET seen_ms = seen_ms - 120000"))
    busy, done = threading.Event(), threading.Event()

    def hold(folder: str) -> None:
        import sqlite3

        other = sqlite3.connect(folder, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        busy.set()
        done.wait(60)
        other.execute("ROLLBACK")
        other.close()

    thread = threading.Thread(target=hold, args=(str(town.settings.database),))
    thread.start()
    busy.wait(30)
    try:
        assert admin.get("/devices").status_code == 200
    finally:
        done.set()
        thread.join()


class Open:
    """An open page's live part."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def event(self) -> str:
        """The next event's name and data."""
        found: list[str] = []
        for line in self._lines:
            if not line and found:
                return "\n".join(found)
            found += [line]
        raise EOFError

    def ends(self) -> bool:
        """Reads on until the hub ends it."""
        for _ in self._lines:
            pass
        return True


@contextmanager
def listening(browser: Browser, path: str) -> Iterator[Open]:
    """A live part, opened."""
    with browser.stream(path) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-security-policy" in answer.headers
        yield Open(answer)


def test_live_parts_need_a_session(town: Town) -> None:
    for path in EVENTS:
        answer = Browser(town).get(path, accept="text/event-stream")
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_open_pages_end_with_their_session(town: Town, admin: Browser) -> None:
    """Signed out everywhere, disabled, another password: the live parts of all three end."""
    numbers = [town.add(name, "clerk") for name in ("out", "left", "changed")]
    browsers = [Browser(town) for _ in numbers]
    for name, browser in zip(("out", "left", "changed"), browsers, strict=True):
        browser.sign_in(name)
    with ThreadPoolExecutor(3) as crowd:

        def watch(browser: Browser, path: str, opened: threading.Event) -> bool:
            with listening(browser, path) as page:
                assert page.event().startswith("event: ")
                opened.set()
                return page.ends()

        events = [threading.Event() for _ in browsers]
        ends = [crowd.submit(watch, *each) for each in zip(browsers, EVENTS, events, strict=True)]
        assert all(event.wait(30) for event in events)
        town.write(lambda conn: people.end_sessions(conn, numbers[0]))
        town.write(lambda conn: people.set_disabled(conn, numbers[1], disabled=True))
        town.write(lambda conn: people.set_password(conn, numbers[2], "x"))
        assert all(end.result(60) for end in ends)
    assert admin.signed_in()
    assert town.app.state.live.listeners == 0


def test_a_live_part_tells_of_changes_also_of_an_empty_list(town: Town, admin: Browser) -> None:
    with listening(admin, "/devices/events?q=nothing-like-this") as page:
        assert page.event() == "event: devices\ndata: "
        town.app.state.live.tell(Change(devices=frozenset({"terminal-1"})))
        assert page.event() == "event: devices\ndata: "


def test_when_too_many_pages_are_open_one_more_is_asked_to_come_later(town: Town, admin: Browser) -> None:
    town.app.state.live._limit = 0
    with listening(admin, "/taps/events") as page:
        assert page.event() == "retry: 30000"
        assert page.ends()


@pytest.mark.parametrize("path", EVENTS)
def test_a_hub_that_stops_ends_its_open_pages(town: Town, admin: Browser, path: str) -> None:
    with listening(admin, path) as page:
        page.event()
        town.app.state.stopping.set()
        town.app.state.live.tell(Change(taps=True))
        assert page.ends()


# ---- D6: how long a session lives, by a clock of its own


def test_d6_a_token_has_256_bits_and_is_new_at_each_sign_in(town: Town) -> None:
    town.add("taro", "clerk")
    browser, tokens = Browser(town), set()
    for _ in range(3):
        before = browser.cookies.get("machinaka")
        browser.sign_in("taro")
        token = browser.cookies["machinaka"].split(".")[0]
        assert len(token) == 43
        tokens.add(token)
        # The browser's session of before is worth nothing, should somebody have kept it.
        assert before is None or Browser(town).get("/session", cookie=f"machinaka={before}").status_code == 401
    assert len(tokens) == 3


def test_d6_a_token_that_was_planted_is_not_taken_over(town: Town) -> None:
    town.add("taro", "clerk")
    browser = Browser(town)
    planted = town.app.state.guard._signer.sign("planted").decode()
    answer = browser.post("/sign-in", {"name": "taro", "password": PASSWORD}, cookie=f"machinaka={planted}")
    assert answer.status_code == 303
    assert "planted" not in answer.headers["set-cookie"]
    assert Browser(town).get("/session", cookie=f"machinaka={planted}").status_code == 401


@pytest.mark.parametrize(
    ("role", "idle_ms"),
    [("administrator", HOUR_MS // 2), ("it", HOUR_MS // 2), ("clerk", 2 * HOUR_MS), ("auditor", 2 * HOUR_MS)],
)
def test_d6_who_can_change_the_fleet_is_out_after_half_an_hour(town: Town, role: Role, idle_ms: int) -> None:
    number, now = town.add("hanako", role), pages.now_ms()
    token = town.write(lambda conn: people.begin_session(conn, number, now, 12))

    def holds(at_ms: int) -> bool:
        return town.read(lambda conn: people.in_session(conn, token, at_ms)) is not None

    assert holds(now + idle_ms - 1)
    assert not holds(now + idle_ms)
    for step in range(1, 25):
        at_ms = now + step * (HOUR_MS // 2 - 1)
        assert holds(at_ms)
        town.write(lambda conn, at_ms=at_ms: people.seen(conn, token, at_ms))  # type: ignore[misc]
    assert not holds(now + 12 * HOUR_MS)


def test_d6_no_session_of_an_administrator_lives_longer_than_twelve_hours(town: Town) -> None:
    town.app.state.settings = msgspec.structs.replace(town.settings, session_hours=24)
    for name, role, hours in (("hanako", "administrator", 12), ("taro", "clerk", 24)):
        town.add(name, role)  # type: ignore[arg-type]
        assert Browser(town).sign_in(name).status_code == 303
        lives_ms = town.read(
            lambda conn, name=name: conn.execute(  # type: ignore[misc]
                "SELECT s.expires_ms - s.created_ms FROM session s JOIN person p ON p.id = person_id WHERE name = ?",
                (name,),
            ).fetchone()[0]
        )
        assert lives_ms == hours * HOUR_MS


def test_d6_disabling_a_person_ends_all_of_their_sessions_also_the_half_ones(town: Town, admin: Browser) -> None:
    number = town.add("jiro")
    browsers = [Browser(town) for _ in range(3)]
    for browser in browsers:
        browser.sign_in("jiro")
    half = Browser(town)
    half.half_sign_in("jiro")
    admin.send(f"/settings/people/{number}", {"do": "disable"})
    assert not any(browser.signed_in() for browser in browsers)
    assert half.get("/sign-in/code").headers["location"] == "/sign-in"
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM session").fetchone()[0]) == 1
