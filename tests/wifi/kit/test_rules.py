"""What terms and vouchers may be: names of versions, findings, the town's name in the texts, codes."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.kiosk import terms_text as portal
from hub.wifi import terms, terms_store, voucher
from hub.wifi.terms import LANGUAGES, Finding, Operator
from hub.wifi.voucher_codes import KEPT_MS, VoucherCodes, new_codes
from wire.kit import VOUCHER_LETTERS, code_hash, voucher_code
from wire.messages import TermsLanguage

TOWN = Operator("士幌町", "しほろちょう", "Shihoro Town", "01564-5-2211")
# Of the shipped texts, with `terms.SHIPPED`: whoever changes a text counts the version up.
SHIPPED = ("shipped-1", "0d0e74a2f1495ba2")


# ---- terms


def test_the_shipped_texts_have_no_hole_in_any_language() -> None:
    texts = terms.filled(terms_store.shipped_texts(), TOWN, 180)
    assert set(texts) == set(LANGUAGES)
    assert terms.findings(texts) == []
    assert terms.findings(dict(terms_store.shipped().texts)) == []


def test_every_shipped_text_says_what_a_guest_must_know() -> None:
    """The ministry's guidance: who provides it, what is recorded and for how long, dangers, what is not allowed,
    disasters, whom to ask; and that no destinations are recorded."""
    texts = terms.filled(terms_store.shipped_texts(), TOWN, 180)
    headings = {language: portal.blocks(text).count("<h2>") for language, text in texts.items()}
    assert set(headings.values()) == {11}
    for text in texts.values():
        assert all(words in text for words in ("180", "00000JAPAN", "https://", TOWN.contact))
    assert all("VPN" in text for language, text in texts.items() if language != "ja-easy")


def test_a_shipped_text_that_changes_has_another_version() -> None:
    digest = hashlib.sha256(json.dumps(terms_store.shipped_texts(), sort_keys=True).encode()).hexdigest()[:16]
    assert (terms.SHIPPED, digest) == SHIPPED


def test_the_shipped_version_says_for_how_long_records_are_kept() -> None:
    assert terms_store.shipped(90).version == "shipped-1-90"
    assert "90日を過ぎたら" in terms_store.shipped(90).texts["ja"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(LANGUAGES), st.text(alphabet="漢あ《》{}# -\noperator", max_size=60)))
def test_what_can_be_published_is_whole_and_readable(texts: dict[TermsLanguage, str]) -> None:
    found = terms.findings(texts)
    missing = {one.language for one in found if one.what == "missing"}
    assert missing == {language for language in LANGUAGES if not texts.get(language, "").strip()}
    for language in LANGUAGES:
        if not any(one.hinders for one in found if one.language == language):
            shown = portal.blocks(texts[language])
            assert not any(mark in shown for mark in "《》")


def test_kanji_without_furigana_are_told_in_plain_japanese_only_and_hinder_nothing() -> None:
    found = terms.findings(dict.fromkeys(LANGUAGES, "町の 規約《きやく》"))
    assert found == [Finding("ja-easy", "unread", 1, "町")]
    assert not found[0].hinders


@settings(deadline=None)
@given(st.sets(st.sampled_from(["2026-11-25", "2026-11-25-2", "2026-11-25-3", "2026-11-24"])))
def test_a_version_has_a_name_that_none_had(taken: set[str]) -> None:
    found = terms.version_name("2026-11-25", taken)
    assert found not in taken
    assert found.startswith("2026-11-25")


@pytest.mark.parametrize(
    ("name", "reading", "expected"),
    [
        ("士幌町", "しほろちょう", "士幌町《しほろちょう》"),
        ("ニセコ町", "にせこちょう", "ニセコ町《ちょう》"),
        ("ニセコ町", "ニセコチョウ", "ニセコ町《ちょう》"),
        ("えりも町役場", "えりもちょうやくば", "えりも町役場《ちょうやくば》"),
        ("むかわ", "むかわ", "むかわ"),
        ("士幌町", "", None),
        ("士幌町", "shihoro", None),
        ("ニセコ町", "しほろちょう", None),
        ("", "しほろ", None),
    ],
)
def test_a_name_gets_the_furigana_of_its_kanji(name: str, reading: str, expected: str | None) -> None:
    assert terms.with_furigana(name, reading) == expected


def test_a_text_is_kept_with_its_lines_alike() -> None:
    assert terms.tidy("  a \r\nb\t\r\n\r\n c\r\n\r\n") == "a\nb\n\n c"


# ---- vouchers


@settings(deadline=None)
@given(st.lists(st.integers(0, len(VOUCHER_LETTERS) - 1), min_size=10, max_size=10))
def test_a_code_is_read_as_it_was_made_however_it_is_typed(letters: list[int]) -> None:
    made = voucher.code(letters)
    assert len(made) == 10
    for typed in (made, made.lower(), voucher.grouped(made), f" {made[:3]} {made[3:]}. "):
        assert voucher_code(typed) == made
        assert code_hash(bytes(32), typed) == code_hash(bytes(32), made)


@pytest.mark.parametrize("count", [0, 9, 11])
def test_a_code_has_ten_letters(count: int) -> None:
    with pytest.raises(ValueError, match="expected 10"):
        voucher.code([0] * count)


def test_codes_are_different_and_by_chance() -> None:
    found = new_codes(500)
    assert len(set(found)) == 500
    assert not set(found) & set(new_codes(500))
    # Every letter comes up at every place, in 500 codes of 30 letters (one in 10^4 tries would lack one).
    assert all(len({one[place] for one in found}) > 25 for place in range(10))


def test_codes_are_kept_for_their_maker_and_for_a_while() -> None:
    kept = VoucherCodes()
    some = [voucher.Printed("1-001", "K7M4Q29XRT")]
    kept.keep(1, 7, some, 1000)
    assert kept.of(1, 8, 1000) is None
    assert kept.of(2, 7, 1000) is None
    found = kept.of(1, 7, 999 + KEPT_MS)
    assert found is not None
    assert found.codes == tuple(some)
    assert kept.of(1, 7, 1000 + KEPT_MS) is None
    assert kept.of(1, 7, 1001) is None
    # A clock that was put back keeps nothing longer.
    kept.keep(2, 7, some, 1000)
    assert kept.of(2, 7, 999) is None
    for number in range(3, 30):
        kept.keep(number, 7, some, 1000)
    assert kept.of(3, 7, 1000) is None
    assert kept.of(29, 7, 1000) is not None
    kept.drop(29)
    assert kept.of(29, 7, 1000) is None
