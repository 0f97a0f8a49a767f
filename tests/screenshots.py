"""Pictures of every page, from a hub that is told of a believable town: `python -m tests.screenshots FOLDER`."""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.attendance.close.hall import Hall
from tests.attendance.pages.filled import fill as fill_office
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.login.parts import Browser as Person
from tests.login.parts import Town, running_town
from tests.pages.browser import Scheme, owe_nothing
from tests.pages.filled import fill
from tests.tablet.home.parts import GB, PICTURE, TabletProcess, content, now_ms, paper
from tests.waiver.ledger.pages.filled import fill as fill_books
from tests.waiver.month.hall import Hall as WaiverHall
from tests.waiver.month.hall import fill_waivers
from tests.waiver.month.model import town as made_up_town
from tests.waiver.register.filled import fill_registers
from tests.wifi.hub.filled import fill_wifi

PASSWORD = "a long sentence for pictures"
WIDTHS = (360, 1440)
PAGES = {
    "today": "/",
    "devices": "/devices",
    "devices-worst": "/devices?sort=condition",
    "devices-none": "/devices?q=nothing",
    "devices-lent": "/devices?loan=lent&sort=until",
    "inventory": "/inventory",
    "inventory-new": "/inventory/new",
    "thing": "/devices/genkan-1/inventory",
    "device": "/devices/genkan-1",
    "orders": "/orders",
    "order-new": "/orders/new?kind=terminal",
    "stolen": "/devices/genkan-1/stolen",
    "device-week": "/devices/genkan-1?span=7d",
    "device-3h": "/devices/toshokan-ap?span=3h",
    "device-offline": "/devices/kominkan-1",
    "taps": "/taps",
    "taps-none": "/taps?card=abcdef",
    "who": "/attendance",
    "months": "/attendance/months/2026-10",
    "limits": "/attendance/limits/2026",
    "my-time": "/my-time",
    "requests": "/attendance/requests",
    "requests-all": "/attendance/requests?state=all",
    "request-kinds": "/attendance/requests/new",
    "request-order": "/attendance/requests/new?kind=order",
    "request-leave": "/attendance/requests/new?kind=leave",
    "request-swap": "/attendance/requests/new?kind=swap",
    "open-work": "/attendance/open",
    "close": "/attendance/close",
    "close-now": "/attendance/close?month=2026-10",
    "alerts": "/alerts",
    "alerts-none": "/alerts?kind=crl",
    "alert-settings": "/settings/alerts",
    "policy": "/policy",
    "policy-changes": "/policy/changes",
    "device-policy": "/devices/genkan-1/policy",
    "rollouts": "/rollouts",
    "rollout-new": "/rollouts/new",
    "settings": "/settings",
    "people": "/settings/people",
    "person": "/settings/people/1",
    "second-factor": "/settings/code",
    "audit": "/settings/audit",
    "audit-checked": "/settings/audit?check=true",
    "quarantine": "/settings/quarantine",
    "tokens": "/settings/tokens",
    "clones": "/settings/clones",
    "enrol": "/devices/enrol",
    "identity": "/settings/identity",
    "identity-device": "/settings/identity/genkan-1",
    "staff": "/staff",
    "staff-new": "/staff/new",
    "staff-cards": "/staff/cards",
    "staff-unknown": "/staff/cards/unknown",
    "staff-hand-out": "/staff/cards/hand-out",
    "staff-shifts": "/staff/shifts",
    "staff-departments": "/staff/departments",
    "staff-import": "/staff/import",
    "tablets": "/tablets",
    "content": "/content",
    "content-numbers": "/content/telephones",
    "wifi": "/wifi",
    "wifi-point": "/wifi/points/yakuba-ap",
    "wifi-point-bad": "/wifi/points/toshokan-ap",
    "wifi-usage": "/wifi/usage",
    "wifi-usage-place": "/wifi/usage?place=図書館",
    "wifi-usage-none": "/wifi/usage?month=2025-01",
    "wifi-terms": "/wifi/terms",
    "wifi-terms-one": "/wifi/terms/versions/shipped-1-180?language=ja-easy",
    "wifi-terms-draft": "/wifi/terms/draft",
    "wifi-vouchers": "/wifi/vouchers",
    "bills": "/waiver/bills",
    "bill-import": "/waiver/bills/import",
    "bill-layouts": "/waiver/bills/layouts",
    "bill-layout": "/waiver/bills/layouts/fixed-128",
    "benefits": "/benefits",
    "benefit-kinds": "/benefits/kinds",
    "benefit-report": "/benefits/report",
    "disaster": "/wifi/disaster",
    "disaster-new": "/wifi/disaster/new",
    "disaster-drill": "/wifi/disaster/new?drill=1",
    "payroll": "/payroll",
    "payroll-layouts": "/payroll/layouts",
    "payroll-layout": "/payroll/layouts/generic",
    "payroll-letters": "/payroll/letters",
    "punch-import": "/attendance/punches/import",
    "wifi-retention": "/wifi/retention",
    "wifi-checklist": "/wifi/checklist",
    "wifi-inquiries": "/wifi/inquiries",
    "wifi-others": "/wifi/radius",
    "error": "/nowhere",
}
# A town hall with three people and an October that is over; looked at by the clerk, and by the one whose month it is.
OFFICE = {
    "office-who": "/attendance",
    "office-month": "/attendance/people/0012/2026-10",
    "office-day": "/attendance/people/0012/2026-10/2026-10-01",
    "office-night": "/attendance/people/0056/2026-10/2026-10-09",
    "office-limits": "/attendance/people/0056/limits/2026",
    "office-months": "/attendance/months/2026-10",
    "office-requests": "/attendance/requests",
    "office-request": "/attendance/requests/new?number=0034&kind=correction&day=2026-10-05",
    "office-open": "/attendance/open",
    "office-close": "/attendance/close?month=2026-10",
    "office-rules": "/attendance/rules",
    "office-rules-change": "/attendance/rules/new",
    "office-holidays": "/attendance/rules/holidays?year=2026",
    "office-taps": "/taps",
    "office-staff": "/staff",
    "office-person": "/staff/0012",
    "office-cards": "/staff/cards",
    "office-payroll": "/payroll?month=2026-10",
}
OWN = {
    "own-month": "/my-time",
    "own-day": "/my-time/2026-10/2026-10-01",
    "own-request": "/my-time/requests/new?kind=order",
}
# Three months of six lines, as whoever keeps the books sees them.
BOOKS = {
    "books-ledger": "/waiver/ledger",
    "books-entry": "/waiver/ledger/15",
    "books-receipts": "/waiver/receipts",
    "books-receipt": "/waiver/receipts/2",
    "books-statement": "/waiver/residents/2/statement",
    "books-reminders": "/waiver/reminders?through=2026-10",
}
# A month that is closed, with something that became known later, and one that can be: for who asks and who approves.
MONTHS = {
    "month-open": "/waiver?month=2026-05",
    "month-closed": "/waiver?month=2026-04",
    "month-line": "/waiver/line-month?month=2026-04&line=08000000011",
    "month-vouchers": "/waiver/vouchers?month=2026-04",
    "month-layout": "/waiver/vouchers/layout",
    "reports-grounds": "/waiver/reports?month=2026-04",
    "reports-lines": "/waiver/reports?month=2026-04&kind=lines",
    "reports-year": "/waiver/reports?year=2026&kind=year",
}
# Registers as an administrator sees them, and a decision as the approver does.
REGISTERS = {
    "residents": "/waiver/residents",
    "resident": "/waiver/residents/2",
    "resident-new": "/waiver/residents/new",
    "lines": "/waiver/lines",
    "line": "/waiver/lines/1",
    "line-free": "/waiver/lines/10",
    "applications": "/waiver/applications?state=all",
    "application": "/waiver/applications/2",
    "application-new": "/waiver/applications/new?resident=1008",
    "application-revoke": "/waiver/applications/new?of=1&asks=revoke",
    "renewals": "/waiver/applications/renewals",
    "checks": "/waiver/applications/checks",
    "waiver-rules": "/waiver/rules",
    "waiver-tariff": "/waiver/rules/tariff?code=data-3gb",
    "waiver-rule": "/waiver/rules/rule?code=flat1000",
    "waiver-letter": "/waiver/rules/letter",
    "register-import": "/waiver/import",
}
DECIDES = {"application-decide": "/waiver/applications/7"}
ASKED = {"month-asked": "/waiver?month=2026-05"}
# The lent tablet's own pages, held upright and lying.
HOME = {"home": "/", "home-help": "/help", "home-news": "/news", "home-surveys": "/surveys", "home-usage": "/usage"}
HOME |= {"home-settings": "/settings"}
HELD = ((800, 1280), (1280, 800))
DARK = ("today", "devices", "device", "taps", "people")


