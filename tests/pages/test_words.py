"""Every word that is used is there in both languages, and none is there for nothing."""

import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import shown
from hub.words import _FILES, WORDS

HUB = Path(shown.__file__).parent
SOURCE = "\n".join(
    path.read_text() for path in [*HUB.rglob("*.py"), *HUB.glob("templates/*.html")] if path.parent.name != "words"
)
# Keys that are put together: the beginning, in quotes, is in the source.
STEMS = set(re.findall(r"""["']([a-z_]+_)["'] ~""", SOURCE)) | set(re.findall(r"""f["']([a-z_]+_)\{""", SOURCE))


@pytest.mark.parametrize("key", sorted(WORDS))
def test_a_word_is_complete_and_used(key: str) -> None:
    japanese, english = WORDS[key]
    assert japanese.strip()
    assert english.strip()
    places = [sorted(name for _, name, _, _ in Formatter().parse(text) if name) for text in WORDS[key]]
    assert places[0] == places[1]
    quoted = re.search(rf"""["']{key}["']""", SOURCE) is not None
    assert quoted or any(key.startswith(stem) for stem in STEMS) or key.endswith("_hint")


def test_no_key_stands_in_two_files() -> None:
    assert sum(len(file.WORDS) for file in _FILES) == len(WORDS)


def test_each_key_of_the_templates_is_there() -> None:
    assert not [key for key in re.findall(r"""\bt\(["']([a-z_0-9]+)["'][,)]""", SOURCE) if key not in WORDS]


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_time_can_be_shown(at_ms: int) -> None:
    for language in ("ja", "en"):
        assert shown.exact(language, at_ms)
        assert shown.said(language, at_ms, 1_790_000_000_000)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1999, "1.9 kB"), (2_149_000_000, "2.1 GB")]
)
def test_data_is_in_thousands_and_never_rounded_up(count: int, text: str) -> None:
    assert shown.data(count) == text


@pytest.mark.parametrize(
    ("milli", "text"), [(None, "—"), (0, "0.0 °C"), (-50, "0.0 °C"), (-1500, "-1.5 °C"), (47_250, "47.2 °C")]
)
def test_degrees(milli: int | None, text: str) -> None:
    assert shown.celsius(milli) == text


def test_spans_and_days() -> None:
    assert shown.span("ja", 7 * 3600 + 45 * 60) == "7時間45分"
    assert shown.span("en", 9 * 86400 + 3600) == "9 d 1 h"
    now = 1_790_000_000_000
    assert shown.said("ja", now - 3 * 60_000, now) == "3分前"
    assert shown.said("ja", now - 86_400_000, now).startswith("昨日 ")
