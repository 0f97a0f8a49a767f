"""Passwords: long, any character, none that everybody tries, and no word about who exists."""

import itertools
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import password, people
from hub.password import LONGEST, is_good
from hub.weak import WORDS, is_weak
from tests.login.parts import PASSWORD, Browser, Town, token_in

# As they stand in everybody's list; typed here by hand.
COMMON = """
password password1 password123 passw0rd p@ssw0rd P@ssw0rd1 Password! pa55word 12345678 123456789 1234567890 0987654321
87654321 11111111 00000000 88888888 12341234 11223344 qwertyui qwertyuiop qwerty123 qwerty12345 1q2w3e4r 1q2w3e4r5t
1qaz2wsx 1qaz2wsx3edc zaq12wsx qazwsxedc asdfghjk asdfghjkl zxcvbnm, iloveyou iloveyou1 sunshine princess football
baseball superman batman123 trustno1 letmein1 welcome1 Welcome2026 admin123 administrator Administrator1 changeme
changeme123 dragon12 monkey123 michael1 jordan23 starwars pokemon1 computer internet whatever abc12345 abcd1234
abcdefgh abcdefghij a1b2c3d4e5 aaaaaaaa aaaaaaab aabbccdd 19700101 19991231 20261124 0312345678 sakura123 Sakura2026!
sakurasakura doraemon anpanman totoro99 nintendo64pokemon fujisan1 himawari hanako123 tarou1234 suzuki2026 yamada.taro
takahashi1 tokyo2020 osaka1970 reiwa2026 heisei31 shouwa64 yakuba2026 machinaka1 Machinaka! soumuka1 jouhou2026
kanrisha1 hokkaido1 nagasaki! konnichiwa arigatou1 daisuki! ganbare! himitsu1 himitsu! pasuwado1 hanshintigers
tigers1985 さくらさくら さくら2026 ぱすわーど パスワード1 町役場町役場 富士山富士山 あいうえおかきく いろはにほへと
""".split()  # noqa: SIM905 (words read as words)
GOOD = [
    "tulip-gate-91",
    "kaki 9 no ki",
    "x7kd92jqwm",
    "correct horse battery staple",
    "雨あがりの坂道を下る犬",
    "ñandú corrió 7 leguas",
    "🍙🚲🌊🗻🐕🎐🏮🍵",
    PASSWORD,
    "a" * 3 + "long" * 2 + " and then another 61-character sentence, to be sure it fits",
]


def made() -> set[str]:
    """Passwords as people make them of a word: longer ones than the shortest that is allowed."""
    ends = (
        "1",
        "12",
        "123",
        "1234",
        "!",
        "1!",
        "01",
        "99",
        "2025",
        "2026",
        "2026!",
        "@2026",
        "_1985",
        "#1",
        "00",
        "007",
    )
    words = sorted(word for word in WORDS if word.isascii() and len(word) >= 5)
    forms = [str.lower, str.capitalize, str.upper]
    found = {form(word) + end for word, end, form in itertools.product(words, ends, forms)}
    found |= {word.replace("a", "@").replace("o", "0") + end for word, end in itertools.product(words, ends)}
    return {one for one in found if len(one) >= password.SHORTEST}


def test_d3_more_than_three_thousand_common_passwords_are_refused() -> None:
    everybodys = made()
    assert len(everybodys) > 3000
    assert not [one for one in everybodys if is_good(one, "mika", alone=False)]
    # Nor do they get good by being said twice, which makes them long enough to stand alone.
    assert not [
        one for one in itertools.islice(sorted(everybodys), 0, None, 50) if is_good(one * 2, "mika", alone=True)
    ]


@pytest.mark.parametrize("common", COMMON)
def test_d3_what_everybody_tries_is_refused(common: str) -> None:
    assert is_weak(common) or len(common) < password.SHORTEST


@pytest.mark.parametrize("good", GOOD)
def test_d3_any_character_is_allowed_and_sixty_four_are_not_too_many(good: str) -> None:
    assert is_good(good, "hanako", alone=False)
    assert len(good) < password.SHORTEST_ALONE or is_good(good, "hanako", alone=True)


