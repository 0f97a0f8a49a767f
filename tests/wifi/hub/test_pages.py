"""Pages of the Wi-Fi: how each access point is, ending a session, what a month was used for, and what is hidden."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from openpyxl import load_workbook

from hub import pages, shown
from hub.db import Connection
from hub.told import Told
from hub.wifi import purge_store, session_store, state_store, usage_store
from hub.wifi.retention import Setting
from tests.login.parts import Browser, Town, running_town
from wire.messages import Network, SelfCheck, WifiSession, WifiState

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
GUEST = "deadbeef" * 4
SESSION = "feedface" * 4
NOW_MS = pages.now_ms()
MONTH = shown.day_of(NOW_MS)[:7]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    with running_town(folder) as town:
        town.add("hanako", "administrator")
        town.add("taro", "auditor")
        yield town


@pytest.fixture
def admin(town: Town) -> Browser:
    browser = Browser(town)
    browser.sign_in("hanako")
    return browser


@pytest.fixture(scope="module")
def filled(town: Town) -> Town:
    """Two access points: one with an open session and a check that failed, one that is silent."""
    town.write(_fill)
    return town


def _fill(conn: Connection) -> None:
    for device_id, name, place, online in ((1, "hall-ap", "役場", 1), (2, "library-ap", "図書館", 0)):
        conn.execute(
            "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
            "VALUES (?, ?, 'access_point', 0, ?, ?, 'b', 1, '')",
            (device_id, name, NOW_MS, online),
        )
        conn.execute(
            "INSERT INTO item (kind, device_id, place, changed_ms) VALUES ('access_point', ?, ?, 0)", (device_id, place)
        )
    state = WifiState(
        "normal",
        (Network("Town<Free>", True, "owe", 3, 36, 412),),
        2,
        1,
        "htb",
        ("hostapd", "unheard_of"),
        (SelfCheck("isolation", ok=False, at_ms=NOW_MS),),
        "2026-11-01",
        3,
    )
    told = [_told(1, state), _told(2, WifiState("closed"))]
    state_store.take(conn, told)
    session_store.take_records(
        conn, [_told(1, session(1, 1, SESSION, GUEST)), _told(1, session(2, 1, "1" * 32, "1" * 32))]
    )


def _told(device_id: int, body: msgspec.Struct) -> Told:
    return Told(device_id, "hall-ap", 1, NOW_MS - 1000, NOW_MS, body, "b")


def session(number: int, mb: int, name: str, guest: str, *, began_ms: int = NOW_MS - 10 * MINUTE_MS) -> WifiSession:
    """A session that goes on."""
    day = shown.day_of(began_ms)
    flowed = mb * 1_000_000
    last_ms = min(began_ms + 5 * MINUTE_MS, NOW_MS)
    return WifiSession(
        name, "b", number, began_ms, last_ms, flowed, flowed, guest, day, network="Town", ends_ms=NOW_MS + HOUR_MS
    )


def test_without_an_access_point_the_page_says_what_to_do(tmp_path: Path) -> None:
    with running_town(tmp_path) as town:
        town.add("hanako", "administrator")
        browser = Browser(town)
        browser.sign_in("hanako")
        page = browser.get("/wifi").text
        assert "アクセスポイントはまだありません。" in page
        assert 'href="/devices/enrol"' in page
        usage = browser.get("/wifi/usage").text
        assert "この月の記録はありません。" in usage
        assert "Wi-Fiの接続" not in browser.get("/").text


def test_each_access_point_is_shown_as_it_is(filled: Town, admin: Browser) -> None:
    page = admin.get("/wifi").text
    assert "電波(hostapd)が動いていません" in page
    assert "unheard_of" in page
    assert "端末どうしの通信の遮断: 不良" in page
    assert "Town&lt;Free&gt;" in page
    assert "41.2 %" in page
    assert re.search(r"いまの接続</dt><dd>2</dd>", page)
    assert (
        re.search(r"今日の接続</dt><dd>2</dd>", page)
        or shown.moment(NOW_MS).minute + shown.moment(NOW_MS).hour * 60 < 10
    )
    assert 'id="point-library-ap"' in page
    assert re.search(r'id="wifi-now" href="/wifi">2</a>', admin.get("/").text)
    with admin.stream("/wifi/events") as events:
        first = next(one for one in events.iter_text() if "hall-ap" in one)
    assert first.startswith("event: wifi")


def test_nobody_is_recognised_on_a_page(filled: Town, admin: Browser) -> None:
    for path in ("/wifi", "/wifi/points/hall-ap", "/wifi/usage", "/wifi/usage.csv", "/wifi/usage.csv?by=hour"):
        page = admin.get(path).text
        assert GUEST not in page, path
        assert SESSION not in page, path
    auditor = Browser(filled)
    auditor.sign_in("taro")
    assert "いまの接続" in auditor.get("/wifi/points/hall-ap").text
    assert "終わらせる" not in auditor.get("/wifi/points/hall-ap").text


def test_a_session_is_ended_by_an_order_that_is_asked_about_once(filled: Town, admin: Browser) -> None:
    page = admin.get("/wifi/points/hall-ap").text
    found = re.findall(r'name="number" value="(\d+)"', page)
    assert len(found) == 2
    (number,) = filled.read(
        lambda conn: conn.execute("SELECT id FROM wifi_session WHERE session = ?", (SESSION,)).fetchone()
    )
    asked = admin.send("/wifi/points/hall-ap/end", {"number": str(number)})
    assert asked.status_code == 200
    assert filled.read(lambda conn: conn.execute("SELECT count(*) FROM device_order").fetchone()[0]) == 0
    given = admin.send("/wifi/points/hall-ap/end", {"number": str(number), "confirm": "yes"})
    assert (given.status_code, given.headers["location"][:8]) == (303, "/orders/")
    order = filled.read(lambda conn: conn.execute("SELECT name, arguments FROM device_order").fetchone())
    assert order == ("wifi_end", f'{{"session":"{SESSION}"}}')
    assert filled.did()[-1] == "order"
    assert "終わらせる指示を送っています" in admin.get("/wifi/points/hall-ap").text
    # One of another access point, one that is over, and what is no number.
    assert admin.send("/wifi/points/library-ap/end", {"number": str(number)}).headers["location"].endswith("?over=1")
    assert "その接続はもう終わっています。" in admin.get("/wifi/points/library-ap?over=1").text
    assert admin.send("/wifi/points/hall-ap/end", {"number": "-1"}).status_code == 400
    assert admin.send("/wifi/points/nowhere/end", {"number": "1"}).status_code == 404


@pytest.mark.parametrize("day", ["2026-13-01", "x", "9999999-01-01", "0001-01-01"])
def test_days_that_are_none_and_days_of_old(filled: Town, admin: Browser, day: str) -> None:
    assert admin.get(f"/wifi/points/hall-ap?day={day}").status_code in (200, 400)


@pytest.mark.parametrize("month", ["2026-13", "x", "1999-01", "2026-1"])
def test_a_month_that_is_none_is_refused(filled: Town, admin: Browser, month: str) -> None:
    assert admin.get(f"/wifi/usage?month={month}").status_code == 400
    assert admin.get(f"/wifi/usage.csv?month={month}").status_code == 400


def test_a_month_is_shown_and_few_are_hidden(tmp_path: Path) -> None:
    with running_town(tmp_path) as town:
        town.add("hanako", "administrator")
        first_ms, _ = usage_store.span_ms("2026-10")
        at_ms = first_ms + 10 * HOUR_MS

        def fill(conn: Connection) -> None:
            conn.execute("INSERT INTO item (kind, device_id, place, changed_ms) VALUES ('access_point', 1, '役場', 0)")
            conn.execute(
                "INSERT INTO item (kind, device_id, place, changed_ms) VALUES ('access_point', 2, '図書館', 0)"
            )
            some = [(1, f"{n:032x}", n, at_ms) for n in range(7)]
            # On the second day seven sessions are of two devices only.
            some += [(1, f"{100 + n:032x}", n % 2, at_ms + 24 * HOUR_MS) for n in range(7)]
            some += [(2, f"{200 + n:032x}", n, at_ms) for n in range(3)]
            session_store.take_records(
                conn,
                [_told(by, session(1, 3, name, f"{guest:032x}", began_ms=began)) for by, name, guest, began in some],
            )
            usage_store.count(conn, usage_store.uncounted(conn, 0))

        town.write(fill)
        browser = Browser(town)
        browser.sign_in("hanako")
        one = browser.get("/wifi/usage?month=2026-10&place=役場").text
        rows = dict(re.findall(r'<th scope="row" class="date">(2026年10月\d+日)</th>(.*?)</tr>', one))
        assert _cells(rows["2026年10月1日"]) == ["7", "7", "0", "42.0 MB"]
        assert _cells(rows["2026年10月2日"]) == ["5未満"]
        assert "7 以上" in one
        both = browser.get("/wifi/usage?month=2026-10").text
        assert "図書館" in both
        assert _cells(
            dict(re.findall(r'<th scope="row" class="date">(2026年10月\d+日)</th>(.*?)</tr>', both))["2026年10月1日"]
        ) == ["7 以上", "0", "42.0 MB 以上"]
        lines = browser.get("/wifi/usage.csv?month=2026-10").text.splitlines()
        assert lines[1:] == [
            "図書館,2026-10-01,5未満,5未満,5未満,5未満,",
            "役場,2026-10-01,7,7,0,42000000,",
            "役場,2026-10-02,5未満,5未満,5未満,5未満,",
        ]
        hours = browser.get("/wifi/usage.csv?month=2026-10&by=hour").text.splitlines()
        assert "役場,2026-10-01,10,5," in hours
        assert "図書館,2026-10-01,10,1," in hours
        book = load_workbook(io.BytesIO(browser.get("/wifi/usage.xlsx?month=2026-10").content))
        assert [cell.value for cell in book.worksheets[0][3]][:3] == ["役場", "2026-10-01", "7"]
        # The town may hide less, or nothing.
        town.write(lambda conn: purge_store.keep_setting(conn, Setting(180, 2)))
        assert "5未満" not in browser.get("/wifi/usage.csv?month=2026-10").text


def _cells(row: str) -> Sequence[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", row)
