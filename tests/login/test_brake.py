"""Guessing gets slow: for a name, for an address, and not for ever."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.brake import Brake, Key
from tests.login.parts import PASSWORD, Browser, Clock, Town, running_town

NAME: Key = ("name", "hanako")
HOME: Key = ("address", "192.0.2.1")


def test_after_five_failures_a_name_waits_twice_as_long_each_time() -> None:
    clock = Clock()
    brake, waits = Brake(clock), []
    for _ in range(20):
        clock.now_s += wait_s if (wait_s := brake.attempt(NAME)) else 0
        waits.append(wait_s)
    assert waits[:5] == [0] * 5
    longer = [wait for wait in waits if wait]
    assert len(longer) >= 7
    assert longer == [2**number for number in range(len(longer))]
    for _ in range(30):
        clock.now_s += brake.attempt(NAME)
    assert max(brake.attempt(NAME), brake.attempt(NAME)) == 900


def test_an_hour_forgets() -> None:
    clock = Clock()
    brake = Brake(clock)
    for _ in range(30):
        clock.now_s += brake.attempt(NAME)
    clock.now_s += 3600
    assert [brake.attempt(NAME) for _ in range(5)] == [0] * 5
    assert brake.attempt(NAME) == 1


def test_an_address_has_more_free_failures_and_success_takes_only_its_own_back() -> None:
    clock = Clock()
    brake = Brake(clock)
    for number in range(29):
        assert brake.attempt(("name", str(number)), HOME) == 0
    # A colleague who gets in does not use the office up ...
    for _ in range(100):
        assert brake.attempt(NAME, HOME) == 0
        brake.succeeded(NAME, HOME)
    # ... and does not make it forget, either.
    assert brake.attempt(("name", "29"), HOME) == 0
    assert brake.attempt(NAME, HOME) == 1


def test_success_forgets_the_name() -> None:
    clock = Clock()
    brake = Brake(clock)
    for _ in range(4):
        brake.attempt(NAME)
    brake.succeeded(NAME)
    assert [brake.attempt(NAME) for _ in range(5)] == [0] * 5


def test_many_at_once_are_counted_before_the_password_is_looked_at() -> None:
    brake = Brake(Clock())
    with ThreadPoolExecutor(8) as crowd:
        waits = list(crowd.map(lambda _: brake.attempt(NAME), range(100)))
    assert waits.count(0) == 5


def test_what_is_remembered_has_an_end() -> None:
    brake = Brake(Clock())
    for number in range(10_050):
        brake.attempt(("name", str(number)))
    assert len(brake._failures) == 10_000


@given(st.lists(st.sampled_from(["try", "right", "wait"]), max_size=60))
def test_a_wait_is_never_longer_than_fifteen_minutes(steps: list[str]) -> None:
    clock = Clock()
    brake = Brake(clock)
    for step in steps:
        if step == "try":
            assert 0 <= brake.attempt(NAME, HOME) <= 900
        elif step == "right":
            brake.succeeded(NAME, HOME)
        else:
            clock.now_s += 37


def test_the_page_says_how_long_for_known_and_unknown_names_alike(town: Town) -> None:
    town.add("hanako")
    for name in ("hanako", "nobody"):
        browser = Browser(town)
        codes = [browser.sign_in(name, "wrong").status_code for _ in range(5)]
        assert codes == [401] * 5
        answer = browser.sign_in(name, PASSWORD)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "失敗が続いたので、1秒待ってください。" in answer.text
    town.clock.now_s += 1
    assert Browser(town).sign_in("hanako").status_code == 303


def test_the_present_password_cannot_be_guessed_either(town: Town, admin: Browser) -> None:
    form = {"now": "wrong", "password": "another long sentence"}
    assert [admin.send("/settings/password", form).status_code for _ in range(5)] == [400] * 5
    answer = admin.send("/settings/password", {**form, "now": PASSWORD})
    assert answer.status_code == 429
    assert "1秒待ってください" in answer.text


def test_d5_a_hundred_tries_at_one_name_and_it_is_not_shut_for_ever(town: Town) -> None:
    town.add("taro", "clerk")
    browser, waits = Browser(town), []
    codes = []
    for _ in range(100):
        answer = browser.sign_in("taro", "wrong")
        codes.append(answer.status_code)
        waits.append(int(answer.headers.get("retry-after", "0")))
    assert codes.count(401) == 5
    assert codes.count(429) == 95
    assert max(waits) == 1
    town.clock.now_s += 1
    assert browser.sign_in("taro").status_code == 303


def test_d5_no_header_says_where_one_comes_from(town: Town) -> None:
    """One after the other tries another name from what it says is another place."""
    browser, codes = Browser(town), []
    for number in range(40):
        form = {"name": f"name-{number}", "password": "wrong"}
        place = {"x-forwarded-for": f"192.0.2.{number}", "forwarded": f"for=192.0.2.{number}", "x-real-ip": "192.0.2.9"}
        codes.append(browser.post("/sign-in", form, **place).status_code)
    assert codes == [401] * 30 + [429] * 10


def test_d5_behind_a_proxy_its_own_word_counts_and_not_what_it_was_told(tmp_path: Path) -> None:
    with running_town(tmp_path, public_url="https://hub.example") as town:
        browser = Browser(town)

        def tries(place: str) -> int:
            form = {"name": f"name-{place}", "password": "wrong"}
            headers = {"x-forwarded-for": place, "origin": "https://hub.example"}
            return browser.post("/sign-in", form, **headers).status_code

        assert [tries(f"203.0.113.{number}, 192.0.2.7") for number in range(31)] == [401] * 30 + [429]
        assert tries("192.0.2.7") == 429
        assert tries("192.0.2.8") == 401
        assert [tries(f"2001:db8::{number:x}") for number in range(1, 32)] == [401] * 30 + [429]
        assert tries("2001:db8:0:1::1") == 401