def welcome(page: Page, hub: Hub) -> None:
    """Becomes the first administrator and invites somebody."""
    page.goto(hub.command("admin-link"))
    page.fill("#name", "hanako")
    page.fill("#shown", "山田 花子")
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    owe_nothing(page, hub.url, "hanako")
    page.wait_for_url(hub.url + "/")
    page.goto(hub.url + "/settings/people")
    page.fill("#name", "taro")
    page.fill("#shown", "鈴木 太郎")
    page.select_option("#role", "clerk")
    page.click("form.narrow button.main")


def shoot(page: Page, path: Path) -> None:
    """The whole page, its charts drawn and its fonts there."""
    if page.locator("#plots").count():
        page.wait_for_selector("#plots[data-drawn]")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, full_page=True)


def pictures(browser: Browser, hub: Hub, folder: Path) -> None:
    """Every page, in both languages, narrow and wide."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(hub.url + "/sign-in")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        shoot(page, folder / f"sign-in-{width}-ja-light.png")
    link = hub.command("admin-link")
    page.goto(link)
    shoot(page, folder / "welcome-1440-ja-light.png")
    welcome(page, hub)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        shoot(page, folder / f"people-invited-{width}-ja-light.png")
    for language in ("ja", "en"):
        page.goto(f"{hub.url}/language/{language}?next=/")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for name, path in PAGES.items():
                schemes: tuple[Scheme, ...] = ("light", "dark") if language == "ja" and name in DARK else ("light",)
                for scheme in schemes:
                    page.emulate_media(color_scheme=scheme)
                    page.goto(hub.url + path)
                    shoot(page, folder / f"{name}-{width}-{language}-{scheme}.png")
    context.close()


def office(browser: Browser, work: Path, folder: Path) -> None:
    """Pages of attendance, with people in them."""
    with running_town(work) as town:
        town.add("sato", "clerk")
        town.add("boss", "approver")
        person = town.add("hanako", "staff")
        fill_office(Hall(town.db), time.time_ns() // 1_000_000, person)
        looked_at(browser, town, folder, {"sato": OFFICE, "hanako": OWN})


def books(browser: Browser, work: Path, folder: Path) -> None:
    """Pages of fees and waivers, with a ledger of three months."""
    with running_town(work) as town:
        town.add("sachi", "finance")
        town.write(fill_books)
        looked_at(browser, town, folder, {"sachi": BOOKS})


def waiver_months(browser: Browser, work: Path, folder: Path) -> None:
    """Pages of a waivers' month: closed, open, and asked for."""
    with running_town(work) as town:
        town.add("sachi", "finance")
        town.add("boss", "approver")
        hall = WaiverHall(town.db, made_up_town(16, seed=3))
        fill_waivers(hall, ("2026-04", "2026-05"))
        looked_at(browser, town, folder, {"sachi": MONTHS})
        hall.ask("2026-05", "sachi")
        looked_at(browser, town, folder, {"boss": ASKED})


