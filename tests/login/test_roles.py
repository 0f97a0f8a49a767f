"""Every route against every role and nobody, with and without the marks of our own page."""

import re

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from hub import access, app, audit, pages, people
from hub.access import NEEDS, ROLES, Role
from hub.db import Connection
from hub.guard import public
from hub.words import WORDS
from tests.login.parts import Browser, Town

ALL: set[str] = {"nobody", "half", *ROLES}
SIGNED_IN: set[str] = set(ROLES)
# Whoever sees more than their own hours.
LOOKS: set[str] = SIGNED_IN - {"staff"}
ADMIN: set[str] = {"administrator"}
TAPS: set[str] = LOOKS - {"finance", "support"}
IT: set[str] = {"administrator", "it"}
# Attendance: who looks at everybody's, and who may change the rules.
HOURS: set[str] = {"administrator", "clerk", "approver", "auditor"}
RULERS: set[str] = {"administrator", "clerk"}
PAYROLL: set[str] = {"administrator", "clerk", "finance"}
# Staff and cards: the IT officer too, who sees no pay.
CARDS: set[str] = {"administrator", "it", "clerk"}
# The Wi-Fi: who looks; and who enters a lawful inquiry or decides on another person's.
WIFI: set[str] = TAPS | {"support"}
INQUIRIES: set[str] = {"administrator", "clerk", "approver"}
# Lent tablets and waivers: who looks, who enters, who decides on another's, who keeps bills and books.
TABLETS: set[str] = {"administrator", "it", "clerk", "support"}
WAIVERS: set[str] = {"administrator", "clerk", "approver", "finance", "auditor"}
APPLIES: set[str] = {"administrator", "clerk"}
DECIDES: set[str] = {"administrator", "approver"}
BOOKS: set[str] = {"administrator", "finance"}
# Whoever gave the right password and owes a code.
HALF: set[str] = {"half"}
# What the table of roles comes to, route by route: a new route fails here until somebody has thought about it.
TABLE: dict[str, set[str]] = {
    "GET /": SIGNED_IN,
    "GET /today/events": LOOKS,
    "GET /devices": LOOKS,
    "GET /devices.csv": LOOKS,
    "GET /devices/events": LOOKS,
    "GET /devices/{name}": LOOKS,
    "GET /devices/{name}/events": LOOKS,
    "GET /devices/{name}/series": LOOKS,
    "POST /devices/{name}/seen": IT,
    "GET /devices/{name}/stolen": IT,
    "POST /devices/{name}/stolen": IT,
    "POST /devices/{name}/found": IT,
    "GET /orders": IT,
    "POST /orders": IT,
    "GET /orders/events": IT,
    "GET /orders/new": IT,
    "GET /orders/{order}": IT,
    "GET /orders/{order}/events": IT,
    "GET /orders/{order}/bundle": IT,
    "POST /orders/{order}/withdraw": IT,
    "GET /policy": IT,
    "POST /policy/groups": IT,
    "GET /policy/groups/{number}": IT,
    "POST /policy/groups/{number}": IT,
    "GET /policy/changes": IT,
    "POST /policy/publish": IT,
    "GET /devices/{name}/policy": IT,
    "GET /devices/{name}/policy/events": IT,
    "POST /devices/{name}/policy": IT,
    "GET /inventory": LOOKS,
    "GET /inventory.csv": LOOKS,
    "GET /inventory.xlsx": LOOKS,
    "GET /inventory/new": IT | {"support"},
    "POST /inventory/new": IT | {"support"},
    "POST /inventory/import": IT | {"support"},
    "POST /inventory/import/do": IT | {"support"},
    "POST /inventory/names": IT | {"support"},
    "GET /inventory/{number}": LOOKS,
    "POST /inventory/{number}": IT | {"support"},
    "GET /devices/{name}/inventory": LOOKS,
    "POST /devices/{name}/inventory": IT | {"support"},
    "GET /taps": TAPS,
    "GET /taps/events": TAPS,
    "GET /taps.csv": TAPS,
    "GET /settings": SIGNED_IN,
    "POST /settings/password": SIGNED_IN,
    "POST /sign-out": SIGNED_IN,
    "POST /confirm": SIGNED_IN,
    "GET /settings/code": SIGNED_IN,
    "POST /settings/code": SIGNED_IN,
    "POST /settings/code/off": SIGNED_IN,
    "POST /settings/recovery": SIGNED_IN,
    "GET /sign-in/code": HALF,
    "POST /sign-in/code": HALF,
    "GET /sign-in/set-up": HALF,
    "POST /sign-in/set-up": HALF,
    "GET /settings/people/{number}": ADMIN,
    "GET /settings/people": ADMIN,
    "POST /settings/people": ADMIN,
    "POST /settings/people/{number}": ADMIN,
    "GET /settings/quarantine": IT,
    "GET /settings/tokens": IT,
    "POST /settings/tokens": IT,
    "POST /settings/tokens/{number}/revoke": IT,
    "GET /settings/clones": IT,
    "POST /settings/clones": IT,
    "GET /settings/audit": IT | {"auditor"},
    "GET /settings/audit/export": IT | {"auditor"},
    "GET /rollouts": LOOKS,
    "GET /rollouts/new": IT,
    "POST /rollouts": IT,
    "GET /rollouts/{number}": LOOKS,
    "GET /rollouts/{number}/events": LOOKS,
    "POST /rollouts/{number}": IT,
    "POST /rollouts/{number}/approval": IT | {"approver"},
    "GET /alerts": LOOKS,
    "GET /alerts/events": LOOKS,
    "POST /alerts/{number}": IT,
    "GET /settings/alerts": IT,
    "POST /settings/alerts": IT,
    "POST /settings/alerts/targets": IT,
    "POST /settings/alerts/targets/{number}/test": IT,
    "GET /settings/alerts/targets/{number}/remove": IT,
    "POST /settings/alerts/targets/{number}/remove": IT,
    "GET /attendance/rules": HOURS,
    "GET /attendance/rules/new": RULERS,
    "POST /attendance/rules": RULERS,
    "GET /attendance/rules/holidays": HOURS,
    "POST /attendance/rules/holidays": RULERS,
    "GET /attendance/close": {"administrator", "clerk", "approver", "auditor"},
    "POST /attendance/close": {"administrator", "clerk"},
    "GET /payroll": PAYROLL,
    "POST /payroll/file": PAYROLL,
    "GET /payroll/files/{number}": PAYROLL,
    "GET /payroll/layouts": PAYROLL,
    "GET /payroll/layouts/{name}": PAYROLL,
    "POST /payroll/layouts": PAYROLL,
    "POST /payroll/layouts/look": PAYROLL,
    "GET /payroll/letters": PAYROLL,
    "POST /payroll/letters": PAYROLL,
    "POST /payroll/compare": PAYROLL,
    "GET /attendance/punches/import": RULERS,
    "POST /attendance/punches/import": RULERS,
    "POST /attendance/punches/import/look": RULERS,
    "POST /attendance/punches/import/do": RULERS,
    "GET /my-time": SIGNED_IN,
    "GET /my-time/requests/new": SIGNED_IN,
    "POST /my-time/requests/new": SIGNED_IN,
    "POST /my-time/requests/{number}": SIGNED_IN,
    "GET /attendance/open": HOURS,
    "GET /attendance/requests": HOURS,
    "POST /attendance/requests": {"administrator", "approver"},
    "GET /attendance/requests/new": RULERS,
    "POST /attendance/requests/new": RULERS,
    "GET /attendance/requests/{number}": HOURS,
    "POST /attendance/requests/{number}": {"administrator", "approver"},
    "POST /attendance/requests/{number}/own": RULERS,
    "GET /staff": CARDS,
    "GET /staff/new": CARDS,
    "POST /staff/new": CARDS,
    "GET /staff/import": CARDS,
    "POST /staff/import/{kind}": CARDS,
    "POST /staff/import/{kind}/do": CARDS,
    "GET /staff/file/{kind}": CARDS,
    "GET /staff/cards": CARDS,
    "POST /staff/cards": CARDS,
    "GET /staff/cards/unknown": CARDS,
    "GET /staff/cards/give": CARDS,
    "POST /staff/cards/give": CARDS,
    "GET /staff/cards/hand-out": CARDS,
    "GET /staff/cards/hand-out/events": CARDS,
    "POST /staff/cards/hand-out": CARDS,
    "GET /staff/departments": CARDS,
    "POST /staff/departments": CARDS,
    "POST /staff/names": CARDS,
    "GET /staff/shifts": CARDS,
    "GET /staff/shifts/{number}": CARDS,
    "POST /staff/shifts/{number}": CARDS,
    "GET /staff/{number}": CARDS,
    "POST /staff/{number}": CARDS,
    "GET /attendance": TAPS,
    "GET /attendance/events": HOURS,
    "GET /attendance/months": HOURS,
    "GET /attendance/months/{month}": HOURS,
    "GET /attendance/months/{month}.csv": HOURS,
    "GET /attendance/months/{month}.xlsx": HOURS,
    "GET /attendance/limits": HOURS,
    "GET /attendance/limits/{year}": HOURS,
    "GET /attendance/people/{number}/limits/{year}": HOURS,
    "GET /attendance/people/{number}/{month}": HOURS,
    "GET /attendance/people/{number}/{month}.pdf": HOURS,
    "GET /attendance/people/{number}/{month}/{day}": HOURS,
    "GET /attendance/people/{number}/{month}/{day}.pdf": HOURS,
    "GET /my-time/limits/{year}": SIGNED_IN,
    "GET /my-time/{month}": SIGNED_IN,
    "GET /my-time/{month}.pdf": SIGNED_IN,
    "GET /my-time/{month}/{day}": SIGNED_IN,
    "GET /my-time/{month}/{day}.pdf": SIGNED_IN,
    "GET /sign-in": ALL,
    "POST /sign-in": ALL,
    "GET /welcome": ALL,
    "POST /welcome": ALL,
    "GET /session": ALL,
    "GET /devices/enrol": IT,
    "POST /devices/enrol/codes": IT,
    "POST /devices/enrol/back": IT,
    "POST /devices/enrol/expected": IT,
    "POST /devices/enrol/forget": IT,
    "POST /devices/enrol/requests": IT,
    "GET /settings/identity": IT,
    "GET /settings/identity/{name}": IT,
    "POST /settings/identity/{name}/revoke": IT,
    "GET /device/root": ALL,
    "POST /device/enrol": ALL,
    "POST /device/renew": ALL,
    "POST /radius/accounting": ALL,
    "GET /waiver": WAIVERS,
    "GET /waiver/residents": WAIVERS,
    "GET /waiver/residents/new": APPLIES,
    "POST /waiver/residents/new": APPLIES,
    "GET /waiver/residents/{number}": WAIVERS,
    "POST /waiver/residents/{number}": APPLIES,
    "GET /waiver/lines": WAIVERS,
    "GET /waiver/lines/new": APPLIES,
    "POST /waiver/lines/new": APPLIES,
    "GET /waiver/lines/{number}": WAIVERS,
    "POST /waiver/lines/{number}": APPLIES,
    "GET /waiver/applications": WAIVERS,
    "GET /waiver/applications/new": APPLIES,
    "POST /waiver/applications/new": APPLIES,
    "GET /waiver/applications/renewals": WAIVERS,
    "GET /waiver/applications/checks": WAIVERS,
    "POST /waiver/applications/checks": APPLIES,
    "GET /waiver/applications/{number}": WAIVERS,
    "POST /waiver/applications/{number}/decide": DECIDES,
    "POST /waiver/applications/{number}/withdraw": APPLIES,
    "GET /waiver/applications/{number}/notice.pdf": WAIVERS,
    "GET /waiver/rules": WAIVERS,
    "GET /waiver/import": APPLIES,
    "GET /waiver/file/{name}": APPLIES,
    "POST /waiver/import/{name}": APPLIES,
    "POST /waiver/import/{name}/do": APPLIES,
    "GET /waiver/rules/tariff": BOOKS,
    "POST /waiver/rules/tariff": BOOKS,
    "GET /waiver/rules/rule": BOOKS,
    "POST /waiver/rules/rule": BOOKS,
    "POST /waiver/rules/sample": BOOKS,
    "GET /waiver/rules/letter": BOOKS,
    "POST /waiver/rules/letter": BOOKS,
    "GET /waiver/reports": WAIVERS,
    "GET /waiver/reports/{report_kind}.{file}": WAIVERS,
    "GET /waiver/line-month": WAIVERS,
    "POST /waiver/close": BOOKS,
    "POST /waiver/approve": DECIDES,
    "POST /waiver/pay": BOOKS,
    "GET /waiver/vouchers": WAIVERS,
    "POST /waiver/vouchers": BOOKS,
    "GET /waiver/vouchers/layout": BOOKS,
    "POST /waiver/vouchers/layout": BOOKS,
    "GET /waiver/bills": WAIVERS,
    "GET /waiver/bills/{number}": WAIVERS,
    "POST /waiver/bills/{number}/withdraw": BOOKS,
    "POST /waiver/bills/{number}/decide": BOOKS,
    "GET /waiver/bills/{number}/file": WAIVERS,
    "POST /waiver/bills/{number}/again": BOOKS,
    "GET /waiver/bills/import": BOOKS,
    "POST /waiver/bills/import": BOOKS,
    "POST /waiver/bills/import/do": BOOKS,
    "GET /waiver/bills/layouts": WAIVERS,
    "GET /waiver/bills/layouts/{code}": WAIVERS,
    "POST /waiver/bills/layouts": BOOKS,
    "GET /waiver/ledger": WAIVERS,
    "GET /waiver/ledger/{seq}": WAIVERS,
    "GET /waiver/receipts": WAIVERS,
    "POST /waiver/receipts": BOOKS,
    "GET /waiver/receipts.csv": WAIVERS,
    "POST /waiver/receipts/import": BOOKS,
    "POST /waiver/receipts/import/do": BOOKS,
    "GET /waiver/receipts/{number}": WAIVERS,
    "POST /waiver/receipts/{number}": BOOKS,
    "GET /waiver/residents/{number}/statement": WAIVERS,
    "GET /waiver/residents/{number}/statement.pdf": WAIVERS,
    "GET /waiver/reminders": WAIVERS,
    "POST /waiver/reminders": BOOKS,
    "GET /tablets": TABLETS,
    "GET /tablets/events": TABLETS,
    "POST /tablets/help": TABLETS,
    "GET /content": TABLETS,
    "POST /content": TABLETS,
    "GET /content/telephones": TABLETS,
    "POST /content/telephones": TABLETS,
    "GET /content/{number}": TABLETS,
    "POST /content/{number}": TABLETS,
    "GET /content/{number}/files/{digest}": TABLETS,
    "GET /content/{number}/look": TABLETS,
    "POST /content/{number}/publish": TABLETS,
    "GET /content/{number}/answers.csv": TABLETS,
    "GET /tablet/files/{digest}": ALL,
    "GET /wifi": WIFI,
    "GET /wifi/events": WIFI,
    "GET /wifi/points/{name}": WIFI,
    "GET /wifi/points/{name}/events": WIFI,
    "POST /wifi/points/{name}/end": IT,
    "GET /wifi/usage": WIFI,
    "GET /wifi/usage.csv": WIFI,
    "GET /wifi/usage.xlsx": WIFI,
    "GET /wifi/radius": WIFI,
    "POST /wifi/radius": IT,
    "POST /wifi/radius/{number}/withdraw": IT,
    "GET /wifi/disaster": WIFI,
    "GET /wifi/disaster/new": IT | {"approver"},
    "POST /wifi/disaster": IT | {"approver"},
    "GET /wifi/disaster/{number}": WIFI,
    "GET /wifi/disaster/{number}/events": WIFI,
    "GET /wifi/disaster/{number}/evidence": WIFI,
    "POST /wifi/disaster/{number}": IT | {"approver"},
    "POST /wifi/disaster/{number}/confirmation": IT | {"approver"},
    "GET /wifi/retention": WIFI,
    "POST /wifi/retention": IT,
    "GET /wifi/retention/proofs": WIFI,
    "GET /wifi/checklist": WIFI,
    "GET /wifi/notice.xlsx": WIFI,
    "GET /wifi/inquiries": INQUIRIES,
    "POST /wifi/inquiries": INQUIRIES,
    "GET /wifi/inquiries/{number}": INQUIRIES,
    "POST /wifi/inquiries/{number}": INQUIRIES,
    "GET /wifi/terms": TAPS | {"support"},
    "GET /wifi/terms/versions/{name}": TAPS | {"support"},
    "GET /wifi/terms/draft": IT,
    "POST /wifi/terms/draft": IT,
    "GET /wifi/terms/draft/{language}": IT,
    "POST /wifi/terms/draft/{language}": IT,
    "POST /wifi/terms/publish": IT,
    "GET /wifi/vouchers": IT | {"clerk", "support"},
    "POST /wifi/vouchers": IT | {"clerk", "support"},
    "GET /wifi/vouchers/{number}": IT | {"clerk", "support"},
    "POST /wifi/vouchers/{number}": IT | {"clerk", "support"},
    "GET /wifi/vouchers/{number}/sheet.pdf": IT | {"clerk", "support"},
    "GET /benefits": WAIVERS,
    "POST /benefits/grants": DECIDES,
    "POST /benefits/uses": APPLIES,
    "GET /benefits/kinds": WAIVERS,
    "POST /benefits/kinds": APPLIES,
    "GET /benefits/accounts/{number}": WAIVERS,
    "POST /benefits/accounts/{number}": APPLIES,
    "GET /benefits/report": WAIVERS,
    "GET /benefits/report.csv": WAIVERS,
    "GET /benefits/report.xlsx": WAIVERS,
    "GET /language/{language}": ALL,
    "GET /healthz": ALL,
}
PLACES = {
    "{kind}": "staff",
    "{report_kind}": "grounds",
    "{file}": "csv",
    "{name}": "no-such",
    "{number}": "999",
    "{seq}": "999",
    "{language}": "en",
    "{order}": "0" * 32,
    "{digest}": "0" * 64,
    "{month}": "2026-10",
    "{day}": "2026-10-01",
    "{year}": "2026",
}


