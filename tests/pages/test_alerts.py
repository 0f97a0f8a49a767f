"""Alerts on open pages: what one person does, another sees at once, and a choice that is being made stays."""

from hub import pages
from hub.alerts import store
from hub.alerts.rule import Changes, Fact
from hub.db import Connection
from tests.login.parts import PASSWORD
from tests.pages.browser import serious, sign_in
from tests.pages.conftest import Shown


def _begin(conn: Connection) -> int:
    now_ms = pages.now_ms()
    store.apply(conn, Changes(begun=(Fact("reader", "genkan-1", now_ms, device="genkan-1", place="本庁"),)), now_ms)
    return next(one.id for one in store.open_alerts(conn) if one.kind == "reader" and one.device == "genkan-1")


def test_what_one_does_the_other_sees(shown: Shown) -> None:
    db = shown.db()
    number = db.write_now(_begin)
    db.close()
    context = shown.browser.new_context(bypass_csp=True)
    context.set_default_timeout(60_000)
    one, other = context.new_page(), context.new_page()
    sign_in(one, shown.hub.url, "hanako", PASSWORD)
    one.goto(shown.hub.url + "/alerts")
    one.evaluate("window.stayed = 1")
    one.select_option(f"#alert-{number}-for", "7d")
    other.goto(f"{shown.hub.url}/alerts?device=genkan-1")
    other.click(f"#alert-{number}-take")
    # A page that nobody looks at gives its connection back; it asks again when it is looked at.
    one.bring_to_front()
    one.wait_for_selector(f"#alert-{number} >> text=hanako さんが対応中")
    assert one.evaluate("window.stayed") == 1
    assert one.input_value(f"#alert-{number}-for") == "7d"
    assert serious(one) == []
    one.click(f"#alert-{number}-hush")
    one.wait_for_selector(f"#alert-{number}-unhush")
    one.goto(shown.hub.url + "/")
    assert "対応中・停止中" in one.locator("#todo-more").inner_text()
    context.close()
