"""The whole way in front of the terminal: a card in the field, nfcpy, the agent, its page in a real Chromium.

The tests of this file follow one another before one terminal, as a day does.
"""

import re
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk.browser import FORBIDDEN, SILENT, findings, misfits, open_page, until_state
from tests.kiosk.terminal import HANAKO, NOBODY, TARO, Terminal

# A card must be away for 1.5 s before it counts anew (`visit.py`); a view stays for two and more.
_AWAY_S = 1.0
_TIME = re.compile(r"^\d{1,2}:\d\d ")


@pytest.fixture(scope="module")
def pages(terminal: Terminal, browser: Browser) -> Iterator[list[Page]]:
    """The page in Japanese and light, and in English and dark."""
    ways = (("ja", False), ("en", True))
    opened = [open_page(browser, f"{terminal.address}?lang={language}", dark=dark) for language, dark in ways]
    for page in opened:
        until_state(page, "idle")
    yield opened
    for page in opened:
        page.context.close()


@pytest.fixture
def page(pages: list[Page]) -> Page:
    """The Japanese page, at rest."""
    until_state(pages[0], "idle")
    pages[0].evaluate("() => { window.heard = []; }")
    return pages[0]


def _tap(terminal: Terminal, page: Page, state: str, *numbers: str, kind: str = "felica", hold_s: float = 0.3) -> None:
    until_state(page, "idle")
    time.sleep(_AWAY_S)
    terminal.field.place(*numbers, kind=kind, hold_s=hold_s)
    until_state(page, state)


def _choose(page: Page, button: str) -> None:
    page.click(button)
    expect(page.locator(button)).to_have_attribute("aria-pressed", "true")


def _texts(page: Page) -> tuple[str, str, str]:
    first, second, third = (page.locator(f"#{one}").inner_text().strip() for one in ("headline", "name", "detail"))
    return first, second, third


def _tones(page: Page) -> list[float]:
    """What was asked for since the last view at rest, in hertz."""
    tones: list[float] = [hertz for _, hertz in page.evaluate("() => window.heard")]
    return tones


def test_at_rest(page: Page) -> None:
    expect(page.locator("#clock")).to_have_text(re.compile(r"^\d{1,2}:\d\d$"))
    expect(page.locator("#date")).to_have_text(re.compile(r"^20\d\d年\d{1,2}月\d{1,2}日.曜日$"))
    assert _texts(page)[0] == "カードをタッチしてください"
    assert [page.locator(one).inner_text() for one in ("#first", "#second")] == ["出勤", "退勤"]
    assert page.locator("button[aria-pressed=true]").count() == 1


@pytest.mark.parametrize(
    ("button", "number", "state", "greeting", "name", "done"),
    [
        ("#first", HANAKO, "accepted", "おはようございます", "山田花子", "出勤"),
        ("#second", HANAKO, "accepted", "おつかれさまでした", "山田花子", "退勤"),
    ],
)
def test_a_tap_either_way(
    terminal: Terminal, page: Page, button: str, number: str, state: str, greeting: str, name: str, done: str
) -> None:
    _choose(page, button)
    _tap(terminal, page, state, number)
    headline, shown, detail = _texts(page)
    assert (headline, shown) == (greeting, name)
    assert _TIME.match(detail)
    assert detail.endswith(done)
    first, second = _tones(page)
    assert first < second


def test_the_same_again(terminal: Terminal, page: Page) -> None:
    _tap(terminal, page, "repeat", HANAKO)
    assert re.fullmatch(r"\d{1,2}:\d\dに退勤ずみです", _texts(page)[0])
    first, second = _tones(page)
    assert first == second


def test_a_question_and_its_answer(terminal: Terminal, page: Page) -> None:
    _choose(page, "#first")
    _tap(terminal, page, "question", TARO)
    headline, name, detail = _texts(page)
    assert (headline, name) == ("退勤がまだです。出勤でよいですか？", "佐藤太郎")
    assert re.fullmatch(r"\d{1,2}:\d\dに出勤しています", detail)
    assert [page.locator(one).inner_text() for one in ("#first", "#second")] == ["はい", "退勤にする"]
    page.click("#second")
    until_state(page, "accepted")
    assert _texts(page)[:2] == ("おつかれさまでした", "佐藤太郎")


def test_a_stranger(terminal: Terminal, page: Page) -> None:
    _tap(terminal, page, "unknown", NOBODY)
    headline, number, detail = _texts(page)
    assert headline == "このカードは登録されていません"
    assert re.fullmatch(r"番号 \d+", number)
    assert detail == "総務課（内線 123）へ番号をお知らせください"
    first, second = _tones(page)
    assert first > second


def test_two_cards_at_once(terminal: Terminal, page: Page) -> None:
    _tap(terminal, page, "two_cards", HANAKO, NOBODY, hold_s=3)
    assert _texts(page)[0] == "カードを1枚だけタッチしてください"
    assert len(_tones(page)) == 1


def test_a_card_whose_number_is_another_each_time(terminal: Terminal, page: Page) -> None:
    _tap(terminal, page, "refused_card", "08aabbcc", kind="phone", hold_s=1)
    assert _texts(page)[0] == "このカードは打刻に使えません"
    first, second = _tones(page)
    assert first > second


