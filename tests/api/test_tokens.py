"""Tokens: shown once, kept as a hash, good until their end, never more than whoever made them."""

import re
from collections.abc import Callable

import pytest

from hub import access, app, pages
from hub.access import ROLES, Role
from hub.api import scope, token_store
from hub.api.scope import NEED_OF, SCOPES, Scope
from hub.api.service import document, make_api
from tests.api.parts import DAY_MS, Api, hear, problem
from tests.login.parts import Browser, Town

GOOD = re.compile(r'id="token">(machinaka_\d+_[A-Za-z0-9_-]{43})<')


def signed_in(town: Town, name: str = "hanako", role: Role = "administrator") -> Browser:
    """Somebody at the pages."""
    town.add(name, role)
    browser = Browser(town)
    assert browser.sign_in(name).status_code == 303
    return browser


def make(browser: Browser, *scopes: str, label: str = "payroll", days: str = "30") -> str:
    """A token made on the page."""
    form = {"label": label, "days": days, **{f"scope_{each}": "yes" for each in scopes}}
    answer = browser.send("/settings/tokens", form)
    found = GOOD.search(answer.text)
    assert found, answer.text
    return found[1]


def test_a_token_is_shown_once_and_kept_as_a_hash(town: Town) -> None:
    browser = signed_in(town)
    text = make(browser, "devices:read")
    assert text not in browser.get("/settings/tokens").text
    dump = town.read(lambda conn: "\n".join(conn.iterdump()))
    assert text[-20:] not in dump
    assert text not in dump
    with Api(town) as api:
        assert api.ask("GET", "/devices", token=text).status_code == 200
    assert "token_make" in town.did()


def test_the_last_use_is_told(town: Town) -> None:
    browser = signed_in(town)
    text = make(browser, "devices:read")
    assert "まだ使われていない" in browser.get("/settings/tokens").text
    with Api(town) as api:
        api.ask("GET", "/devices", token=text)
        town.write(lambda conn: token_store.revoke(conn, int(api.token.split("_")[1]), 1, "x"))
    (token,) = [one for one in town.read(token_store.everyone) if one.label == "payroll"]
    assert token.used_ms is not None


def test_a_token_that_is_revoked_or_past_its_end_opens_nothing(town: Town, api: Api) -> None:
    browser = Browser(town)
    browser.sign_in("hanako")
    text = make(browser, "devices:read")
    number = text.split("_")[1]
    assert browser.send(f"/settings/tokens/{number}/revoke").status_code == 303
    assert "revoked" in problem(api.ask("GET", "/devices", token=text), 401)
    assert town.did().count("token_revoke") == 1
    browser.send(f"/settings/tokens/{number}/revoke")
    assert town.did().count("token_revoke") == 1, "it was revoked already"
    with Api(town, days=0) as old:
        answer = old.ask("GET", "/devices")
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text + "A",
        lambda text: text.replace("machinaka_1_", "machinaka_2_"),
        lambda text: text.replace("machinaka_1_", "machinaka_01_"),
        lambda text: text.replace("machinaka_1_", f"machinaka_{10**17}_"),
        lambda text: "machinaka_1_",
        lambda text: "x",
    ],
)
def test_a_text_that_is_no_token_opens_nothing(api: Api, change: Callable[[str], str]) -> None:
    assert api.token.startswith("machinaka_1_")
    problem(api.ask("GET", "/devices", token=change(api.token)), 401)


def test_neither_a_session_nor_another_way_of_asking_opens_it(town: Town, api: Api) -> None:
    browser = Browser(town)
    browser.sign_in("hanako")
    assert browser.get("/api/v1/devices").status_code == 401
    assert browser.get("/api/v1/devices", authorization=f"Basic {api.token}").status_code == 401
    assert browser.get(f"/api/v1/devices?token={api.token}").status_code == 401
    assert browser.get("/api/v1/devices", authorization=f"bearer {api.token}").status_code == 200


def test_a_token_never_may_more_than_whoever_made_it(town: Town) -> None:
    with Api(town, name="taro", role="it") as api:
        hear(town, "terminal-1")
        order = {"device": "terminal-1", "order": {"name": "ping"}}
        assert api.ask("POST", "/orders", order).status_code == 201
        problem(api.ask("GET", "/people"), 403)
        town.write(lambda conn: conn.execute("UPDATE person SET role = 'auditor' WHERE name = 'taro'"))
        assert "role of taro" in problem(api.ask("POST", "/orders", order), 403)
        assert api.ask("GET", "/audit").status_code == 200
        town.write(lambda conn: conn.execute("UPDATE person SET disabled = 1 WHERE name = 'taro'"))
        problem(api.ask("GET", "/audit"), 401)


