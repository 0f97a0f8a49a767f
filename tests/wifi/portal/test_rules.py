"""The rules below the portal: what a request accepts, what the API says, whose a form is, how often one may try."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import accept, capport, confirm, form_token
from edge_agent.wifi.confirm import Codes
from edge_agent.wifi.guesses import Brake
from edge_agent.wifi.portal_visit import host_of, plain_address
from tests.wifi.portal.parts import GUEST, OTHER
from wire.messages import TermsLanguage

CAPPORT = "application/captive+json"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (CAPPORT, True),
        (f"{CAPPORT}, */*;q=0.5", True),
        (f"text/html, {CAPPORT};q=0.1", True),
        (f'text/plain;a="x,{CAPPORT}", text/html', False),
        (f"text/html,{CAPPORT.upper()} ; q=1.000", True),
        ("application/*;q=0.2", True),
        ("*/*", True),
        ("", True),
        (None, True),
        (f"{CAPPORT};q=0", False),
        (f"{CAPPORT};q=0.000, */*", False),
        ("text/html", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/capport+json", False),
        ("*/*;q=0", False),
    ],
)
def test_the_api_is_for_whoever_names_its_type(header: str | None, *, wanted: bool) -> None:
    assert accept.wants_capport(header) is wanted


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "ja"),
        ("", "ja"),
        ("*", "ja"),
        ("ja-JP,ja;q=0.9,en-US;q=0.8", "ja"),
        ("en-US,en;q=0.5", "en"),
        ("de-DE,de;q=0.9,ko;q=0.3", "ko"),
        ("vi-VN,vi", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"),
        ("zh-Hans-TW", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("en;q=0.1,ko-KR;q=0.9", "ko"),
        ("ko;q=0,en", "en"),
    ],
)
def test_the_language_is_the_readers_first_of_ours(header: str | None, language: TermsLanguage) -> None:
    assert accept.language(header) == language


@given(st.text(max_size=300))
def test_no_header_is_too_odd(header: str) -> None:
    accept.wants_capport(header)
    assert accept.language(header) in ("ja", "en", "zh-Hans", "zh-Hant", "ko")


def test_a_captive_device_is_told_nothing_of_time_or_bytes() -> None:
    said = msgspec.json.decode(capport.answer(None, "https://p.example/", "https://v.example/"))
    assert said == {"captive": True, "user-portal-url": "https://p.example/", "venue-info-url": "https://v.example/"}


@given(
    st.none() | st.integers(-5, 10**7),
    st.none() | st.integers(-5, 10**13),
    st.booleans(),
    st.sampled_from(["", "http://v/"]),
)
def test_what_remains_is_said_only_when_it_is_limited(
    seconds: int | None, left: int | None, can: bool, venue: str
) -> None:
    said = msgspec.json.decode(capport.answer(capport.Remaining(seconds, left, can), "https://p.example/", venue))
    assert said["captive"] is False
    assert said["can-extend-session"] is can
    assert ("seconds-remaining" in said, "bytes-remaining" in said) == (seconds is not None, left is not None)
    assert all(type(said[name]) is int and said[name] >= 0 for name in said if name.endswith("-remaining"))
    assert "venue-info-url" not in said


@given(st.integers(0, 10**9), st.integers(0, 3 * form_token.PERIOD_S))
def test_a_form_counts_for_its_device_its_terms_and_a_while(now_s: int, later_s: int) -> None:
    key = b"k" * 32
    token = form_token.made(key, GUEST, "2026-04", now_s)
    counts = form_token.counts(key, token, GUEST, "2026-04", now_s + later_s)
    if later_s < form_token.PERIOD_S:
        assert counts
    if later_s >= 2 * form_token.PERIOD_S:
        assert not counts
    assert not form_token.counts(key, token, OTHER, "2026-04", now_s)
    assert not form_token.counts(key, token, GUEST, "2026-05", now_s)
    assert not form_token.counts(b"l" * 32, token, GUEST, "2026-04", now_s)


def test_a_brake_bounds_each_and_all_and_lets_go_with_time() -> None:
    now = [0.0]
    brake = Brake(2, 3, 60, lambda: now[0])
    brake.note("a")
    brake.note("a")
    assert (brake.is_free("a"), brake.is_free("b")) == (False, True)
    brake.note("b")
    assert not brake.is_free("c")
    now[0] = 61
    assert brake.is_free("a")
    brake.note("a")
    brake.note("a")
    brake.take_back("a")
    assert brake.is_free("a")
    brake.take_back("nobody")


def test_a_brake_remembers_a_bounded_number_of_devices() -> None:
    brake = Brake(1, 1_000_000, 60, lambda: 0.0)
    for number in range(10_000):
        brake.note(str(number))
    assert len(brake._of) <= 4096
    assert not brake.is_free("9999")


def test_a_code_has_five_tries_and_ten_minutes_and_is_of_its_session() -> None:
    now = [0.0]
    codes = Codes(lambda: now[0])
    code = codes.draw(GUEST, "s")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (codes.check(OTHER, "s", code), codes.check(GUEST, "t", code)) == ("code_gone", "code_gone")
    assert [codes.check(GUEST, "s", wrong) for _ in range(5)] == ["wrong"] * 4 + ["code_over"]
    assert codes.check(GUEST, "s", code) == "code_over"
    code = codes.draw(GUEST, "s")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert codes.check(GUEST, "s", f" {wide[:3]} {wide[3:]} ") == "right"
    assert codes.check(GUEST, "s", code) == "code_gone"
    code = codes.draw(GUEST, "s")
    assert not codes.may_ask(GUEST)
    assert codes.may_ask(OTHER)
    now[0] = 601
    assert codes.check(GUEST, "s", code) == "code_gone"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (" hanako@example.jp ", "hanako@example.jp"),
        ("ｈａｎａｋｏ＠example．jp", "hanako@example.jp"),
        ("a..b.@docomo.example", "a..b.@docomo.example"),
        ("hanako", None),
        ("hanako@example", None),
        ("a@b.example\r\nBcc: c@d.example", None),
        ("a b@c.example", None),
        ('"a"@b.example', None),
        ("a@-b.example", None),
        ("x" * 65 + "@b.example", None),
        ("花子@example.jp", None),
        ("", None),
    ],
)
def test_a_mailbox_is_one_or_none(typed: str, found: str | None) -> None:
    assert confirm.mailbox(typed) == found


@given(st.text(max_size=400))
def test_nothing_that_is_typed_is_too_odd(typed: str) -> None:
    found = confirm.mailbox(typed)
    assert found is None or (found.isascii() and found.isprintable() and " " not in found)
    assert confirm.digits(typed).isdigit() or confirm.digits(typed) == ""


@pytest.mark.parametrize(
    ("asked", "name"),
    [("Portal.Town.Example:443", "portal.town.example"), ("a.example.", "a.example"), ("[::1]:80", "::1"), ("", "")],
)
def test_a_host_is_its_name(asked: str, name: str) -> None:
    assert host_of(asked) == name


@pytest.mark.parametrize(
    ("peer", "plain"),
    [("::ffff:10.77.0.9", "10.77.0.9"), ("fe80::1%br0", "fe80::1"), ("FD00::A", "fd00::a"), ("10.77.0.9", "10.77.0.9")],
)
def test_an_address_is_as_the_neighbours_have_it(peer: str, plain: str) -> None:
    assert plain_address(peer) == plain