def test_the_hub_is_away(page: Page) -> None:
    expect(page.locator("#hub-line")).to_have_text(re.compile(r"^保存しました。つながり次第送信します \(\d+件\)$"))
    expect(page.locator("body")).to_have_attribute("data-state", "idle")


def test_the_reader_goes_and_comes(terminal: Terminal, page: Page) -> None:
    terminal.field.end()
    until_state(page, "reader_fault")
    headline, _, detail = _texts(page)
    assert headline == "読み取り装置を確認中です"
    assert re.fullmatch(r"\d{1,2}:\d\dから。続くときは総務課（内線 123）へ", detail)
    assert not page.locator("#first").is_visible()
    terminal.field.again()
    until_state(page, "idle")
    assert page.locator("#first").is_visible()


# What a view that the agent pushes can hold at its longest.
_VIEWS: dict[str, dict[str, object]] = {
    "starting": {},
    "idle": {},
    "accepted": {"name": "小鳥遊　左衛門之介", "direction": "clock_out"},
    "repeat": {"name": "小鳥遊　左衛門之介"},
    "question": {"name": "小鳥遊　左衛門之介"},
    "unknown": {"reference": 12_345_678},
    "two_cards": {},
    "refused_card": {},
    "lost_card": {"reference": 12_345_678},
    "reader_fault": {},
    "disk_full": {},
    "lost": {},
    "identify": {"name": "kominkan-higashi-terminal-1"},
    "locked": {"name": "代表 0123-45-6789"},
    "wiped": {"name": "12345678"},
}


@pytest.mark.parametrize("state", _VIEWS)
def test_each_state_is_readable_everywhere(pages: list[Page], state: str) -> None:
    moment_ms = 1_795_476_240_000
    view = {
        "state": state, "number": 9_000, "direction": "clock_in", "chosen": "time", "name": "", "reference": 0,
        "at_ms": moment_ms, "since_ms": moment_ms, "waiting": 8_000, "hub_away": True, "clock_unset": True,
    }  # fmt: skip
    for page in pages:
        # The page's own function, so that no push of the agent comes in between.
        page.evaluate("(view) => { events.close(); heard = Infinity; show(view); }", view | _VIEWS[state])
        assert page.locator("body").get_attribute("data-state") == state
        assert misfits(page) == []
        assert findings(page) == []


def test_nothing_jumps_between_states(pages: list[Page]) -> None:
    page = pages[0]
    page.set_viewport_size({"width": 800, "height": 480})
    places = set()
    for state in _VIEWS:
        page.evaluate("(state) => show({ ...view, state })", state)
        places.add(
            tuple(
                page.evaluate("(id) => document.getElementById(id).getBoundingClientRect().top", one)
                for one in ("clock", "message", "buttons", "lines")
            )
        )
    assert len(places) == 1


@pytest.mark.parametrize("sound", [FORBIDDEN, SILENT])
def test_without_sound_everything_is_shown(terminal: Terminal, browser: Browser, sound: str) -> None:
    page = open_page(browser, terminal.address, sound=sound)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    _tap(terminal, page, "repeat", HANAKO)
    assert page.evaluate("() => window.asked") is (True if sound == FORBIDDEN else None)
    until_state(page, "idle")
    page.context.close()
    assert problems == []


def test_a_clock_that_is_surely_wrong_shows_no_time(browser: Browser, terminal: Terminal) -> None:
    page = open_page(browser, terminal.address)
    until_state(page, "idle")
    page.evaluate(
        """() => {
          events.close();
          ahead_ms = 5000 - Date.now();
          show({ ...view, state: "accepted", number: 9001, at_ms: 5000, clock_unset: true });
          tick();
        }"""
    )
    assert page.locator("#clock").inner_text() == "--:--"
    assert page.locator("#detail").inner_text().strip() in ("出勤", "退勤")
    assert page.locator("#clock-line").inner_text() == "時刻を確認中です"
    page.context.close()


def test_an_agent_that_dies_is_seen_and_loses_nothing(terminal: Terminal, browser: Browser) -> None:
    page = open_page(browser, terminal.address)
    until_state(page, "idle")
    assert terminal.agent is not None
    terminal.agent.end(signal.SIGKILL)
    until_state(page, "lost")
    punches = terminal.punches()
    terminal.start()
    until_state(page, "idle")
    page.context.close()
    # Everything that the page has shown in this file is there, in its order.
    expected = [
        ("clock_in", "accepted"), ("clock_in", "accepted"), ("clock_out", "accepted"), ("clock_out", "repeat"),
        ("clock_in", "unsure"), ("clock_out", "accepted"),
    ]  # fmt: skip
    assert [(body.direction, body.standing) for _, body in punches][:6] == expected
    assert [body.standing for _, body in punches][6:] == ["unknown", "repeat", "repeat"]
    assert punches[5][1].answers == punches[4][0].seq
    assert "Traceback" not in terminal.agent.said
    assert not any(number in terminal.agent.said.lower() for number in (HANAKO, TARO, NOBODY, "山田"))