def test_the_page_gives_no_scope_that_its_maker_has_not(town: Town) -> None:
    browser = signed_in(town, "taro", "it")
    text = browser.get("/settings/tokens").text
    assert 'name="scope_orders:write"' in text
    assert 'name="scope_people:read"' not in text
    form = {"label": "x", "days": "30", "scope_people:read": "yes"}
    assert browser.send("/settings/tokens", form).status_code == 403
    assert town.read(token_store.everyone) == []


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"label": " ", "days": "30", "scope_devices:read": "yes"}, "何に使うか"),
        ({"label": "x", "days": "30"}, "1 つ以上"),
        ({"label": "x", "days": "30", "scope_nothing:read": "yes"}, "1 つ以上"),
        ({"label": "x", "days": "31", "scope_devices:read": "yes"}, "期限"),
    ],
)
def test_a_token_says_what_it_is_for_what_it_may_and_how_long(town: Town, form: dict[str, str], said: str) -> None:
    browser = signed_in(town)
    answer = browser.send("/settings/tokens", form)
    assert answer.status_code == 400
    assert said in answer.text
    assert town.read(token_store.everyone) == []


# ---- scopes


def test_every_route_names_a_scope_and_the_document_tells_it(town: Town) -> None:
    api = make_api(town.app.state)
    app.check_needs(app.routes(api))
    operations = [each for path in document(api)["paths"].values() for each in path.values()]
    assert len(operations) > 30
    assert {each["x-scope"] for each in operations} == set(SCOPES)
    assert len({each["operationId"] for each in operations}) == len(operations)
    assert set(NEED_OF.values()) <= set(access.NEEDS)
    for each in operations:
        assert each["security"] == [{"token": []}]


CALLS: dict[Scope, tuple[str, str, object]] = {
    "devices:read": ("GET", "/devices", None),
    "inventory:write": ("PATCH", "/devices/no-such/inventory", {}),
    "punches:read": ("GET", "/punches", None),
    "alerts:read": ("GET", "/alerts", None),
    "alerts:write": ("PUT", "/alerts/999/taken", {"taken": True}),
    "orders:read": ("GET", "/orders", None),
    "orders:write": ("POST", "/orders", {"device": "no-such", "order": {"name": "ping"}}),
    "policy:read": ("GET", "/policy/groups", None),
    "policy:write": ("PUT", "/policy/groups/999/document", {"document": {}}),
    "rollouts:read": ("GET", "/rollouts", None),
    "rollouts:write": ("POST", "/rollouts/999/acts", {"act": "pause"}),
    "rollouts:approve": ("PUT", "/rollouts/999/approval", {"approved": True}),
    "enrolment:read": ("GET", "/enrolment/requests", None),
    "enrolment:write": ("POST", "/devices/no-such/stolen", None),
    "people:read": ("GET", "/people", None),
    "audit:read": ("GET", "/audit", None),
}


@pytest.mark.parametrize("role", ROLES)
def test_d1_every_scope_against_every_role(town: Town, role: Role) -> None:
    """A call is refused without the scope, and with it where the maker's role does not cover it."""
    assert set(CALLS) == set(SCOPES)
    with Api(town, name="maker", role=role) as every:
        for name, (method, path, body) in CALLS.items():
            allowed = access.may(role, NEED_OF[name])
            assert (name in scope.within(role)) == allowed
            answer = every.ask(method, path, body)
            assert answer.status_code in ((200, 404) if allowed else (403,)), (name, answer.text)
            with Api(town, set(SCOPES) - {name}, name="maker") as without:
                assert name in problem(without.ask(method, path, body), 403)
    assert "order" not in town.did()


def test_the_document_is_for_a_token_or_somebody_signed_in(town: Town, api: Api) -> None:
    assert api.ask("GET", "/openapi.json").json()["openapi"].startswith("3.1")
    problem(api.ask("GET", "/openapi.json", token=""), 401)
    problem(api.ask("GET", "/openapi.json", token="x"), 401)
    browser = Browser(town)
    browser.sign_in("hanako")
    assert browser.get("/api/v1/openapi.json").status_code == 200
    with Api(town, (), name="hanako") as nothing:
        assert nothing.ask("GET", "/openapi.json").status_code == 200


def test_an_old_answer_is_forgotten(town: Town, api: Api) -> None:
    now_ms = pages.now_ms()
    kept = token_store.Answer("q", "a")
    town.write(lambda conn: token_store.keep_answer(conn, 1, "k", kept, now_ms))
    assert town.read(lambda conn: token_store.answer(conn, 1, "k", now_ms)) == kept
    assert town.read(lambda conn: token_store.answer(conn, 2, "k", now_ms)) is None
    assert town.read(lambda conn: token_store.answer(conn, 1, "k", now_ms + DAY_MS)) is None
