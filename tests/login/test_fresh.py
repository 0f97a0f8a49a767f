"""What matters asks once more who it is, and then goes on with what was wanted."""

import re

import pytest
from fastapi.routing import APIRoute

from hub import app
from hub.proof import FRESH_MS
from tests.login import second
from tests.login.parts import PASSWORD, Browser, Town

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def grow_old(town: Town) -> None:
    """Ten minutes pass for every session, and its use is not forgotten."""
    town.write(lambda conn: conn.execute("UPDATE session SET proved_ms = proved_ms - ?", (FRESH_MS,)))
    town.write(second.free)


def asked(text: str) -> tuple[str, dict[str, str]]:
    """Where the question's form goes and what it carries."""
    form = text[text.index("<main") :]
    action = re.findall(r'<form method="post" action="([^"]+)"', form)[0]
    return action.replace("&amp;", "&"), dict(_HIDDEN.findall(form))


def test_d8_a_change_asks_and_goes_on_with_what_was_typed(town: Town, admin: Browser) -> None:
    grow_old(town)
    answer = admin.send("/settings/people", {"name": "taro", "shown": "鈴木 <太郎>", "role": "clerk"})
    assert answer.status_code == 403
    assert "ご本人の確認" in answer.text
    assert "add_person" not in town.did()
    action, fields = asked(answer.text)
    assert (action, fields["name"], fields["shown"]) == ("/settings/people", "taro", "鈴木 &lt;太郎&gt;")
    wrong = admin.send(action, {**fields, "shown": "鈴木 太郎", "proof": "000000"})
    assert wrong.status_code == 403
    assert "確認コードが違うか" in wrong.text
    done = admin.send(action, {**asked(wrong.text)[1], "proof": second.code()})
    assert done.status_code == 200
    assert "鈴木 太郎" in done.text
    assert town.did()[-2:] == ["proof_failed", "add_person"]
    # For ten minutes from then on nothing is asked.
    assert admin.send("/settings/people", {"name": "jiro", "role": "clerk"}).status_code == 200


def test_d8_a_page_asks_and_goes_on_to_it(town: Town, admin: Browser) -> None:
    grow_old(town)
    answer = admin.get("/settings/audit/export?x=1")
    assert answer.status_code == 403
    action, fields = asked(answer.text)
    assert (action, fields["next"]) == ("/confirm", "/settings/audit/export?x=1")
    done = admin.send(action, {**fields, "proof": second.code()})
    assert done.headers["location"] == "/settings/audit/export?x=1"
    assert admin.get(done.headers["location"]).status_code == 200


def test_d8_who_has_no_code_gives_the_password(town: Town) -> None:
    town.add("mika", "auditor")
    mika = Browser(town)
    mika.sign_in("mika")
    grow_old(town)
    answer = mika.get("/settings/audit/export")
    assert 'name="proof" type="password"' in answer.text
    action, fields = asked(answer.text)
    assert mika.send(action, {**fields, "proof": "wrong"}).status_code == 403
    assert mika.send(action, {**fields, "proof": PASSWORD}).status_code == 303
    assert mika.get("/settings/audit/export").status_code == 200


def test_d8_guessing_is_slowed_down_here_too(town: Town, admin: Browser) -> None:
    grow_old(town)
    form = {"name": "taro", "role": "clerk", "proof": "000000"}
    assert [admin.send("/settings/people", form).status_code for _ in range(5)] == [403] * 5
    answer = admin.send("/settings/people", {**form, "proof": second.code()})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    # The same count as at the sign-in page.
    browser = Browser(town)
    browser.half_sign_in("hanako")
    code = {"csrf": browser.csrf("/sign-in/code"), "code": second.code()}
    assert browser.post("/sign-in/code", code).status_code == 429


def test_d8_a_proof_is_no_way_round_the_csrf_token_or_the_role(town: Town, admin: Browser) -> None:
    town.add("taro", "clerk")
    taro = Browser(town)
    taro.sign_in("taro")
    grow_old(town)
    assert taro.send("/settings/people", {"name": "x1", "role": "clerk", "proof": PASSWORD}).status_code == 403
    answer = admin.post("/settings/people", {"name": "x1", "role": "clerk", "proof": second.code()})
    assert "画面が古くなっています" in answer.text
    assert "add_person" not in town.did()
    assert town.did()[-1] == "sign_in"


FRESH = {
    "POST /confirm",
    "GET /settings/code",
    "POST /settings/code",
    "POST /settings/code/off",
    "POST /settings/recovery",
    "POST /settings/people",
    "POST /settings/people/{number}",
    "GET /settings/audit/export",
    "GET /taps.csv",
    "GET /inventory.csv",
    "GET /inventory.xlsx",
    "POST /devices/enrol/codes",
    "POST /devices/enrol/requests",
    "POST /settings/identity/{name}/revoke",
}


def test_d8_these_routes_ask(town: Town) -> None:
    found = {
        f"{method} {route.path}"
        for route in app.routes(town.app)
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if any("fresh" in getattr(one.call, "__qualname__", "") for one in route.dependant.dependencies)
    }
    assert found >= FRESH


@pytest.mark.parametrize("route", sorted(FRESH))
def test_d8_each_of_them_does_nothing_without(town: Town, admin: Browser, route: str) -> None:
    grow_old(town)
    method, path = route.split()
    path = path.replace("{number}", "1").replace("{name}", "terminal-1")
    before = town.did()
    answer = admin.get(path) if method == "GET" else admin.send(path)
    assert answer.status_code == 403
    assert "ご本人の確認" in answer.text
    assert town.did() == before
