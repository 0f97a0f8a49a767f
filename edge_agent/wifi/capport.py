"""Rule: what the captive portal API says (RFC 8908, section 5), for one device at one moment.

1. Whoever is captive is told where to go, and nothing of time or bytes.
2. What remains is said only when it is limited. Over the quota a guest is slowed and not cut: then no bytes run out.
3. Bytes are those of the IP layer, both ways.
"""

from typing import Any

import msgspec

CONTENT_TYPE = "application/captive+json"
PATH = "/capport/api"
# `private` and `no-store`: an answer is one device's, and true for a moment (RFC 8908, 4.1).
HEADERS = {"Cache-Control": "private, no-store", "Vary": "Accept"}


class Remaining(msgspec.Struct, frozen=True):
    """What a session that goes on still has; None is without a limit."""

    seconds: int | None = None
    bytes: int | None = None
    can_extend: bool = False


def answer(remaining: Remaining | None, portal_url: str, venue_url: str = "") -> bytes:
    """The JSON; `remaining` is None for a device that is captive. A venue's page that is no HTTPS is left out."""
    found: dict[str, Any] = {"captive": remaining is None, "user-portal-url": portal_url}
    if venue_url.startswith("https://"):
        found["venue-info-url"] = venue_url
    if remaining is not None:
        found["can-extend-session"] = remaining.can_extend
        if remaining.seconds is not None:
            found["seconds-remaining"] = max(0, remaining.seconds)
        if remaining.bytes is not None:
            found["bytes-remaining"] = max(0, remaining.bytes)
    return msgspec.json.encode(found)
