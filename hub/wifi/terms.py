"""The terms of the Wi-Fi: a version has a text in every language of the portal, and is never changed (rule).

1. A version is named after the day in Japan on which it was published; a second one of a day gets a number.
2. A version is published whole: every language, none too long, no furigana that a guest could not read.
3. In plain Japanese (やさしい日本語) every kanji has its furigana; one that has none is told, and is no hindrance.
4. While a town has published none, guests see the texts that come with this program.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import msgspec

from wire import terms_text
from wire.messages import TermsLanguage

LANGUAGES: tuple[TermsLanguage, ...] = get_args(TermsLanguage)
# What each language calls itself, as on the portal.
NAMES: dict[TermsLanguage, str] = {
    "ja": "日本語",
    "ja-easy": "やさしい日本語",
    "en": "English",
    "zh-Hans": "简体中文",
    "zh-Hant": "繁體中文",
    "ko": "한국어",
}
# `lang` of a page that shows a text.
TAGS: dict[TermsLanguage, str] = {**{one: one for one in LANGUAGES}, "ja-easy": "ja"}
# Counts up whenever a shipped text changes.
SHIPPED = "shipped-1"
KEEP_DAYS = 180
# A form of the hub's takes 64 KiB, and a kanji nine bytes of it.
LONGEST = 7_000
LONGEST_FIELD = 100

What = Literal["missing", "too_long", "mark", "unread", "blank"]


class Operator(msgspec.Struct, frozen=True):
    """Who provides the Wi-Fi: in Japanese, how that is read (hiragana), in Latin letters; and whom guests may ask."""

    name: str = ""
    reading: str = ""
    latin: str = ""
    contact: str = ""


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a text, or would be read wrongly: in which line (0: the whole), and the words there.

    `blank`: a place that was to be filled in is still there, such as `{operator}`.
    """

    language: TermsLanguage
    what: What
    line: int = 0
    words: str = ""

    @property
    def hinders(self) -> bool:
        """Whether it cannot be published so."""
        return self.what != "unread"


_UNNAMED: dict[TermsLanguage, str] = {
    "ja": "町",
    "ja-easy": "町《まち》",
    "en": "the town",
    "zh-Hans": "本町",
    "zh-Hant": "本町",
    "ko": "지방자치단체",
}
_UNKNOWN: dict[TermsLanguage, str] = {
    "ja": "つながったあとの画面に表示する連絡先、または役場の窓口にお問い合わせください。",
    "ja-easy": (
        "つながった 後《あと》の 画面《がめん》に 書《か》いてある 番号《ばんごう》に 電話《でんわ》するか、"
        "役場《やくば》で 聞《き》いてください。"
    ),
    "en": "Please ask at the number shown once you are connected, or at the town hall.",
    "zh-Hans": "请通过连接后页面上显示的联系方式，或到町政府窗口咨询。",
    "zh-Hant": "請透過連線後頁面上顯示的聯絡方式，或至町公所窗口洽詢。",
    "ko": "연결 후 화면에 표시되는 연락처 또는 관공서 창구로 문의해 주십시오.",
}
_KANA = re.compile("[ぁ-ゖァ-ヺー・ 　]+")
_PLACES = ("{operator}", "{operator_cap}", "{days}", "{contact}")


def filled(texts: Mapping[TermsLanguage, str], operator: Operator, days: int) -> dict[TermsLanguage, str]:
    """The shipped texts with the town's name in them; without one they speak of the town."""
    return {language: _filled(language, text, operator, days) for language, text in texts.items()}


def _filled(language: TermsLanguage, text: str, operator: Operator, days: int) -> str:
    name = _name(language, operator) or _UNNAMED[language]
    values = (name, name[:1].upper() + name[1:], str(days), operator.contact or _UNKNOWN[language])
    for place, value in zip(_PLACES, values, strict=True):
        text = text.replace(place, value)
    return text


def _name(language: TermsLanguage, operator: Operator) -> str:
    if language in ("en", "ko"):
        return operator.latin
    return with_furigana(operator.name, operator.reading) or operator.name if language == "ja-easy" else operator.name


def with_furigana(name: str, reading: str) -> str | None:
    """A name with furigana over its kanji, of how the whole is read: `ニセコ町《ちょう》` of `ニセコ町` and
    `にせこちょう`. None when the reading is not one of this name."""
    parts = [part for part in re.split(f"([{terms_text.KANJI}]+)", name) if part]
    kanji = [bool(re.match(f"[{terms_text.KANJI}]", part)) for part in parts]
    if not parts or not _KANA.fullmatch(reading):
        return None
    pattern = "".join(
        "(.+)" if is_kanji else re.escape(_hiragana(part)) for part, is_kanji in zip(parts, kanji, strict=True)
    )
    found = re.fullmatch(pattern, _hiragana(reading))
    if found is None:
        return None
    readings = iter(found.groups())
    return "".join(
        f"{part}《{next(readings)}》" if is_kanji else part for part, is_kanji in zip(parts, kanji, strict=True)
    )


def _hiragana(text: str) -> str:
    return "".join(chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in text)


def findings(texts: Mapping[TermsLanguage, str]) -> list[Finding]:
    """Everything that is wrong with a version, in the order of languages and lines."""
    return [finding for language in LANGUAGES for finding in _of_text(language, texts.get(language, ""))]


def _of_text(language: TermsLanguage, text: str) -> list[Finding]:
    if not text.strip():
        return [Finding(language, "missing")]
    found = [Finding(language, "too_long")] if len(text) > LONGEST else []
    lines = text.split("\n")
    found += [
        Finding(language, "blank", number, place)
        for number, line in enumerate(lines, 1)
        for place in _PLACES
        if place in line
    ]
    problems = terms_text.problems(text, every_kanji=language == "ja-easy")
    return found + [Finding(language, one.what, one.line, one.words) for one in problems]


def version_name(day: str, taken: Iterable[str]) -> str:
    """What a version that is published on a day (YYYY-MM-DD) is called."""
    known, name, number = set(taken), day, 1
    while name in known:
        number += 1
        name = f"{day}-{number}"
    return name


def tidy(text: str) -> str:
    """A text as it is kept, from a form's field: lines end alike, without trailing blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()
