"""The pages from the first opening to the end of a session, over real TLS, without cookies and without scripts."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from edge_agent.wifi.form_token import PERIOD_S
from edge_agent.wifi.guests import Normal
from edge_agent.wifi.portal_words import WORDS
from tests.wifi.portal.parts import BROWSER, GUEST, NEIGHBOUR, OTHER, TERMS, V4, V6, V6_PRIVATE, hall, kit
from tests.wifi.sessions.parts import give_kit
from wire.kit import Terms
from wire.messages import Consent, TermsLanguage
from wire.policy import Opening

LANGUAGES: tuple[TermsLanguage, ...] = get_args(TermsLanguage)
HOUR_MS = 3_600_000


async def test_a_guest_agrees_sees_what_is_left_extends_and_leaves(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        first = await one.ask("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
        assert (first.status, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "Agree and go online" in first.text
        assert "總務" not in first.text
        pressed = await one.agree("en")
        assert (pressed.status, pressed.headers["location"], pressed.body) == (303, "/en/", b"")
        assert one.ap.kernel.passes(GUEST)
        online = await one.ask("/en/")
        assert "60 minutes</dd>" not in online.text
        assert "60 minutes <small>until 09:24</small>" in online.text
        assert "1 GB" in online.text
        assert one.url in online.text
        one.ap.kernel.use(GUEST, 1_000_000, 199_000_000)
        await one.ap.pass_time(50 * 60_000)
        online = await one.ask("/en/")
        assert "10 minutes <small>until 09:24</small>" in online.text
        assert "800 MB" in online.text
        assert "Extensions left: 3" in online.text
        pressed = await one.press("/en/extend", token=online.hidden("token"))
        assert (pressed.status, pressed.headers["location"]) == (303, "/en/?said=extended")
        online = await one.ask("/en/?said=extended")
        assert "Your time has been extended." in online.text
        assert "70 minutes <small>until 10:24</small>" in online.text
        pressed = await one.press("/en/leave", token=online.hidden("token"))
        assert (pressed.status, pressed.headers["location"]) == (303, "/en/?said=left")
        assert not one.ap.kernel.passes(GUEST)
        assert "Agree and go online" in (await one.ask("/en/?said=left")).text


async def test_the_consent_names_the_version_and_the_language_that_was_read(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("zh-Hant")
        standing = one.ap.guests.standing(GUEST)
        assert standing is not None
        assert await one.ap.consents() == [Consent(standing.session, "2026-04", "zh-Hant")]


async def test_a_text_that_is_missing_is_shown_and_kept_in_the_next_best(tmp_path: Path) -> None:
    texts: dict[TermsLanguage, str] = {"ja": TERMS["ja"], "en": TERMS["en"]}
    async with hall(tmp_path, content=kit(terms=Terms("7", texts))) as one:
        page = await one.ask("/ko/terms")
        assert 'lang="en"' in page.text
        assert "Free Wi-Fi for everyone &lt;in town&gt;." in page.text
        assert WORDS["ko"].terms_other in page.text
        await one.agree("ko")
        await one.agree("ja-easy", source=NEIGHBOUR)
        assert [(one.terms, one.language) for one in await one.ap.consents()] == [("7", "en"), ("7", "ja")]


@pytest.mark.parametrize("source", [V4, V6, V6_PRIVATE])
async def test_one_device_is_one_guest_by_whatever_address(tmp_path: Path, source: str) -> None:
    async with hall(tmp_path) as one:
        assert (await one.agree("en", source=source)).status == 303
        for other in (V4, V6, V6_PRIVATE):
            assert "You are online" in (await one.ask("/en/", source=other)).text
        assert "Agree and go online" in (await one.ask("/en/", source=NEIGHBOUR)).text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_has_its_language_its_size_and_nothing_from_elsewhere(
    tmp_path: Path, language: TermsLanguage
) -> None:
    async with hall(tmp_path) as one:
        one.ap.order(vouchers=True)
        pages = [await one.ask(f"/{language}/{name}") for name in ("", "terms", "voucher", "?said=disk")]
        await one.agree(language)
        pages.append(await one.ask(f"/{language}/"))
        for page in pages:
            assert page.status == 200
            assert len(page.body) < 30_000
            assert f'<html lang="{WORDS[language].html_lang}">' in page.text
            assert not any(sign in page.text for sign in ("<script", "http://", "src=", "<link", "style=", "@import"))
            assert "総務課 0268-00-0000" in page.text
            assert page.headers["cache-control"] == "no-store"
            assert "script-src" not in page.headers["content-security-policy"]
            assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
            assert "set-cookie" not in page.headers
        assert "<h2>" in pages[1].text


async def test_pressing_twice_is_agreeing_once(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/ja/")
        form = {"token": page.hidden("token"), "terms": page.hidden("terms")}
        for _ in range(3):
            assert (await one.press("/ja/agree", **form)).headers["location"] == "/ja/"
        assert len(await one.ap.consents()) == 1


# ---- what does not count


async def test_a_form_counts_only_from_its_device_with_its_token_for_a_while(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/en/")
        token, terms = page.hidden("token"), page.hidden("terms")
        refused = [
            await one.press("/en/agree"),
            await one.press("/en/agree", token="0" * 40, terms=terms),
            await one.press("/en/agree", token=token),
            await one.press("/en/agree", token=token, terms="2026-05"),
            await one.press("/en/agree", token=token + "\udcff".encode("utf-8", "surrogateescape").hex(), terms=terms),
            await one.press("/en/agree", source=NEIGHBOUR, token=token, terms=terms),
            await one.press("/en/extend", token=token),
        ]
        assert [one.status for one in refused] == [403] * 7
        assert all(WORDS["en"].why["form"].split("’")[0] in one.text for one in refused)
        stranger = await one.press("/en/agree", source="127.0.0.9", token=token, terms=terms)
        assert stranger.status == 403
        assert "connected to the town" in stranger.text
        one.ap.time.pass_ms(2 * PERIOD_S * 1000)
        assert (await one.press("/en/agree", token=token, terms=terms)).status == 403
        assert await one.ap.consents() == []
        # The page that refuses has a form that counts.
        again = await one.press("/en/agree", token=token, terms=terms)
        form = {"token": again.hidden("token"), "terms": again.hidden("terms")}
        assert (await one.press("/en/agree", **form)).status == 303


async def test_a_token_of_another_page_is_no_consent(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("en")
        token = (await one.ask("/en/")).hidden("token")
        await one.ap.guests.leave(GUEST)
        assert (await one.press("/en/agree", token=token)).status == 403
        assert len(await one.ap.consents()) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://portal.town.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://portal.town.example"}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({}, 303),
    ],
)
async def test_a_form_on_another_sites_page_does_nothing(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/en/")
        form = {"token": page.hidden("token"), "terms": page.hidden("terms")}
        assert (await one.ask("/en/agree", method="POST", headers=headers, form=form)).status == status


async def test_another_host_s_name_leads_nowhere(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        for host in ("evil.example", "10.77.0.1", "", "portal.town.example.evil.example", "xportal.town.example"):
            assert (await one.ask("/en/", host=host or " ")).status in (400, 421)
        for host in ("PORTAL.town.example", "portal.town.example.", f"portal.town.example:{one.https}"):
            assert (await one.ask("/en/", host=host)).status == 200


async def test_terms_that_change_while_they_are_read_are_read_again(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/en/")
        give_kit(one.ap, msgspec.structs.replace(one.ap.kit.kept.content or kit(), terms=Terms("2026-12", TERMS)))
        pressed = await one.press("/en/agree", token=page.hidden("token"), terms=page.hidden("terms"))
        assert pressed.status == 403
        assert pressed.hidden("terms") == "2026-12"


async def test_what_an_address_says_is_one_of_ours_or_nothing(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        plain = (await one.ask("/en/")).body
        for said in ("%3Cscript%3E", "nothing", "wrong", "fault%00", "x" * 500):
            assert (await one.ask(f"/en/?said={said}")).body == plain
        assert "The equipment has a fault" in (await one.ask("/en/?said=fault")).text


@pytest.mark.parametrize(
    ("path", "to"), [("/en/agree", "/en/"), ("/ko", "/ko/"), ("/anything", "/"), ("/de/", "/"), ("/en/x/y", "/en/")]
)
async def test_who_is_lost_comes_to_the_page(tmp_path: Path, path: str, to: str) -> None:
    async with hall(tmp_path) as one:
        found = await one.ask(path)
        assert (found.status, found.headers["location"]) == (303, to)
        assert (await one.ask("/favicon.ico")).status == 404
        assert (await one.ask("/en/", method="DELETE")).status == 405


# ---- refusals, in plain words


async def test_after_the_last_extension_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("ja")
        for left in (3, 2, 1):
            page = await one.ask("/ja/")
            assert f"延長はあと{left}回できます。" in page.text
            await one.press("/ja/extend", token=page.hidden("token"))
        page = await one.ask("/ja/")
        assert "延長は、もうできません。" in page.text
        assert "/ja/extend" not in page.text
        refused = await one.press("/ja/extend", token=page.hidden("token"))
        assert refused.headers["location"] == "/ja/?said=extensions"
        assert "明日またお使いいただけます" in (await one.ask("/ja/?said=extensions")).text
        await one.ap.pass_time(4 * HOUR_MS)
        assert (await one.agree("ja")).headers["location"] == "/ja/?said=extensions"
        assert not one.ap.kernel.passes(GUEST)


async def test_over_the_quota_the_page_says_slower_and_the_api_no_bytes(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("ja")
        one.ap.kernel.use(GUEST, 0, 1_000_000_001)
        await one.ap.guests.round()
        assert "1 GBを超えたため、ゆっくりになっています" in (await one.ask("/ja/")).text
        assert "bytes-remaining" not in (await one.api()).said


async def test_a_kernel_that_takes_nobody_is_said(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.kernel.broken = "netlink"
        assert (await one.agree("en")).headers["location"] == "/en/?said=fault"


async def test_closed_hours_are_said_with_today_s(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        page = await one.ask("/en/")
        one.ap.mode = Normal("closed")
        every = ["08:30-17:15"]
        one.ap.order(opening_follows=True, opening=Opening(every, every, every, every, every, every, every))
        closed = await one.ask("/en/")
        assert closed.status == 200
        assert "Hours today: 08:30–17:15" in closed.text
        assert "/en/agree" not in closed.text + (await one.ask("/en/terms")).text
        one.ap.order(opening=Opening())
        assert "Closed today." in (await one.ask("/en/")).text
        pressed = await one.press("/en/agree", token=page.hidden("token"), terms=page.hidden("terms"))
        assert pressed.headers["location"] == "/en/?said=closed"
        assert "closed at this hour" in (await one.ask("/en/?said=closed")).text


async def test_in_a_disaster_nobody_has_to_agree(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.mode = Normal("disaster", "00000JAPAN")
        page = await one.ask("/ja/")
        assert "手続きなしで" in page.text
        assert "同意して使う" not in page.text
        assert await one.ap.consents() == []


async def test_a_clock_that_is_not_sure_shows_no_time_of_day(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("en")
        one.ap.time.synced = False
        page = await one.ask("/en/")
        assert "60 minutes</dd>" in page.text
        assert "until" not in page.text


async def test_a_session_that_is_over_shows_the_first_page_again(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("en")
        online = await one.ask("/en/")
        one.ap.time.pass_ms(HOUR_MS + 1000)
        assert "Agree and go online" in (await one.ask("/en/")).text
        # The clock of the wall changes nothing.
        one.ap.time.set_wall(one.ap.time.wall_ms - 2 * HOUR_MS)
        assert "Agree and go online" in (await one.ask("/en/")).text
        # Whoever presses a moment too late goes on with an extension.
        pressed = await one.press("/en/extend", token=online.hidden("token"))
        assert pressed.headers["location"] == "/en/?said=extended"


async def test_before_a_kit_the_wifi_says_that_it_is_not_ready(tmp_path: Path) -> None:
    async with hall(tmp_path, with_kit=False) as one:
        for path in ("/", "/hotspot-detect.html"):
            page = await one.ask(path, plain=True, host="captive.apple.com", headers={"Accept-Language": "ko"})
            assert (page.status, page.headers["cache-control"]) == (503, "no-store")
            assert page.text.index(WORDS["ko"].not_ready) < page.text.index(WORDS["en"].not_ready)
            assert all(WORDS[one].not_ready in page.text for one in LANGUAGES if one != "ja-easy")
            assert len(page.body) < 30_000
        with pytest.raises(OSError):
            await one.connect()
        give_kit(one.ap, kit())
        assert (await one.ask("/en/")).status == 200


async def test_who_is_known_elsewhere_goes_on_without_agreeing(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        await one.agree("en")
        one.ap.kernel.use(GUEST, 1, 1)
        await one.ap.pass_time(60_000)
        found = one.ap.guests.standing(GUEST)
        assert found is not None
        await one.ap.guests.end(found.session, "idle")
        assert one.ap.guests.standing(GUEST) is None
        assert "You are online" in (await one.ask("/en/")).text
        assert len(await one.ap.consents()) == 1


def test_the_tests_know_which_addresses_are_whose() -> None:
    assert len({BROWSER, V4, V6, V6_PRIVATE, NEIGHBOUR}) == 5
    assert GUEST != OTHER