def _address(route: str) -> str:
    path = route.split()[1]
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path


@pytest.fixture
def everyone(town: Town) -> dict[str, Browser]:
    """Nobody, somebody who owes a code, and one of each role, signed in."""
    town.add("half")
    found = {"nobody": Browser(town), "half": Browser(town)}
    assert found["half"].half_sign_in("half").headers["location"].startswith("/sign-in/code")
    role: Role
    for role in ROLES:
        town.add(role, role)
        found[role] = Browser(town)
        assert found[role].sign_in(role).status_code == 303
    return found


def test_d1_the_table_names_every_route(town: Town) -> None:
    found = {
        f"{method} {route.path}"
        for route in app.routes(town.app)
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert found == set(TABLE)


def test_d1_every_route_asks_who_it_is(town: Town, everyone: dict[str, Browser]) -> None:
    """A page is got, or it is refused; a change without the session's token is refused to all."""
    for route, allowed in TABLE.items():
        method = route.split()[0]
        for role, browser in everyone.items():
            if method == "POST":
                code = browser.post(_address(route)).status_code
                if allowed == ALL:
                    assert code in (401, 410, 415, 429), route
                else:
                    asked = role == "nobody" or (role == "half") != (allowed == HALF)
                    assert code == (303 if asked else 403), (route, role)
            elif route.endswith("/events") and "{" not in route and role in allowed:
                with browser.stream(_address(route)) as answer:
                    assert answer.status_code == 200
            else:
                _check_page(route, role, browser.get(_address(route)), allowed=role in allowed)
    # None of that changed anything; failed sign-ins and what left the house are noted.
    left_the_house = {"export_audit", "wifi_notice", "wifi_proof"}
    assert set(town.did()) == {"sign_in", "sign_in_failed", *left_the_house}
    assert [browser.signed_in() for browser in everyone.values()] == [False, False, *[True] * len(ROLES)]


def _check_page(route: str, role: str, answer: httpx.Response, *, allowed: bool) -> None:
    if allowed:
        is_of_one = re.search(r"\{(name|order|number|digest|seq|code)\}", route)
        expected: tuple[int, ...] = (404,) if is_of_one else (200, 303)
        expected = {"GET /session": (204, 401), "GET /welcome": (410,), "GET /device/root": (503,)}.get(route, expected)
        assert answer.status_code in expected, (route, role)
        assert allowed == (TABLE[route] == HALF) or not answer.headers.get("location", "").startswith("/sign-in")
    elif TABLE[route] == HALF:
        assert answer.headers["location"] == ("/sign-in" if role == "nobody" else "/")
    elif role in ("nobody", "half"):
        assert answer.status_code == 303
        wanted = "/sign-in/code" if role == "half" else "/sign-in"
        assert answer.headers["location"].partition("?")[0] == wanted
    else:
        assert answer.status_code == 403, (route, role)
        assert "あなたの役割では開けません" in answer.text


def test_every_page_and_error_carries_the_headers(town: Town, everyone: dict[str, Browser]) -> None:
    for browser in everyone.values():
        for path in ("/", "/sign-in", "/nowhere", "/settings/people", "/static/hub.css", "/taps.csv"):
            headers = browser.get(path).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert ("no-store" in headers.get("cache-control", "")) == (not path.startswith("/static/"))
            assert "server" not in headers


def test_a_change_comes_from_our_own_page_with_the_token(town: Town, admin: Browser) -> None:
    csrf, form = admin.csrf(), {"name": "taro", "role": "clerk"}
    other = Browser(town)
    other.sign_in("hanako")
    refused = [
        admin.post("/settings/people", form),
        admin.post("/settings/people", {**form, "csrf": ""}),
        admin.post("/settings/people", {**form, "csrf": "é"}),
        admin.post("/settings/people", {**form, "csrf": csrf[:-1]}),
        admin.post("/settings/people", {**form, "csrf": other.csrf()}),
        admin.post("/settings/people", {**form, "csrf": csrf}, origin="https://elsewhere.example"),
        admin.post("/settings/people", {**form, "csrf": csrf}, origin="null"),
        admin.post("/settings/people", {**form, "csrf": csrf}, origin="http://["),
        admin.post("/sign-in", {"name": "hanako", "password": "x"}, origin="https://elsewhere.example"),
        admin.post("/welcome", {"token": "x"}, origin="https://elsewhere.example"),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert all("画面が古くなっています" in answer.text for answer in refused)
    assert [person.name for person in town.read(people.everyone)] == ["hanako"]
    # The token may also come as a header (htmx), and programs send no origin.
    assert admin.post("/settings/people", form, **{"x-csrf": csrf}).status_code == 200


def test_without_an_origin_the_browser_says_where_it_comes_from(town: Town, admin: Browser) -> None:
    form = {"name": "taro", "role": "clerk", "csrf": admin.csrf()}
    for site, code in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        answer = admin.without_origin("/settings/people", form, **{"sec-fetch-site": site})
        assert answer.status_code == code, site


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/taps?before=soon", "before"),
        ("/taps?before=0", "before"),
        (f"/taps?before={2**63}", "before"),
        ("/devices?sort=colour", "sort"),
        ("/devices?page=0", "page"),
        ("/devices/x?span=1y", "span"),
        ("/settings/audit?before=x", "before"),
        (f"/settings/quarantine?before={2**70}", "before"),
        ("/settings/people?number=x", "number"),
        ("/settings/people?did=fired", "did"),
    ],
)
def test_a_wrong_address_is_told_in_one_sentence(admin: Browser, path: str, name: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 400
    assert f"「{name}」の値が正しくありません。" in answer.text
    # Still one's own hub: the rail is there.
    assert 'href="/devices"' in answer.text


def test_wrong_bodies_are_refused(town: Town, admin: Browser) -> None:
    csrf = admin.csrf()
    for data, kind, code in (
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=%d" % n for n in range(60)), "application/x-www-form-urlencoded", 400),
    ):
        for path in ("/sign-in", "/settings/people"):
            assert admin.raw(path, data, kind, csrf) == code, (path, kind)
            # A body whose length is not told beforehand is counted as it comes.
            assert admin.raw(path, iter([data]), kind, csrf) == code
    assert admin.send("/settings/people", {"name": "taro", "role": "king"}).status_code == 400
    assert admin.send("/settings/people/1", {"do": "promote"}).status_code == 404
    assert admin.send(f"/settings/people/{2**64}", {"do": "enable"}).status_code == 400
    for form, sentence in (({"name": "山"}, "2〜40文字"), ({"name": "hanako"}, "使われています")):
        answer = admin.send("/settings/people", {"role": "clerk", "shown": "<b>", **form})
        assert answer.status_code == 400
        assert sentence in answer.text
        assert "&lt;b&gt;" in answer.text
    assert admin.get("/sign-out").status_code == 405
    assert admin.get("/language/fr").status_code == 404
    assert town.did() == ["sign_in"]


def test_a_mistake_of_ours_is_a_page_with_the_headers(town: Town, admin: Browser) -> None:
    town.settings.database.rename(town.settings.database.with_suffix(".gone"))
    try:
        answer = admin.get("/settings")
    finally:
        town.settings.database.with_suffix(".gone").rename(town.settings.database)
    assert answer.status_code == 500
    assert "うまくいきませんでした" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_d1_a_route_that_names_no_need_is_refused_at_start(town: Town) -> None:
    hub, router = FastAPI(), APIRouter()
    router.get("/known", dependencies=[Depends(public)])(lambda: None)
    hub.include_router(router)
    app.check_needs(app.routes(hub)[-1:])
    router.get("/open")(lambda: None)
    with pytest.raises(RuntimeError, match="/open does not say who may use it"):
        app.check_needs(app.routes(hub)[-1:])
    hub = FastAPI(docs_url="/docs")
    with pytest.raises(RuntimeError, match="does not say"):
        app.check_needs(app.routes(hub))
    # And two that are none of pages: the static files, and the API, which has a table of its own.
    assert len(app.routes(town.app)) == len(TABLE) + 2


def test_a_role_that_is_not_in_the_table_may_nothing() -> None:
    assert all(access.may("administrator", need) for need in NEEDS)
    assert not any(access.may(role, need) for role in ("", "king", "Administrator") for need in NEEDS)


def test_the_audit_log_is_read_and_filtered_by_address(town: Town, admin: Browser) -> None:
    def fill(conn: Connection) -> None:
        for number in range(150):
            audit.note(conn, pages.now_ms(), "taro" if number % 2 else audit.SYSTEM, "sign_in", f"row-{number}")

    town.write(fill)
    first = admin.get("/settings/audit").text
    assert "row-149" in first
    assert "row-49<" not in first
    last = town.read(lambda conn: audit.entries(conn, 100))[-1].id
    assert "row-49<" in admin.get(f"/settings/audit?before={last}").text
    mine = admin.get("/settings/audit?by=taro").text
    assert "row-149" in mine
    assert "row-148" not in mine
    assert "システム" in first
    assert "記録はまだありません" in admin.get("/settings/audit?by=nobody").text


def test_each_word_of_the_audit_log_has_words() -> None:
    assert not [did for did in audit.Did.__args__ if f"did_{did}" not in WORDS]  # type: ignore[attr-defined]
