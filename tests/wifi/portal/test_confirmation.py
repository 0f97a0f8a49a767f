"""Confirming an e-mail address and typing a voucher: what goes up, what is checked here, and no dead end."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import confirm
from edge_agent.wifi.confirm import Contact
from edge_agent.wifi.portal_words import WORDS
from hub.wifi import keys
from hub.wifi.confirm_letter import letter
from tests.wifi.portal.parts import GUEST, NEIGHBOUR, Hall, hall, kit, opened
from tests.wifi.sessions.parts import CODE, files, give_kit
from wire.messages import Consent, TermsLanguage

MAIL = "hanako@example.jp"


async def _sent(one: Hall, nth: int = -1) -> dict[str, str]:
    consent = (await one.ap.consents())[nth]
    assert (consent.way, consent.contact_key) == ("email", "2026-11 test")
    return opened(consent.contact, consent.session)


async def test_the_code_goes_up_sealed_and_gives_the_whole_time(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        page = await one.ask("/ko/")
        assert 'type="email"' in page.text
        assert (await one.agree("ko", mail=f" {MAIL}")).headers["location"] == "/ko/"
        sent = await _sent(one)
        assert (sent["email"], sent["language"], len(sent["code"])) == (MAIL, "ko", 6)
        page = await one.ask("/ko/")
        assert "10분 동안" in page.text
        assert one.ap.kernel.passes(GUEST)
        assert (await one.api()).said["seconds-remaining"] == 600
        pressed = await one.press("/ko/confirm", token=page.hidden("token"), code=sent["code"])
        assert pressed.headers["location"] == "/ko/?said=confirmed"
        assert (await one.api()).said["seconds-remaining"] == 3600
        assert WORDS["ko"].on in (await one.ask("/ko/?said=confirmed")).text
        on_disk = b"".join(path.read_bytes() for path in files(tmp_path))
        assert MAIL.encode() not in on_disk
        assert b"hanako" not in on_disk


async def test_five_wrong_codes_then_another_mail(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        await one.agree("en", mail=MAIL)
        code = (await _sent(one))["code"]
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        page = await one.ask("/en/")
        for left in (4, 3, 2, 1):
            page = await one.press("/en/confirm", token=page.hidden("token"), code=wrong)
            assert page.status == 403
            assert f"tries left: {left}" in page.text
        for typed in (wrong, code):
            pressed = await one.press("/en/confirm", token=page.hidden("token"), code=typed)
            assert pressed.headers["location"] == "/en/?said=code_over"
        form = await one.ask("/en/mail")
        more = {"token": form.hidden("token"), "terms": form.hidden("terms")}
        assert (await one.press("/en/mail", mail=MAIL, **more)).headers["location"] == "/en/"
        assert one.ap.kernel.passes(GUEST)
        fresh = (await _sent(one))["code"]
        pressed = await one.press("/en/confirm", token=page.hidden("token"), code=fresh)
        assert pressed.headers["location"] == "/en/?said=confirmed"
        assert (await one.api()).said["seconds-remaining"] == 3600


async def test_a_few_mails_an_hour_and_device(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        await one.agree("en", mail=MAIL)
        for asked in (2, 3, 4):
            form = await one.ask("/en/mail")
            more = {"token": form.hidden("token"), "terms": form.hidden("terms")}
            pressed = await one.press("/en/mail", mail=MAIL, **more)
            assert pressed.headers["location"] == ("/en/mail?said=mail_many" if asked == 4 else "/en/")
        assert "in about an hour" in (await one.ask("/en/mail?said=mail_many")).text
        assert (await one.agree("en", source=NEIGHBOUR, mail=MAIL)).headers["location"] == "/en/"
        assert len(await one.ap.consents()) == 4


async def test_no_address_no_session(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        for typed in ("", "hanako", "a@b.example\r\nBcc: c@d.example"):
            assert (await one.agree("en", mail=typed)).headers["location"] == "/en/?said=mail_bad"
        assert "name@example.jp" in (await one.ask("/en/?said=mail_bad")).text
        assert not one.ap.kernel.passes(GUEST)
        assert await one.ap.consents() == []


async def test_who_does_not_confirm_is_off_after_ten_minutes(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        await one.agree("en", mail=MAIL)
        page = await one.ask("/en/")
        code = (await _sent(one))["code"]
        one.ap.time.pass_ms(600_001)
        assert not one.ap.kernel.passes(GUEST)
        pressed = await one.press("/en/confirm", token=page.hidden("token"), code=code)
        assert pressed.headers["location"] == "/en/?said=over"
        assert 'type="email"' in (await one.ask("/en/")).text


async def test_without_the_hub_or_a_key_agreeing_is_enough_and_one_sentence_says_so(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        one.online[0] = False
        page = await one.ask("/en/")
        assert WORDS["en"].mail_away in page.text
        assert 'type="email"' not in page.text
        await one.agree("en")
        one.online[0] = True
        give_kit(one.ap, kit(sealing_key=None))
        assert WORDS["en"].mail_away in (await one.ask("/en/", source=NEIGHBOUR)).text
        await one.agree("en", source=NEIGHBOUR)
        assert [(one.way, one.contact) for one in await one.ap.consents()] == [("click", "")] * 2
        assert (await one.api()).said["seconds-remaining"] == 3600


async def test_the_hub_that_goes_away_meanwhile_keeps_nobody_waiting_for_a_mail(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        await one.agree("en", mail=MAIL)
        form = await one.ask("/en/mail")
        one.online[0] = False
        more = {"token": form.hidden("token"), "terms": form.hidden("terms")}
        assert (await one.press("/en/mail", mail=MAIL, **more)).headers["location"] == "/en/"
        assert "You are online" in (await one.ask("/en/")).text


async def test_a_key_that_is_no_point_keeps_nobody_out(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        broken = msgspec.structs.replace(kit().sealing_key, point=b"\x04" + b"\xff" * 64)  # type: ignore[type-var]
        give_kit(one.ap, kit(sealing_key=broken))
        one.ap.order(confirmation="email")
        assert (await one.agree("en", mail=MAIL)).headers["location"] == "/en/"
        assert [one.way for one in await one.ap.consents()] == ["click"]


# ---- vouchers


async def _type(one: Hall, code: str, source: str = "127.0.0.2") -> str:
    page = await one.ask("/en/voucher", source=source)
    more = {"token": page.hidden("token"), "terms": page.hidden("terms")}
    return (await one.press("/en/voucher", source=source, code=code, **more)).headers["location"]


async def test_a_voucher_gives_its_own_time(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(vouchers=True)
        assert "I have a voucher" in (await one.ask("/en/")).text
        assert await _type(one, f"{CODE[:5].lower()} - {CODE[5:]}") == "/en/"
        assert (await one.api()).said["seconds-remaining"] == 240 * 60
        assert [(one.way, one.voucher) for one in await one.ap.consents()] == [("voucher", "V-1")]
        assert await _type(one, CODE, NEIGHBOUR) == "/en/voucher?said=voucher_used"
        assert "ask for a new one" in (await one.ask("/en/voucher?said=voucher_used", source=NEIGHBOUR)).text


async def test_a_voucher_that_is_over_or_unknown_is_said(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(vouchers=True)
        assert await _type(one, "ZZZZZZZZZZ") == "/en/voucher?said=voucher_unknown"
        assert await _type(one, "") == "/en/voucher?said=voucher_unknown"
        assert await one.ap.consents() == []


async def test_guesses_are_few_for_each_and_for_all(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(vouchers=True)
        said = [await _type(one, f"ZZZZZZZZZ{letter}") for letter in "ABCDEF"]
        assert said == ["/en/voucher?said=voucher_unknown"] * 5 + ["/en/voucher?said=guesses"]
        assert await _type(one, CODE) == "/en/voucher?said=guesses"
        # Agreeing without one is still possible, and time lets go.
        assert "in about ten minutes" in (await one.ask("/en/voucher?said=guesses")).text
        one.ap.time.pass_ms(601_000)
        assert await _type(one, CODE) == "/en/"
        for number in range(40):
            for letter in "ABCDE":
                one.who[NEIGHBOUR] = f"02:00:5e:20:00:{number:02x}"
                assert await _type(one, f"ZZZZZZZZZ{letter}", NEIGHBOUR) == "/en/voucher?said=voucher_unknown"
        one.who[NEIGHBOUR] = "02:00:5e:30:00:01"
        assert await _type(one, "ZZZZZZZZZA", NEIGHBOUR) == "/en/voucher?said=guesses"


async def test_where_there_are_no_vouchers_there_is_no_page_for_them(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/en/voucher")
        assert "I have a voucher" not in page.text
        pressed = await one.press("/en/voucher", token=page.hidden("token"), terms=page.hidden("terms"), code=CODE)
        assert pressed.headers["location"] == "/en/"
        assert not one.ap.kernel.passes(GUEST)


async def test_who_could_not_confirm_because_the_hub_went_away_comes_on_by_agreeing(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(confirmation="email")
        await one.agree("en", mail=MAIL)
        one.online[0] = False
        one.ap.time.pass_ms(600_001)
        assert WORDS["en"].mail_away in (await one.ask("/en/")).text
        await one.agree("en")
        assert "You are online" in (await one.ask("/en/")).text
        assert [one.way for one in await one.ap.consents()] == ["email", "click"]


@given(
    st.emails() | st.from_regex(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,70}@[a-z0-9.-]{1,30}\.[a-z]{1,5}", fullmatch=True),
    st.sampled_from(list(WORDS)),
)
def test_the_hub_can_write_to_every_address_that_is_taken_here(email: str, language: TermsLanguage) -> None:
    found = confirm.mailbox(email)
    if found is not None:
        written = letter(msgspec.json.encode(Contact(found, "012345", language)))
        assert written is not None
        assert written.to == found


def test_the_hub_opens_what_was_sealed_for_this_session_and_no_other(tmp_path: Path) -> None:
    key = keys.sealing_key(tmp_path, "2026-11")
    closed = confirm.seal(key, "e" * 32, Contact("a" * 64 + "@" + "b" * 60 + ".example", "012345", "zh-Hant"))
    assert closed is not None
    Consent("e" * 32, "2026-04", "ja", "email", contact=closed, contact_key=key.name)
    assert len(closed) <= 1000
    opened_there = keys.open_contact(tmp_path, key.name, closed, "e" * 32)
    assert opened_there is not None
    assert letter(opened_there) is not None
    assert keys.open_contact(tmp_path, key.name, closed, "f" * 32) is None
