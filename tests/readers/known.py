"""What the readers' tests have in common: a number, what each kind of card says with it, how long a hold lasts."""

from functools import reduce
from operator import xor

from edge_agent.attendance.readers.frames import Checksum

NUMBER = bytes.fromhex("04a1b2c3")
# Longer than a card must be away to count anew.
HOLD_S = 1.8
# Longer than two cards must be gone to be said anew.
TWO_S = 1.0

SAID = {
    "felica": "felica 04a1b2c300000000",
    "ntag": "type_a 04a1b2c3000000",
    "mifare": "type_a 04a1b2c3",
    "type4": "type_a 04a1b2c3000000",
    # nfcpy raises IndexError after the number is known; it is a tap all the same.
    "shortats": "type_a 04a1b2c3000000",
    "phone": "random_identifier",
    "typeb": "type_b",
}


def framed(number: bytes, checksum: Checksum, *, ends: bytes = b"") -> bytes:
    """STX … ETX."""
    check = bytes([reduce(xor, number)]) if checksum == "xor" else b""
    return b"\x02" + (number + check).hex().upper().encode() + ends + b"\x03"
