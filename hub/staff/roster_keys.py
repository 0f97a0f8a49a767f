"""The two keys of cards in the hub's folder: the town's card key, and the key of cards that prove themselves.

1. `cards.key` is made at first need. A file that is no key is never replaced: another key makes every card a stranger.
2. `felica.key` is there once somebody has made or brought one (`machinaka-hub card-key`).
"""

import hashlib
import hmac
from pathlib import Path
from typing import NamedTuple

from hub import key_file
from wire import whole_file
from wire.roster import KEY_BYTES

CARDS, FELICA = "cards.key", "felica.key"


class BadKey(Exception):
    """A key that cannot be used; one plain sentence."""


class Keys(NamedTuple):
    """`cards` makes tokens of cards; `felica` is None where no card proves itself."""

    cards: bytes
    felica: bytes | None

    @property
    def check(self) -> str:
        """Tells this card key from another, and nothing of it."""
        return hmac.new(self.cards, b"machinaka card key check 1", hashlib.sha256).hexdigest()[:32]


def read(folder: Path) -> Keys:
    """The keys in a folder. Raises BadKey, OSError."""
    if (folder / CARDS).exists():
        _kept(folder / CARDS)
    felica = _kept(folder / FELICA) if (folder / FELICA).exists() else None
    return Keys(key_file.read_key(folder, CARDS), felica)


def write_felica(folder: Path, key: bytes) -> None:
    """Puts the key of cards that prove themselves, on disk when it returns. Raises OSError."""
    whole_file.write(folder / FELICA, key)


def _kept(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadKey(f"{path.name}: found {len(key)} bytes, expected the key of {KEY_BYTES}; put it back from a copy")
    return key
