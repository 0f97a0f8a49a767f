"""The words of the pages: each is used, both languages have it, and nothing stands in the wrong one."""

import re
from dataclasses import asdict, fields
from pathlib import Path

from edge_agent.tablet.words import EN, JA, Words

FOLDER = Path("edge_agent/tablet")
_JAPANESE = re.compile("[ぁ-ヿ一-鿿]")
# Its own language's name stands in both, so that whoever reads neither finds it.
_BOTH = {"language"}


def test_each_word_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py") if path.name != "words.py")
    unused = [one.name for one in fields(Words) if not re.search(rf"\b(words|JA|EN)\.{one.name}\b", code)]
    assert unused == []


def test_both_languages_say_all_of_it_with_the_same_gaps() -> None:
    ja, en = asdict(JA), asdict(EN)
    for name, said in ja.items():
        told = " ".join(said) if isinstance(said, tuple) else said
        other = " ".join(en[name]) if isinstance(en[name], tuple) else en[name]
        assert told, name
        assert other, name
        assert set(re.findall(r"\{\w+\}", told)) == set(re.findall(r"\{\w+\}", other)), name
        if name not in _BOTH:
            assert not _JAPANESE.search(other), name
        if name != "html_lang" and name not in ("date", "percent", "published"):
            assert _JAPANESE.search(told), name
