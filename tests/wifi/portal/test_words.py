"""The words: complete and of one shape in six languages, furigana over every kanji of the plain Japanese."""

from string import Formatter
from typing import get_args

import msgspec
import pytest

from edge_agent.kiosk.terms_text import blocks, inline, plain
from edge_agent.wifi.portal_pages import GOOD, WHY
from edge_agent.wifi.portal_words import NAMES, WORDS
from wire import terms_text
from wire.messages import TermsLanguage

LANGUAGES: tuple[TermsLanguage, ...] = get_args(TermsLanguage)
# Handled as another of the same meaning for a guest.
SAME = {"fault"}


def sentences(language: TermsLanguage) -> dict[str, str]:
    """Every sentence of a language by its name."""
    found: dict[str, str] = {}
    for name, value in msgspec.structs.asdict(WORDS[language]).items():
        found |= {f"why.{why}": text for why, text in value.items()} if isinstance(value, dict) else {name: value}
    return found


def holes(text: str) -> set[str]:
    """What is filled in."""
    return {field for _, field, _, _ in Formatter().parse(text) if field}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence_with_the_same_holes(language: TermsLanguage) -> None:
    assert set(NAMES) == set(WORDS) == set(LANGUAGES)
    japanese, own = sentences("ja"), sentences(language)
    assert own.keys() == japanese.keys()
    for name, text in own.items():
        assert text.strip() == text != "", name
        assert holes(text) == holes(japanese[name]), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_every_result_has_its_sentence(language: TermsLanguage) -> None:
    assert set(WORDS[language].why) == set(WHY) - SAME
    assert all(getattr(WORDS[language], name) for name in GOOD)


def test_no_language_was_left_in_the_words_of_another() -> None:
    for one in LANGUAGES:
        for other in LANGUAGES:
            if one < other:
                mine, others = sentences(one), sentences(other)
                shared = {name for name in mine if mine[name] == others[name] and len(mine[name]) > 12}
                # 每次可使用 is written alike in both.
                assert shared <= {"rule_time"}, (one, other)


def test_plain_japanese_has_a_reading_over_every_kanji() -> None:
    for name, text in sentences("ja-easy").items():
        assert terms_text.problems(text, every_kanji=True) == (), name


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "ja-easy"])
def test_nothing_else_has_furigana(language: TermsLanguage) -> None:
    assert not any("《" in text for text in sentences(language).values())


def test_furigana_become_ruby_and_nothing_becomes_html() -> None:
    assert inline("<b>使《つか》う & ") == ("&lt;b&gt;<ruby>使<rp>（</rp><rt>つか</rt><rp>）</rp></ruby>う &amp; ")
    assert plain("使《つか》う") == "使う"
    text = "# 見出《みだ》し\n一行\n二行\n\n- い\n- <ろ>"
    assert blocks(text) == (
        "<h2><ruby>見出<rp>（</rp><rt>みだ</rt><rp>）</rp></ruby>し</h2>\n"
        "<p>一行<br>二行</p>\n<ul><li>い</li><li>&lt;ろ&gt;</li></ul>"
    )
