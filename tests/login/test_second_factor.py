"""The second factor: owed by administrators and IT officers, a choice for others, used once, got back by paper."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import access, factors, pages, password, people, second_factor
from hub.access import ROLES
from hub.second_factor import Sealing
from tests.hub_process import Hub
from tests.login import second
from tests.login.parts import HASHED, PASSWORD, Browser, Town, token_in

NOW_MS = 1_790_000_000_000
RECOVERY = re.compile(r"<li><code>([0-9a-z-]{19})</code></li>")


def owed(town: Town, browser: Browser, code: str, path: str = "/sign-in/code") -> int:
    """What a code is answered with."""
    return browser.post(path, {"csrf": browser.csrf(path), "code": code}).status_code


# ---- the rule


def test_the_digits_are_those_of_rfc_6238() -> None:
    """Appendix B, SHA-1, the last six of its eight digits."""
    secret = b"12345678901234567890"
    for at_s, digits in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert second_factor.matching_step(secret, digits, at_s * 1000) == at_s // 30


@given(st.binary(min_size=20, max_size=20), st.integers(-3, 3))
def test_a_step_before_and_after_counts_and_no_further(secret: bytes, off: int) -> None:
    digits = pyotp.TOTP(second_factor.as_text(secret)).generate_otp(NOW_MS // 30_000 + off)
    found = second_factor.matching_step(secret, digits, NOW_MS)
    near = {pyotp.TOTP(second_factor.as_text(secret)).generate_otp(NOW_MS // 30_000 + n) for n in (-1, 0, 1)}
    assert (found is not None) == (digits in near)


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123-456", "１２３４５６", "１２３　４５６"])
def test_digits_are_taken_as_a_person_types_them(typed: str) -> None:
    assert second_factor.plain(typed) == "123456"


@given(st.text(max_size=30))
def test_anything_else_is_no_code(text: str) -> None:
    assert second_factor.matching_step(second.SECRET, "x" + text, NOW_MS) is None
    assert len(second_factor.hash_of_recovery(text)) == 64


def test_a_secret_is_sealed_and_bound_to_its_person(tmp_path: Path) -> None:
    sealing = Sealing(tmp_path)
    sealed = sealing.seal(1, second.SECRET)
    assert second.SECRET not in sealed
    assert (tmp_path / "codes.key").stat().st_mode & 0o777 == 0o600
    assert Sealing(tmp_path).unseal(1, sealed) == second.SECRET
    assert sealing.unseal(2, sealed) is None
    assert sealing.unseal(1, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert Sealing(tmp_path / "other").unseal(1, sealed) is None


def test_recovery_codes_are_read_with_what_is_mistaken_for_another() -> None:
    codes = second_factor.recovery_codes()
    assert len(set(codes)) == 10
    hashed = second_factor.hash_of_recovery("0123-4567-89ab-1mno".replace("o", "0"))
    assert hashed == second_factor.hash_of_recovery("Ol23 4567 89AB IMNO")


# ---- signing in


def test_d2_without_the_second_factor_there_is_no_session(town: Town) -> None:
    for role in ROLES:
        town.add(role, role)
        browser = Browser(town)
        answer = browser.half_sign_in(role, PASSWORD, "/taps")
        if access.needs_code(role):
            assert answer.headers["location"] == "/sign-in/code?next=%2Ftaps"
            assert not browser.signed_in()
            assert browser.get("/settings").headers["location"].startswith("/sign-in/code")
            assert owed(town, browser, "000000") == 401
            assert not browser.signed_in()
            assert owed(town, browser, second.code()) == 303
        assert browser.signed_in()
    assert {role for role in ROLES if access.needs_code(role)} == {"administrator", "it"}
    assert "code_failed" in town.did()


def test_a_half_session_ends_with_the_right_code_and_the_cookie_is_new(town: Town) -> None:
    town.add("hanako")
    browser = Browser(town)
    browser.half_sign_in("hanako")
    half = browser.cookies["machinaka"]
    assert owed(town, browser, second.code()) == 303
    assert browser.cookies["machinaka"] != half
    other = Browser(town)
    for path in ("/sign-in/code", "/sign-in/set-up"):
        assert other.get(path, cookie=f"machinaka={half}").headers["location"] == "/sign-in"


def test_half_a_session_is_over_after_a_quarter_of_an_hour_and_with_its_person(town: Town) -> None:
    number, now = town.add("hanako"), pages.now_ms()
    token = town.write(lambda conn: people.begin_half(conn, number, now))

    def holds(at_ms: int) -> bool:
        return town.read(lambda conn: people.in_half(conn, token, at_ms)) is not None

    assert holds(now + 899_999)
    assert not holds(now + 900_000)
    assert town.read(lambda conn: people.in_session(conn, token, now)) is None
    town.write(lambda conn: people.set_disabled(conn, number, disabled=True))
    town.write(lambda conn: people.set_disabled(conn, number, disabled=False))
    assert not holds(now)


def test_d5_a_code_works_once(town: Town) -> None:
    town.add("hanako")
    first, again = Browser(town), Browser(town)
    code = second.code()
    first.half_sign_in("hanako")
    again.half_sign_in("hanako")
    assert owed(town, first, code) == 303
    assert owed(town, again, code) == 401
    # Nor does an older one that was not used.
    assert owed(town, again, second.code(steps=-1)) == 401
    assert owed(town, again, second.code(steps=1)) == 303


def test_of_two_who_give_one_code_at_once_one_gets_in(town: Town) -> None:
    town.add("hanako")
    browsers = [Browser(town) for _ in range(4)]
    for browser in browsers:
        browser.half_sign_in("hanako")
    forms = [{"csrf": browser.csrf("/sign-in/code"), "code": second.code()} for browser in browsers]
    with ThreadPoolExecutor(4) as crowd:
        codes = crowd.map(
            lambda one: one[0].post("/sign-in/code", one[1]).status_code, zip(browsers, forms, strict=True)
        )
        assert sorted(codes) == [303, 401, 401, 401]


def test_a_clock_that_was_wrong_locks_nobody_out(town: Town) -> None:
    number = town.add("hanako")
    town.write(lambda conn: conn.execute("UPDATE factor SET last_step = 999999999"))
    browser = Browser(town)
    browser.half_sign_in("hanako")
    assert owed(town, browser, second.code()) == 303
    assert not town.write(lambda conn: factors.use_step(conn, number, 1, second_factor.step_of(pages.now_ms())))


def test_d5_codes_are_slowed_down_for_the_account_and_never_for_ever(town: Town) -> None:
    town.add("hanako")
    browser = Browser(town)
    browser.half_sign_in("hanako")
    codes = [owed(town, browser, "000000") for _ in range(5)]
    assert codes == [401] * 5
    answer = browser.post("/sign-in/code", {"csrf": browser.csrf("/sign-in/code"), "code": second.code()})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    # Another browser is no way round, and neither is setting it up anew.
    other = Browser(town)
    other.half_sign_in("hanako")
    assert owed(town, other, second.code()) == 429
    town.clock.now_s += 1
    assert owed(town, browser, second.code()) == 303


# ---- setting it up


def test_whoever_owes_a_code_and_has_none_sets_it_up_before_anything_else(town: Town) -> None:
    number = town.add("ito", "clerk")
    town.write(lambda conn: people.set_role(conn, number, "it"))
    browser = Browser(town)
    answer = browser.half_sign_in("ito", PASSWORD, "/devices")
    assert answer.headers["location"] == "/sign-in/set-up?next=%2Fdevices"
    page = browser.get(answer.headers["location"])
    assert 'src="data:image/svg+xml' in page.text
    secret = re.findall(r'id="secret">([A-Z2-7 ]+)<', page.text)[0].replace(" ", "")
    # The same when the page is loaded again, another in another session.
    assert secret in browser.get("/sign-in/set-up").text.replace(" ", "")
    other = Browser(town)
    other.half_sign_in("ito")
    assert secret not in other.get("/sign-in/set-up").text.replace(" ", "")
    assert owed(town, browser, "000000", "/sign-in/set-up") == 400
    assert town.read(lambda conn: factors.of(conn, number)) is None
    form = {"csrf": browser.csrf("/sign-in/set-up"), "code": second.code(secret), "next": "/devices"}
    done = browser.post("/sign-in/set-up", form)
    codes = RECOVERY.findall(done.text)
    assert len(codes) == 10
    assert 'href="/devices"' in done.text
    assert browser.signed_in()
    # The other, who was half in, cannot set up another.
    assert other.get("/sign-in/set-up").headers["location"] == "/sign-in/code?next=%2F"
    kept = b"".join(file.read_bytes() for file in Path(town.settings.state_dir).glob("hub.db*"))
    assert not [code for code in (*codes, secret) if code.encode() in kept]
    assert town.did()[-2:] == ["set_up_code", "sign_in"]


def test_a_short_password_does_not_stand_alone(town: Town) -> None:
    """A clerk whose second factor was reset keeps the short password only until a new one is set up."""
    number, short = town.add("taro", "clerk"), "kaki-9-no"
    town.write(lambda conn: people.set_password(conn, number, password.hashed(short)))
    assert Browser(town).half_sign_in("taro", short).headers["location"].startswith("/sign-in/set-up")
    assert Browser(town).half_sign_in("taro", short).status_code == 303


def test_a_clerk_may_choose_it_change_phones_and_turn_it_off(town: Town) -> None:
    number = town.add("taro", "clerk")
    browser, elsewhere = Browser(town), Browser(town)
    browser.sign_in("taro")
    elsewhere.sign_in("taro")
    for _ in range(2):
        secret = re.findall(r'id="secret">([A-Z2-7 ]+)<', browser.get("/settings/code").text)[0].replace(" ", "")
        assert owed(town, browser, "000000", "/settings/code") == 400
        form = {"csrf": browser.csrf(), "code": second.code(secret)}
        assert len(RECOVERY.findall(browser.post("/settings/code", form).text)) == 10
        assert not elsewhere.signed_in()
        assert browser.signed_in()
        # Under a new session, another phone is offered another secret.
        assert secret not in browser.get("/settings/code").text.replace(" ", "")
    assert "予備コードは残り10個" in browser.get("/settings").text
    again = Browser(town)
    assert again.half_sign_in("taro").headers["location"].startswith("/sign-in/code")
    new = RECOVERY.findall(browser.send("/settings/recovery").text)
    assert len(new) == 10
    assert browser.send("/settings/code/off").status_code == 303
    assert town.read(lambda conn: factors.of(conn, number)) is None
    assert town.read(lambda conn: factors.recovery_left(conn, number)) == 0
    assert Browser(town).half_sign_in("taro").headers["location"] == "/"
    assert browser.send("/settings/recovery").headers["location"] == "/settings"
    assert [did for did in town.did() if "code" in did or "recovery" in did] == [
        "set_up_code",
        "set_up_code",
        "new_recovery",
        "code_off",
    ]


def test_an_administrator_cannot_do_without(town: Town, admin: Browser) -> None:
    answer = admin.send("/settings/code/off")
    assert answer.status_code == 400
    assert "2段階認証をやめられません" in answer.text
    assert town.read(lambda conn: factors.of(conn, 1)) is not None


# ---- without the phone


def test_a_recovery_code_works_once_and_says_how_many_are_left(town: Town, admin: Browser) -> None:
    codes = RECOVERY.findall(admin.send("/settings/recovery").text)
    browser = Browser(town)
    browser.half_sign_in("hanako", PASSWORD, "/devices")
    form = {"csrf": browser.csrf("/sign-in/code"), "code": codes[3].upper().replace("-", " "), "next": "/devices"}
    assert browser.post("/sign-in/code", form).headers["location"] == "/settings"
    assert "予備コードは残り9個" in browser.get("/settings").text
    again = Browser(town)
    again.half_sign_in("hanako")
    assert owed(town, again, codes[3]) == 401
    # Somebody else's are no use either.
    town.add("jiro")
    third = Browser(town)
    third.half_sign_in("jiro")
    assert owed(town, third, codes[4]) == 401
    assert owed(town, again, codes[4]) == 303
    assert town.did().count("recovery_code") == 2


def test_another_administrator_resets_a_lost_one(town: Town, admin: Browser) -> None:
    number, jiro = town.add("jiro"), Browser(town)
    jiro.sign_in("jiro")
    asked = admin.send(f"/settings/people/{number}", {"do": "reset_code"})
    assert "本人と顔を合わせるか" in asked.text
    assert jiro.signed_in()
    done = admin.send(f"/settings/people/{number}", {"do": "reset_code", "sure": "yes"})
    assert "取り消しました" in admin.get(done.headers["location"]).text
    assert not jiro.signed_in()
    assert Browser(town).half_sign_in("jiro").headers["location"].startswith("/sign-in/set-up")
    assert town.did()[-1] == "reset_code"
    own = admin.send("/settings/people/1", {"do": "reset_code", "sure": "yes"})
    assert own.status_code == 400
    assert town.read(lambda conn: factors.of(conn, 1)) is not None


def test_the_last_administrators_is_reset_at_the_hub_itself(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    with hub:
        number = second.add_to(hub, "hanako", "administrator", HASHED)
        assert "sets a second factor up anew" in hub.command("reset-code", "hanako")
    conn = sqlite3.connect(hub.database)
    assert conn.execute("SELECT count(*) FROM factor WHERE person_id = ?", (number,)).fetchone() == (0,)
    assert conn.execute("SELECT who, did FROM audit ORDER BY id DESC").fetchone() == ("system", "reset_code")
    conn.close()
    with pytest.raises(Exception, match="non-zero exit status 2"):
        hub.command("reset-code", "nobody")


# ---- roles


def test_a_role_is_changed_after_asking_once_and_ends_the_persons_sessions(town: Town, admin: Browser) -> None:
    number, taro = town.add("taro", "clerk"), Browser(town)
    taro.sign_in("taro")
    page = admin.get(f"/settings/people/{number}").text
    assert "操作の記録を確かめ" in page
    form = {"do": "role", "role": "it"}
    assert "taro さんを情報担当にしますか" in admin.send(f"/settings/people/{number}", form).text
    assert taro.signed_in()
    done = admin.send(f"/settings/people/{number}", {**form, "sure": "yes"})
    assert "taro さんを情報担当にしました" in admin.get(done.headers["location"]).text
    assert not taro.signed_in()
    assert Browser(town).half_sign_in("taro").headers["location"].startswith("/sign-in/set-up")
    assert town.did()[-1] == "change_role"
    for bad in ({"do": "role"}, {"do": "role", "role": "king"}):
        assert admin.send(f"/settings/people/{number}", bad).status_code == 400


def test_the_last_administrator_stays_one(town: Town, admin: Browser) -> None:
    form = {"do": "role", "role": "it", "sure": "yes"}
    answer = admin.send("/settings/people/1", form)
    assert answer.status_code == 400
    assert "最後の管理者です" in answer.text
    # An invited one, and one who is disabled, are no administrators who could take over.
    invited = admin.send("/settings/people", {"name": "jiro", "role": "administrator"})
    assert admin.send("/settings/people/1", form).status_code == 400
    jiro = Browser(town)
    jiro.give_code(jiro.post("/welcome", {"token": token_in(invited), "password": "tulip-gate-91"}))
    assert jiro.signed_in()
    jiro.send("/settings/people/1", {"do": "disable"})
    assert not admin.signed_in()
    assert jiro.send("/settings/people/2", form).status_code == 400
    jiro.send("/settings/people/1", {"do": "enable"})
    assert jiro.send("/settings/people/2", form).status_code == 303
    assert not jiro.signed_in()
