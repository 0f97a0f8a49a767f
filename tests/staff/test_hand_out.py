"""Two hundred cards in an afternoon: a real browser, a real terminal's tap through a real broker, one key a card."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from hub.db import Connection, Db
from hub.staff import store
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.login import second
from tests.login.parts import HASHED, PASSWORD
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.pages.filled import Teller
from tests.staff.parts import somebody

PEOPLE = ("0012", "0013", "0014")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[Hub, int]]:
    """A hub with three people without cards, and its broker's port."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as running:
        second.add_to(running, "sachi", "clerk", HASHED)
        db = Db(running.database)
        db.write_now(lambda conn: [somebody(conn, number) for number in PEOPLE])
        db.close()
        yield running, broker.port


def _shown(page: Page, number: str) -> None:
    page.wait_for_selector(f"#who:has-text('{number}')")


def test_cards_are_given_out_with_one_key(hub: tuple[Hub, int]) -> None:
    running, port = hub
    now_ms = time.time_ns() // 1_000_000
    with chromium() as browser:
        context = browser.new_context(bypass_csp=True)
        watched = Watched(context)
        page = watched.page
        sign_in(page, running.url, "sachi", PASSWORD)
        terminal = Teller(port, "genkan-1", "terminal", now_ms)
        page.goto(running.url + "/staff/cards/hand-out")
        for turn, number in enumerate(PEOPLE):
            _shown(page, number)
            page.wait_for_selector("#tapped:has-text('待っています')")
            # Enter too early gives nothing to nobody.
            if turn == 0:
                page.keyboard.press("Enter")
                page.wait_for_selector("text=新しくタッチされたカードがありません")
            terminal.tap(now_ms + turn * 1000, f"{turn + 1}" * 32)
            page.wait_for_selector("#tapped button")
            assert serious(page) == []
            page.keyboard.type(f"no-{turn}")
            page.keyboard.press("Enter")
            page.wait_for_selector(f"text={number}に no-{turn} を渡しました")
        page.wait_for_selector("text=カードのない職員はいません")
        # The last one was the wrong card: it is taken back with one click, and the page shows that person again.
        page.click(".undo button")
        _shown(page, PEOPLE[-1])
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert too_wide(page) == []
        terminal.drop()
        assert watched.said == []
        context.close()
    db = Db(running.database)
    assert db.read(_held) == {"0012": ("1" * 32, "no-0", now_ms), "0013": ("2" * 32, "no-1", now_ms + 1000)}
    db.close()


def _held(conn: Connection) -> dict[str, tuple[str, str, int]]:
    members = store.members(conn)
    return {members[card.staff_id].number: (card.token, card.label, card.from_ms) for card in store.cards(conn)}
