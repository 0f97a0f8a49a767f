"""Until when a certificate is good, read from its bytes without a library (rule).

Importing one for a single date would cost a small board megabytes for as long as the agent runs.  Nothing is proved
here: whether the certificate is a good one is for TLS to say.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def end_ms(pem: bytes) -> int:
    """When the first certificate of a file ends, in UTC ms. Raises ValueError when none can be read."""
    return life_ms(pem)[1]


def life_ms(pem: bytes) -> tuple[int, int]:
    """When the first certificate of a file begins and ends, in UTC ms. Raises ValueError when none can be read.

    RFC 5280, 4.1: the validity is the fourth part of what is signed, after serial, algorithm and issuer; the version
    before them may be absent.  4.1.2.5: two digits of a year below 50 are of this century.
    """
    found = _PEM.search(pem)
    if not found:
        raise ValueError("no certificate in PEM")
    try:
        der = base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    signed = [part for part in _parts(_only(_only(der))) if part[0] != _VERSION]
    if len(signed) < 4 or signed[3][0] != _SEQUENCE:
        raise ValueError("no validity in the certificate")
    times = list(_parts(signed[3][1]))
    if len(times) != 2:
        raise ValueError("no two times in the validity")
    return _time_ms(*times[0]), _time_ms(*times[1])


def _only(data: bytes) -> bytes:
    """What the first part holds, which must be a sequence."""
    tag, content = next(_parts(data), (0, b""))
    if tag != _SEQUENCE:
        raise ValueError("no sequence where one belongs")
    return content


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each part (DER, X.690: definite lengths)."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1] if at + 1 < len(data) else 0
        begin = at + 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[begin : begin + size], "big")
            begin += size
        if begin + length > len(data):
            raise ValueError("a part is longer than the whole")
        yield tag, data[begin : begin + length]
        at = begin + length


def _time_ms(tag: int, text: bytes) -> int:
    digits = text.decode("ascii", "replace")
    if tag == _UTC_TIME and len(digits) == 13:
        digits = ("20" if digits[:2] < "50" else "19") + digits
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time where one belongs")
    when = datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return int(when.timestamp()) * 1000