@pytest.mark.parametrize(
    ("given", "alone", "good"),
    [
        ("kaki9no", False, False),
        ("kaki9nok", False, True),
        ("kaki9nokirekaki", True, True),
        ("kaki9nokirekak", True, False),
        ("kaki 9 no " * 20, False, True),
        ("kaki 9 no " * 20 + "k", False, False),
        ("kaki 9 " * 20, False, False),
        ("".join(chr(0x3041 + n % 80) for n in range(0, 1000, 5)), False, True),
        ("".join(chr(0x3041 + n % 80) for n in range(0, 1005, 5)), False, False),
        ("hanako-hanako", False, False),
        ("yamada-hanako-1", False, False),
        ("minamimachi2026", False, False),
        ("minamimachi2026", True, False),
    ],
)
def test_d3_how_long_and_what_not(given: str, alone: bool, good: bool) -> None:
    assert is_good(given, "hanako", alone=alone, known=("minamimachi", "山田")) is good


def test_d3_the_whole_password_counts(town: Town) -> None:
    """Nothing is cut off before it is compared, and the same keys on another keyboard are the same."""
    long = "".join(chr(0x4E00 + n) for n in range(LONGEST))
    number = town.add("taro", "clerk")
    town.write(lambda conn: people.set_password(conn, number, password.hashed(long)))
    person = town.read(lambda conn: people.by_id(conn, number))
    assert password.check(person, long)
    assert not password.check(person, long[:-1])
    assert not password.check(person, long + "x")
    assert not password.check(person, long[:72])
    town.write(lambda conn: people.set_password(conn, number, password.hashed("カキ ９ no ki")))
    person = town.read(lambda conn: people.by_id(conn, number))
    assert password.check(person, "ｶｷ 9 no ki")


def test_d3_the_pages_say_how_long(town: Town, admin: Browser) -> None:
    for role, shortest, refused in (("clerk", "15文字以上", "tulip-gate-91"), ("it", "8文字以上", "tulip-9")):
        shown = admin.send("/settings/people", {"name": f"new-{role}", "shown": "南 町子", "role": role})
        token, browser = token_in(shown), Browser(town)
        assert shortest in browser.get(f"/welcome?token={token}").text
        answer = browser.post("/welcome", {"token": token, "password": refused})
        assert (answer.status_code, shortest in answer.text) == (400, True)
        # The person's own name, as long as one likes.
        answer = browser.post("/welcome", {"token": token, "password": "南町子南町子2026-1103-1"})
        assert answer.status_code == 400
    assert quote("南町子") not in answer.text


@given(st.text(max_size=300))
def test_anything_can_be_asked_for(text: str) -> None:
    assert is_weak(text, ("hanako",)) in (True, False)
    assert is_good(text, "hanako", alone=False) in (True, False)


def test_d4_hashes_are_argon2id_with_64_mib() -> None:
    assert password.hashed(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert password.hashed(PASSWORD) != password.hashed(PASSWORD)


def test_d4_a_name_that_does_not_exist_takes_as_long(town: Town) -> None:
    """By the processor's time, the least of several: a check that was left out would take a hundredth."""
    number = town.add("taro", "clerk")
    known = town.read(lambda conn: people.by_id(conn, number))
    town.write(lambda conn: people.set_disabled(conn, number, disabled=True))
    disabled = town.read(lambda conn: people.by_id(conn, number))
    invited_number = town.write(lambda conn: people.add(conn, "jiro", "", "clerk", 0))
    invited = town.read(lambda conn: people.by_id(conn, invited_number))

    def cost_s(person: people.Person | None) -> float:
        costs = []
        for _ in range(4):
            began = time.process_time()
            assert not password.check(person, "not this one")
            costs.append(time.process_time() - began)
        return min(costs)

    right = cost_s(known)
    for person in (None, disabled, invited):
        assert 0.5 < cost_s(person) / right < 2
