"""Rule: what makes a form of the portal count: it was made here, not long ago, for this device, with these terms.

A page of another site cannot read it, and one that a neighbour read is worth nothing from another device.
"""

import hashlib
import hmac

# A form counts for one to two of these: the page of a session stays open while it lasts.
PERIOD_S = 6 * 3600


def made(key: bytes, address: str, terms: str, now_s: float) -> str:
    """The token of a form that is shown now to the device `address`, with the terms of this version."""
    return _token(key, address, terms, int(now_s) // PERIOD_S)


def counts(key: bytes, token: str, address: str, terms: str, now_s: float) -> bool:
    """Whether it was made for this, in this period or the one before; in constant time."""
    period = int(now_s) // PERIOD_S
    given = token.encode("utf-8", "replace")
    found = [hmac.compare_digest(given, _token(key, address, terms, one).encode()) for one in (period, period - 1)]
    return any(found)


def _token(key: bytes, address: str, terms: str, period: int) -> str:
    about = f"{period}\n{address}\n{terms}".encode("utf-8", "surrogatepass")
    return hmac.new(key, about, hashlib.sha256).hexdigest()[:40]
