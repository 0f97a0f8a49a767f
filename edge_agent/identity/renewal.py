"""When a device asks for its next certificate (rule).

1. By two thirds of the certificate's life at the latest; up to a thirtieth of it earlier, by a figure that is each
   certificate's own, so that a fleet that was set up in one hour does not ask in one minute (RFC 9773 in small).
2. Once a day as long as nothing comes.
3. Without a clock nobody can say: then not at all.
"""

import hashlib

_DAY_MS = 86_400_000
ASK_AGAIN_MS = _DAY_MS
# Of a life: where it is due, and how much earlier at the most.
_DUE, _SPREAD = (2, 3), 30


def due_ms(begin_ms: int, end_ms: int, certificate: bytes) -> int:
    """From when on to ask, in UTC ms; `certificate` is what it is spread by."""
    life_ms = end_ms - begin_ms
    chance = int.from_bytes(hashlib.sha256(certificate).digest()[:8], "big")
    earlier_ms = life_ms // _SPREAD * chance >> 64
    return begin_ms + life_ms * _DUE[0] // _DUE[1] - earlier_ms


def is_to_ask(now_ms: int, due: int, asked_ms: int | None) -> bool:
    """Whether to ask now; `asked_ms` is when it was asked last. A clock that went back asks again."""
    if now_ms < due:
        return False
    return asked_ms is None or not 0 <= now_ms - asked_ms < ASK_AGAIN_MS
