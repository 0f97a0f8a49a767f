"""A table of a layout's file, read key by key (rule)."""

import re
from collections.abc import Collection
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TEXT = 100


class BadLayout(Exception):
    """A layout that cannot be read; `expected` is a word (`layout_expect_…`), with figures or texts for it."""

    def __init__(self, file: str, place: str, found: object, expected: str, **values: object) -> None:
        super().__init__(file, place, found, expected)
        self.file, self.place, self.found, self.expected, self.values = file, place, str(found)[:80], expected, values


class Part:
    """A table of the file, whose keys are taken out one by one; what is left at the end is not known."""

    def __init__(self, file: str, place: str, values: object) -> None:
        self.file, self.place = file, place
        if not isinstance(values, dict):
            raise BadLayout(file, place, values, "table")
        self._left = dict(values)

    def wrong(self, key: str, found: object, expected: str, **values: object) -> BadLayout:
        """What is wrong with a key."""
        place = f"{self.place}.{key}" if self.place and key else self.place or key
        return BadLayout(self.file, place, found, expected, **values)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._left

    def take(self, key: str, default: object = None) -> Any:
        """Whatever stands there."""
        if default is None and key not in self._left:
            raise self.wrong(key, "", "needed")
        return self._left.pop(key, default)

    def text(self, key: str, default: str | None = None, *, most: int = _TEXT) -> str:
        """A text without control signs."""
        value = self.take(key, default)
        if not isinstance(value, str) or _CONTROL.search(value):
            raise self.wrong(key, value, "text")
        if len(value) > most:
            raise self.wrong(key, value, "shorter", n=most)
        return value

    def choice(self, key: str, known: Collection[str], default: str | None = None) -> Any:
        """One of the known texts."""
        value = self.take(key, default)
        if value not in known or not isinstance(value, str):
            raise self.wrong(key, value, "one_of", known=", ".join(known))
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "flag")
        return value

    def number(self, key: str, most: int) -> int:
        """A number from 1 on; 0 when it is not there."""
        if not self.has(key):
            return 0
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.wrong(key, value, "number", n=most)
        return value

    def only(self, keys: Collection[str], why: str) -> None:
        """Refuses keys that mean nothing here."""
        for key in keys:
            if self.has(key):
                raise self.wrong(key, self._left[key], why)

    def done(self, known: Collection[str]) -> None:
        """Refuses what nobody took."""
        for key in self._left:
            raise self.wrong("", key, "known_key", known=", ".join(known))