def registers(browser: Browser, work: Path, folder: Path) -> None:
    """Pages of residents, lines, applications and rules."""
    with running_town(work) as town:
        town.add("hanako")
        town.add("boss", "approver")
        town.write(lambda conn: fill_registers(conn, time.time_ns() // 1_000_000))
        looked_at(browser, town, folder, {"hanako": REGISTERS, "boss": DECIDES})


def tablet(browser: Browser, work: Path, folder: Path) -> None:
    """What a resident sees on a lent tablet, the hub away."""
    work.mkdir()
    with TabletProcess(work) as one:
        one.lay(content(now_ms()), paper(), PICTURE)
        one.used(2_800_000_000, 5 * GB)
        one.start()
        page = browser.new_page()
        for width, height in HELD:
            page.set_viewport_size({"width": width, "height": height})
            for name, path in HOME.items():
                page.goto(one.address + path)
                shoot(page, folder / f"{name}-{width}-ja-light.png")


def looked_at(browser: Browser, town: Town, folder: Path, people: Mapping[str, Mapping[str, str]]) -> None:
    """What each of these people sees, by the names of the pictures."""
    for name, paths in people.items():
        http = Person(town)
        http.sign_in(name)
        for language in ("ja", "en"):
            context = browser.new_context(timezone_id="Asia/Tokyo")
            kept = {cookie.name: cookie.value or "" for cookie in http.cookies.jar} | {"language": language}
            context.add_cookies([{"name": key, "value": value, "url": town.url} for key, value in kept.items()])
            page = context.new_page()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                for shown, path in paths.items():
                    page.goto(town.url + path)
                    shoot(page, folder / f"{shown}-{width}-{language}-light.png")
            context.close()


def main() -> int:
    """Makes the folder anew; the exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m tests.screenshots FOLDER\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as work,
        Broker(Path(work)) as broker,
        Hub(Path(work), broker.port) as hub,
        chromium() as browser,
    ):
        at_ms = now_ms()
        tellers = fill(broker.port, at_ms)
        # The library's access point is of both.
        tellers += fill_wifi(broker.port, hub.database, at_ms, {"toshokan-ap": tellers[-1]})
        pictures(browser, hub, folder)
        for teller in tellers:
            teller.drop()
        office(browser, Path(work) / "office", folder)
        books(browser, Path(work) / "books", folder)
        waiver_months(browser, Path(work) / "waivers", folder)
        registers(browser, Path(work) / "registers", folder)
        tablet(browser, Path(work) / "tablet", folder)
    print(f"{folder}: {len(list(folder.glob('*.png')))} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
