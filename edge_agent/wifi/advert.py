"""Rule: the bytes of a router advertisement (RFC 4861, 4.2), with the portal's address in it (RFC 8910, 2.3).

| option | what                                                              |
| 1      | the address of the sender on its link                             |
| 3      | the prefix, from which devices make addresses of their own        |
| 25     | where names are asked for (RFC 8106)                              |
| 37     | the URI of the portal's API, filled up with NUL to 8-byte units   |

The kernel works out the checksum. `O` is set: further options are had by DHCPv6 without an address.
"""

import ipaddress
import struct
from collections.abc import Iterator

import msgspec

SOLICITATION, ADVERTISEMENT = 133, 134
CAPTIVE_PORTAL = 37
# RFC 4861, 6.2.1; between two of them pass seconds drawn from between these.
LEAST_S, MOST_S = 60, 200
# At least this long between two to all devices (6.2.1, MIN_DELAY_BETWEEN_RAS).
APART_S = 3.0
ROUTER_LIFETIME_S = 1800
# Guests come and go: a prefix that is no longer told is soon given up.
VALID_S, PREFERRED_S = 7200, 3600
_RDNSS_S = 3 * MOST_S
_HOP_LIMIT = 64
_OTHER = 0x40
_ON_LINK_AND_OWN = 0xC0
# The URI with the option's two bytes, in 255 units of 8 bytes; the same URI has to fit into DHCP's 255 bytes.
_URI_BYTES = 255


class Advert(msgspec.Struct, frozen=True):
    """What is told. `own` is this device's address with its network; `lifetime_s` 0: names and addresses only, the way
    to the internet by IPv6 does not lead through here; `link` is the sender's own address, six bytes or none."""

    own: str
    uri: str = ""
    lifetime_s: int = ROUTER_LIFETIME_S
    link: bytes = b""


def build(advert: Advert) -> bytes:
    """The ICMPv6 message, its checksum zero. Raises ValueError."""
    own = ipaddress.IPv6Interface(advert.own)
    head = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, _HOP_LIMIT, _OTHER, advert.lifetime_s, 0, 0)
    parts = [head]
    if len(advert.link) == 6:
        parts.append(struct.pack("!BB6s", 1, 1, advert.link))
    prefix = own.network.network_address.packed
    about = (3, 4, own.network.prefixlen, _ON_LINK_AND_OWN, VALID_S, PREFERRED_S, 0, prefix)
    parts.append(struct.pack("!BBBBIII16s", *about))
    parts.append(struct.pack("!BBHI16s", 25, 3, 0, _RDNSS_S, own.ip.packed))
    if advert.uri:
        parts.append(_captive(advert.uri))
    return b"".join(parts)


def _captive(uri: str) -> bytes:
    encoded = uri.encode("ascii")
    if len(encoded) > _URI_BYTES:
        raise ValueError(f"a URI of {len(encoded)} bytes; at most {_URI_BYTES} can be told")
    units = (2 + len(encoded) + 7) // 8
    return struct.pack(f"!BB{units * 8 - 2}s", CAPTIVE_PORTAL, units, encoded)


def options(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each option of an advertisement. Raises ValueError for what is none."""
    if len(message) < 16 or message[0] != ADVERTISEMENT or message[1] != 0:
        raise ValueError("not a router advertisement")
    at = 16
    while at < len(message):
        kind, units = (message[at], message[at + 1]) if at + 2 <= len(message) else (0, 0)
        if units == 0 or at + units * 8 > len(message):
            raise ValueError("an option that does not fit")
        yield kind, message[at + 2 : at + units * 8]
        at += units * 8


def told_uri(message: bytes) -> str:
    """The portal's URI in an advertisement, empty where there is none. Raises ValueError."""
    found = [content for kind, content in options(message) if kind == CAPTIVE_PORTAL]
    return found[0].rstrip(b"\0").decode("ascii", "replace") if found else ""


def is_solicitation(message: bytes, hop_limit: int) -> bool:
    """Whether it is one that has to be answered (RFC 4861, 6.1.1); the kernel has checked the sum."""
    if hop_limit != 255 or len(message) < 8 or message[0] != SOLICITATION or message[1] != 0:
        return False
    at = 8
    while at < len(message):
        if at + 2 > len(message) or message[at + 1] == 0:
            return False
        at += message[at + 1] * 8
    return at == len(message)
