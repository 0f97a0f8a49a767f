"""Names of incarnations, in an order that devices can see (rule).

1. Within an incarnation the generation only grows.  A hub that was put back from an old backup may have forgotten
   generations; it begins a new incarnation, which every device takes because its name is later.
2. A name is 32 hexadecimal digits: 12 of milliseconds since 1970, 20 of chance.  Later names sort behind earlier ones.
3. A hub whose clock is wrong still makes a later one: at least a millisecond behind the one that the device knows.
"""

import re

_NAME = re.compile(r"[0-9a-f]{32}")
_LAST_MS = 16**12 - 1


def following(known: str, now_ms: int, chance: str) -> str:
    """A name later than `known` (empty for none); `chance` is 20 hexadecimal digits."""
    known_ms = int(known[:12], 16) if _NAME.fullmatch(known) else -1
    return f"{min(max(now_ms, known_ms + 1, 0), _LAST_MS):012x}{chance}"
