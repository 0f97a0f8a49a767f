"""Who gets in, who does not, and what both are told."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import audit, pages, people, welcome
from hub.key_file import read_key
from hub.password import check
from tests.login.parts import HASHED, PASSWORD, Browser, Town, running_town, token_in


def test_nobody_is_in_and_no_password_is_ready_made(town: Town) -> None:
    assert town.read(people.everyone) == []
    nobody = Browser(town)
    assert nobody.get("/").headers["location"] == "/sign-in"
    assert nobody.get("/devices?sort=heard").headers["location"] == "/sign-in?next=%2Fdevices%3Fsort%3Dheard"
    assert nobody.get("/healthz").json()["ok"] is True


def test_the_first_administrator_comes_by_a_link_that_works_once(town: Town) -> None:
    token, first = town.admin_link(), Browser(town)
    assert "最初の管理者" in first.get(f"/welcome?token={token}").text
    form = {"token": token, "name": "Hanako ", "shown": "山田  花子", "password": PASSWORD}
    answer = first.post("/welcome", form)
    assert answer.headers["location"] == "/sign-in/set-up?next=%2F"
    # Half in: nothing but setting up the authenticator.
    assert first.get("/").headers["location"] == "/sign-in/code"
    assert "予備コード" in first.give_code(answer).text
    assert first.get("/").status_code == 200
    person = town.read(lambda conn: people.by_name(conn, "hanako"))
    assert person is not None
    assert (person.role, person.shown) == ("administrator", "山田 花子")
    assert person.password.startswith("$argon2id$")

    again = Browser(town)
    assert again.get(f"/welcome?token={token}").status_code == 410
    assert again.post("/welcome", {**form, "name": "taro"}).status_code == 410
    assert town.write(lambda conn: welcome.first_administrator_link(conn, pages.now_ms(), town.url)) is None
    assert town.did() == ["admin_link", "add_person", "password", "set_up_code", "sign_in"]


def test_of_two_who_race_for_the_first_link_one_gets_it(town: Town) -> None:
    token = town.admin_link()
    forms = [{"token": token, "name": name, "password": PASSWORD} for name in ("hanako", "taro", "jiro", "hanako")]
    with ThreadPoolExecutor(4) as crowd:
        codes = sorted(crowd.map(lambda form: Browser(town).post("/welcome", form).status_code, forms))
    assert codes == [303, 410, 410, 410]
    assert len(town.read(people.everyone)) == 1


def test_a_link_ends_with_its_hours_and_a_newer_one_ends_the_older(town: Town) -> None:
    old, new = town.admin_link(), town.admin_link()
    now = pages.now_ms()
    assert town.read(lambda conn: people.invited(conn, old, now)) == (False, None)
    assert town.read(lambda conn: people.invited(conn, new, now)) == (True, None)
    assert town.read(lambda conn: people.invited(conn, new, now + 25 * 3_600_000)) == (False, None)


def test_a_welcome_asks_again_for_what_is_not_right(town: Town) -> None:
    token, browser = town.admin_link(), Browser(town)
    for name, password, sentence in (
        ("x", PASSWORD, "2〜40文字"),
        ("山田", PASSWORD, "2〜40文字"),
        ("system", PASSWORD, "2〜40文字"),
        ("hanako", "short", "8文字以上"),
        ("hanako", "hanakohanakohanako", "8文字以上"),
        ("hanako", "aaaaaaaaaaaaaaaaaaaa", "8文字以上"),
        ("hanako", PASSWORD * 20, "8文字以上"),
    ):
        answer = browser.post("/welcome", {"token": token, "name": name, "shown": "はなこ", "password": password})
        assert answer.status_code == 400
        assert sentence in answer.text
        assert "はなこ" in answer.text
        assert password not in answer.text
    town.add("taken", "clerk")
    answer = browser.post("/welcome", {"token": token, "name": "taken", "password": PASSWORD})
    assert "使われています" in answer.text
    # Nothing of all that used the link up.
    assert browser.get(f"/welcome?token={token}").status_code == 200


def test_an_invited_person_chooses_a_password_once(town: Town, admin: Browser) -> None:
    shown = admin.send("/settings/people", {"name": "taro", "shown": "太郎", "role": "clerk"})
    token, taro = token_in(shown), Browser(town)
    assert "太郎 さん" in taro.get(f"/welcome?token={token}").text
    # The invited name is kept whatever the form says.
    assert taro.post("/welcome", {"token": token, "name": "root", "password": PASSWORD}).status_code == 303
    assert taro.get("/taps").status_code == 200
    assert Browser(town).post("/welcome", {"token": token, "password": PASSWORD}).status_code == 410
    assert [person.name for person in town.read(people.everyone)] == ["hanako", "taro"]
    assert town.did()[-3:] == ["add_person", "password", "sign_in"]


def test_before_choosing_a_password_nobody_gets_in(town: Town, admin: Browser) -> None:
    admin.send("/settings/people", {"name": "taro", "role": "clerk"})
    for password in ("", PASSWORD, "nobody has this password"):
        assert Browser(town).sign_in("taro", password).status_code == 401


def test_the_answer_is_the_same_whatever_was_wrong(town: Town) -> None:
    town.add("hanako")
    disabled = town.add("left", "clerk")
    town.write(lambda conn: people.set_disabled(conn, disabled, disabled=True))
    answers = set()
    for name, password in (("hanako", "not this one"), ("nobody", PASSWORD), ("left", PASSWORD), ("", ""), ("?", "")):
        answer = Browser(town).sign_in(name, password)
        assert answer.status_code == 401
        assert not answer.cookies
        answers.add(re.sub(r'id="name" name="name" value="[^"]*"| autofocus', "", answer.text).replace(" >", ">"))
    assert len(answers) == 1
    assert "サインイン名かパスワードが違います。" in answers.pop()
    # A name that does not exist may be a password typed into the wrong field: it is not kept.
    whos = {entry.who for entry in town.read(audit.entries)}
    assert whos == {"hanako", "left", "?"}


def test_the_right_password_lets_in_and_goes_where_one_was_going(town: Town) -> None:
    town.add("hanako")
    browser = Browser(town)
    assert browser.sign_in(" HANAKO ", PASSWORD, "/devices?sort=heard").headers["location"] == "/devices?sort=heard"
    assert browser.signed_in()
    assert town.did() == ["sign_in"]


@pytest.mark.parametrize(
    "away",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "javascript:alert(1)",
        "elsewhere",
        "",
        "/" + "x" * 3000,
    ],
)
def test_nobody_is_sent_elsewhere(town: Town, away: str) -> None:
    town.add("hanako")
    browser = Browser(town)
    assert browser.sign_in("hanako", PASSWORD, away).headers["location"] == "/"
    assert browser.get("/language/en?next=" + quote(away, safe="")).headers["location"] == "/"


@given(st.text(max_size=40))
def test_a_way_back_is_a_path_of_our_own(text: str) -> None:
    path = pages.safe_next(text)
    assert path.startswith("/")
    assert not re.match(r"/[/\\]", path)
    assert not re.search(r"[\x00-\x20\\]", path)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(town: Town) -> None:
    town.add("hanako")
    answer = Browser(town).sign_in("hanako")
    flags = answer.headers["set-cookie"].lower()
    assert flags.startswith("machinaka=")
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= {part.strip() for part in flags.split(";")}
    assert "domain" not in flags


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    with running_town(tmp_path, public_url="https://hub.example") as town:
        town.add("hanako", "clerk")
        browser = Browser(town)
        answer = browser.post("/sign-in", {"name": "hanako", "password": PASSWORD}, origin="https://hub.example")
        cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-machinaka"]
        assert cookie["secure"]
        assert cookie["httponly"]
        assert answer.headers["strict-transport-security"]
        page = browser.get("/", cookie=f"__Host-machinaka={cookie.value}")
        assert page.status_code == 200
        assert browser.get("/language/en").headers["set-cookie"].lower().count("secure") == 1


def test_a_cookie_that_was_not_signed_here_is_nobody(town: Town, admin: Browser) -> None:
    value = admin.cookies["machinaka"]
    token = value.rpartition(".")[0]
    for forged in (token, token + "." + "A" * 43, "x" + value, value[:-1], "", "...."):
        assert Browser(town).get("/session", cookie=f"machinaka={forged}").status_code == 401
    assert Browser(town).get("/session", cookie=f"machinaka={value}").status_code == 204


def test_the_key_of_the_cookies_is_for_the_hub_alone_and_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    key = read_key(tmp_path / "new", "session.key")
    path = tmp_path / "new" / "session.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "new", "session.key") == key
    path.write_bytes(b"")
    assert len(read_key(tmp_path / "new", "session.key")) == 32


def test_tokens_are_not_in_the_database(town: Town, admin: Browser) -> None:
    shown = admin.send("/settings/people", {"name": "taro", "role": "clerk"})
    tokens = [admin.cookies["machinaka"].split(".")[0], token_in(shown), PASSWORD]
    town.write(lambda conn: None)
    kept = b"".join(file.read_bytes() for file in Path(town.settings.state_dir).iterdir())
    assert not [token for token in tokens if token.encode() in kept]


def test_whoever_was_changed_while_their_password_was_looked_at_is_not_let_in(town: Town) -> None:
    number = town.add("hanako")
    person = town.read(lambda conn: people.by_id(conn, number))
    assert check(person, PASSWORD)
    town.write(lambda conn: people.set_password(conn, number, HASHED + "x"))
    assert person != town.read(lambda conn: people.by_id(conn, number))
    assert Browser(town).sign_in("hanako").status_code == 401
