"""What everybody tries: common passwords, as the ways in which they are made (rule).

1. One or two common words (`weak_words.txt`, in Roman letters or in Japanese, and words of the person and the town),
   with digits and signs around, digits put for letters or not: `Sakura2026!`, `p@ssw0rd`.
2. Runs along the keyboard, the alphabet or the digits: `1qaz2wsx`, `abcdefgh`.
3. A few characters over and over; a short piece, or a common one, over and over.
4. Digits only: dates of birth, telephone numbers.

Three words or more are a phrase and may be: what is compared is the whole (NIST SP 800-63B-4, 3.1.1.2).
"""

import re
import string
from pathlib import Path

_DIFFERENT = 5
_PIECE = 8
WORDS = frozenset(Path(__file__).with_name("weak_words.txt").read_text("utf-8").split())
_LONGEST = max(len(word) for word in WORDS)
_WALKS = tuple(
    walk + walk[0]
    for row in (
        "abcdefghijklmnopqrstuvwxyz",
        "1234567890-^¥",
        "qwertyuiop@[",
        "asdfghjkl;:]",
        "zxcvbnm,./",
        "1q2w3e4r5t6y7u8i9o0p",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
        "q1a2z3w4s5x6e7d8c9",
        "!\"#$%&'()",
        "!@#$%^&*()",
        "あいうえおかきくけこさしすせそたちつてとなにぬねの",
        "いろはにほへとちりぬるを",
    )
    for walk in (row, row[::-1])
)
_LEET = tuple(
    str.maketrans(dict(zip("@4310$5!78+", letters, strict=True))) for letters in ("aaeiossitbt", "aaelosslttt")
)
_SIGNS = re.compile(r"[\W\d_]")
_SIGNS_FIRST = re.compile(r"^[\W\d_]+")
# More digits than that around a word are looked at all together only.
_ENDS = 8


def is_weak(password: str, known: tuple[str, ...] = ()) -> bool:
    """Whether everybody would try it; `known` are words of the person and of the town."""
    text = password.lower()
    words = WORDS | {word.lower() for word in known if len(word) >= 2}
    return (
        len(set(text)) < _DIFFERENT
        or all(c.isdecimal() or c.isspace() or c in string.punctuation for c in text)
        or _is_walk(text)
        or _is_again(text, words)
        or any(_is_words(core, words) for core in _cores(text))
    )


def _is_again(text: str, words: frozenset[str]) -> bool:
    """A piece over and over, cut off or not, that is short or common."""
    period = next(
        (n for n in range(1, len(text) // 2 + 1) if all(a == b for a, b in zip(text, text[n:], strict=False))), 0
    )
    return bool(period) and (period < _PIECE or is_weak(text[:period], tuple(words - WORDS)))


def _is_walk(text: str) -> bool:
    """Cut into runs of three or more along the rows: nearly nothing is left over."""
    at = left = 0
    while at < len(text):
        run = next((n for n in range(len(text) - at, 2, -1) if any(text[at : at + n] in walk for walk in _WALKS)), 0)
        left += not run
        at += run or 1
    return left <= 2


def _cores(text: str) -> set[str]:
    """What may be the word in it: without the digits and signs around, fewer or more of them, letters for digits."""
    begins = range(min(_around(text), _ENDS) + 1)
    ends = range(min(_around(text[::-1]), _ENDS) + 1)
    parts = {text[begin : len(text) - end] for begin in begins for end in ends}
    read = parts | {part.translate(table) for part in parts for table in _LEET}
    return {_SIGNS.sub("", part) for part in read}


def _around(text: str) -> int:
    """How many digits and signs it begins with."""
    return len(text) - len(_SIGNS_FIRST.sub("", text))


def _is_words(core: str, words: frozenset[str]) -> bool:
    """One word, or two, and nothing else."""
    if core in words:
        return True
    longest = max(_LONGEST, *(len(word) for word in words))
    return len(core) <= 2 * longest and any(core[:at] in words and core[at:] in words for at in range(2, len(core) - 1))
