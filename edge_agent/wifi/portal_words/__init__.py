"""The portal's words in every language of the terms."""

from edge_agent.wifi.portal_words import en, ja, ja_easy, ko, zh_hans, zh_hant
from edge_agent.wifi.portal_words.words import Words
from wire.messages import TermsLanguage

# In the order of the buttons, with the language's own name; furigana as in the words.
NAMES: dict[TermsLanguage, str] = {
    "ja": "日本語",
    "ja-easy": "やさしい日本語《にほんご》",
    "en": "English",
    "zh-Hans": "简体中文",
    "zh-Hant": "繁體中文",
    "ko": "한국어",
}
WORDS: dict[TermsLanguage, Words] = {
    "ja": ja.WORDS,
    "ja-easy": ja_easy.WORDS,
    "en": en.WORDS,
    "zh-Hans": zh_hans.WORDS,
    "zh-Hant": zh_hant.WORDS,
    "ko": ko.WORDS,
}
