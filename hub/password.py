"""Passwords: hashed slowly, compared alike for people who do not exist, long, and not one that everybody tries.

NIST SP 800-63B-4, 3.1.1: at least 8 characters beside a second factor and 15 alone, any character, no rules of
composition, no expiry, the whole password checked, the whole compared with a list of common ones (weak.py).
"""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.people import Person
from hub.weak import is_weak

SHORTEST, SHORTEST_ALONE, LONGEST = 8, 15, 200
# argon2id, RFC 9106's low-memory profile (64 MiB, 3 passes, 4 lanes): only a few at once.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
_hashing = threading.BoundedSemaphore(3)
# Checked for names that do not exist, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def check(person: Person | None, password: str) -> bool:
    """Whether it is the person's; takes as long when there is no such person."""
    given = _normal(password)
    usable = person and person.password and not person.disabled and len(given) <= LONGEST
    kept = person.password if person and usable else _NOBODY
    try:
        with _hashing:
            _hasher.verify(kept, given[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not _NOBODY


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _hashing:
        return _hasher.hash(_normal(password))


def is_good(password: str, name: str, *, alone: bool, known: tuple[str, ...] = ()) -> bool:
    """Long enough, and not what everybody tries; `alone`: without a second factor; `known`: words of the town."""
    text = _normal(password)
    shortest = SHORTEST_ALONE if alone else SHORTEST
    return shortest <= len(text) <= LONGEST and not is_weak(text, (name, *known))


def is_short(password: str) -> bool:
    """Whether it is too short to stand alone."""
    return len(_normal(password)) < SHORTEST_ALONE


def _normal(password: str) -> str:
    # The same keys give the same password on every keyboard (NIST SP 800-63B-4, 3.1.1.2: NFKC).
    return unicodedata.normalize("NFKC", password)
