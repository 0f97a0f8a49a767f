"""Pages of the terms: a draft by language, a look as guests see it, publishing, versions that stay."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub import audit
from hub.db import Connection
from hub.wifi import certificate, keys, terms_store
from tests.certificates import pki
from tests.login.parts import Browser, Town
from tests.wifi.kit.test_certificate import chain, key_pem, make

OPERATOR = {
    "of": "shipped",
    "name": "ニセコ町",
    "reading": "にせこちょう",
    "latin": "Niseko Town",
    "contact": "総務課 0136-00-0000",
}
DRAFT = "/wifi/terms/draft"


def digest(page: str) -> str:
    """What was looked at."""
    found = re.search(r'name="looked" value="([0-9a-f]+)"', page)
    assert found, page
    return found[1]


def saved(page: str) -> str:
    """Which draft a form was made from."""
    found = re.search(r'name="saved" value="([0-9]+)"', page)
    assert found, page
    return found[1]


def begin(officer: Browser) -> None:
    """A draft of the shipped texts."""
    assert officer.send(DRAFT, OPERATOR).headers["location"] == f"{DRAFT}?did=begun"


def edit(officer: Browser, language: str, text: str) -> int:
    """A language's text is saved; the answer's code."""
    page = officer.get(f"{DRAFT}/{language}").text
    return officer.send(f"{DRAFT}/{language}", {"text": text, "do": "save", "saved": saved(page)}).status_code


def publish(officer: Browser) -> str:
    """The draft is published; the version that came of it."""
    looked = digest(officer.send("/wifi/terms/publish", {"do": "ask"}).text)
    assert (
        officer.send("/wifi/terms/publish", {"do": "publish", "looked": looked})
        .headers["location"]
        .endswith("published")
    )
    return terms_store_current(officer)


def terms_store_current(officer: Browser) -> str:
    """The version that guests see."""
    found = re.search(r"/wifi/terms/versions/([^?\"]+)\?language=ja\"", officer.get("/wifi/terms").text)
    assert found
    return found[1]


def test_before_anything_is_published_guests_see_the_shipped_texts_and_the_page_says_so(clerk: Browser) -> None:
    page = clerk.get("/wifi/terms").text
    assert "町の規約はまだ公開していません" in page
    assert "アクセスポイントはまだありません" in page
    assert "公開した版はまだありません" in page
    assert "新しい版を作る" not in page
    for language, words in (
        ("ja", "公衆Wi-Fi利用規約"),
        ("ko", "공공 와이파이 이용 약관"),
        ("ja-easy", "<ruby>使<rp>"),
    ):
        text = clerk.get(f"/wifi/terms/versions/shipped-1-180?language={language}").text
        assert words in text
    assert clerk.get("/wifi/terms/versions/2020-01-01").status_code == 404


def test_the_towns_name_goes_into_every_language(hub: Town, officer: Browser) -> None:
    begin(officer)
    found = hub.read(terms_store.draft)
    assert found is not None
    assert "ニセコ町《ちょう》" in found.texts["ja-easy"]
    assert "Niseko Town" in found.texts["en"]
    assert "Niseko Town" in found.texts["ko"]
    assert all("ニセコ町" in found.texts[language] for language in ("ja", "zh-Hans", "zh-Hant"))
    assert all("総務課 0136-00-0000" in text for text in found.texts.values())
    assert not any("{" in text for text in found.texts.values())
    page = officer.get(DRAFT).text
    # The contact has kanji without furigana in plain Japanese: told, and no hindrance.
    assert "ふりがながありません: 総務課" in page
    assert "公開する" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("reading", "niseko"), ("reading", "ひがしちょう"), ("latin", ""), ("contact", "x" * 101)],
)
def test_what_is_wrong_with_the_operator_is_said_at_its_field(
    hub: Town, officer: Browser, field: str, value: str
) -> None:
    answer = officer.send(DRAFT, {**OPERATOR, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert hub.read(terms_store.draft) is None


def test_a_text_is_looked_at_as_guests_see_it_and_saved(hub: Town, officer: Browser) -> None:
    begin(officer)
    page = officer.get(f"{DRAFT}/ja").text
    text = "# 見出し\r\n\r\n- <b>一</b>\r\n町《まち》"
    look = officer.send(f"{DRAFT}/ja", {"text": text, "do": "look", "saved": saved(page)}).text
    assert "<h3>見出し</h3>" in look
    assert "<li>&lt;b&gt;一&lt;/b&gt;</li>" in look
    assert "<ruby>町<rp>（</rp><rt>まち</rt><rp>）</rp></ruby>" in look
    before = hub.read(terms_store.draft)
    assert before is not None
    assert before.texts["ja"] != text
    assert edit(officer, "ja", text) == 303
    after = hub.read(terms_store.draft)
    assert after is not None
    assert after.texts["ja"] == "# 見出し\n\n- <b>一</b>\n町《まち》"
    assert after.texts["en"] == before.texts["en"]


def test_what_somebody_else_saved_is_not_written_over(hub: Town, officer: Browser) -> None:
    begin(officer)
    old = saved(officer.get(f"{DRAFT}/en").text)
    assert edit(officer, "en", "theirs") == 303
    answer = officer.send(f"{DRAFT}/en", {"text": "mine", "do": "save", "saved": old})
    assert answer.status_code == 409
    assert "mine" in answer.text
    found = hub.read(terms_store.draft)
    assert found is not None
    assert found.texts["en"] == "theirs"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "文面がありません"),
        ("町《まち", "ふりがなとして読めません"),
        ("{operator} です", "まだ埋めていないところ {operator}"),
    ],
)
def test_a_version_with_a_hole_is_told_and_not_published(hub: Town, officer: Browser, text: str, words: str) -> None:
    begin(officer)
    assert edit(officer, "ja", text) == 303
    page = officer.get(DRAFT).text
    assert words in page
    assert "■の付いたところを直すと公開できます" in page
    answer = officer.send("/wifi/terms/publish", {"do": "ask"})
    assert answer.headers["location"] == DRAFT
    assert hub.read(terms_store.history) == []


def test_publishing_asks_once_and_makes_a_version_that_stays(hub: Town, officer: Browser) -> None:
    begin(officer)
    asked = officer.send("/wifi/terms/publish", {"do": "ask"})
    assert "この版を公開しますか" in asked.text
    looked = digest(asked.text)
    # Somebody changes it after the look: what is published is what was looked at, or nothing.
    assert edit(officer, "en", "other") == 303
    officer.send("/wifi/terms/publish", {"do": "publish", "looked": looked})
    assert hub.read(terms_store.history) == []
    touched = hub.read(lambda conn: conn.execute("SELECT coalesce(max(touched), 0) FROM kit_state").fetchone()[0])
    first = publish(officer)
    assert hub.read(lambda conn: conn.execute("SELECT touched FROM kit_state").fetchone()[0]) > touched
    assert hub.read(terms_store.draft) is None
    kept = hub.read(lambda conn: terms_store.published(conn, first))
    officer.send(DRAFT, {"of": "now"})
    assert edit(officer, "en", "the second") == 303
    second = publish(officer)
    assert second == f"{first}-2"
    assert hub.read(lambda conn: terms_store.published(conn, first)) == kept
    assert hub.read(terms_store.current).texts["en"] == "the second"
    page = officer.get(f"/wifi/terms/versions/{first}?language=en").text
    assert "other" in page
    assert hub.did().count("terms_publish") == 2
    entry = next(one for one in hub.read(audit.entries) if one.did == "terms_publish")
    assert (entry.who, entry.what) == ("taro", second)


def test_a_draft_is_thrown_away_after_a_question(hub: Town, officer: Browser) -> None:
    begin(officer)
    looked = digest(officer.send("/wifi/terms/publish", {"do": "ask_drop"}).text)
    assert hub.read(terms_store.draft) is not None
    officer.send("/wifi/terms/publish", {"do": "drop", "looked": looked})
    assert hub.read(terms_store.draft) is None
    assert hub.did()[-1] == "terms_draft_dropped"


def test_which_version_the_guests_of_a_day_agreed_to(hub: Town, clerk: Browser) -> None:
    # 23:59:59 and 0:00 in Japan.
    late, early = 1_795_532_399_000, 1_795_532_400_000

    def consents(conn: Connection) -> None:
        for number, (at_ms, version, language) in enumerate(((late, "v1", "ja"), (early, "v2", "ko"))):
            conn.execute(
                "INSERT INTO wifi_consent (device_id, session, terms, language, way, at_ms) "
                "VALUES (1, ?, ?, ?, 'click', ?)",
                (f"{number:032x}", version, language, at_ms),
            )

    hub.write(consents)
    day = time.strftime("%Y-%m-%d", time.gmtime(late / 1000 + 9 * 3600))
    page = clerk.get(f"/wifi/terms?day={day}").text
    assert "v1</a> · 日本語" in page
    assert "v2" not in page
    assert "その日の同意はありません" in clerk.get("/wifi/terms?day=2020-01-01").text
    assert "のような日を入れてください" in clerk.get("/wifi/terms?day=tomorrow").text


def test_only_who_may_change_the_rules_of_the_wifi_changes_the_terms(clerk: Browser) -> None:
    assert clerk.get(DRAFT).status_code == 403
    assert clerk.send(DRAFT, OPERATOR).status_code == 403
    assert clerk.send("/wifi/terms/publish", {"do": "ask"}).status_code == 403


def test_the_page_says_how_the_portals_certificate_is(hub: Town, clerk: Browser) -> None:
    host, folder = hub.settings.wifi.portal_host, keys.folder_of(Path(hub.settings.state_dir))
    now = datetime.now(UTC)
    now_ms = int(now.timestamp()) * 1000
    assert "証明書はまだありません" in clerk.get("/wifi/terms").text
    certificate.make_own(folder, pki().folder, host, now_ms)
    assert "町の認証局は利用者のスマートフォンに知られていない" in clerk.get("/wifi/terms").text
    since = now - timedelta(days=60)
    root = make("Public Root", ca=True, begin=since, days=999)
    for days, words in ((90, ""), (73, "2週間以内に切れます"), (61, "2週間以内に切れます")):
        leaf = make("p", root, hosts=(host,), begin=since, days=days)
        certificate.bring(folder, host, chain(leaf), key_pem(leaf), [root.certificate], now_ms)
        page = clerk.get("/wifi/terms").text
        assert "外部の認証局のもの" in page
        assert ("▲</span></span> 2週間" in page) == bool(words)
    over = make("p", root, hosts=(host,), begin=since, days=50)
    (folder / certificate.BROUGHT).write_bytes(key_pem(over) + chain(over))
    page = clerk.get("/wifi/terms").text
    assert "入れた証明書は切れました" in page
    assert "町の認証局のもの(自動で更新)" in page
