"""From what a reader heard to a card token (rule): a keyed hash, so that the card's number stays on the terminal.

A serial number has few unknown bits and a plain hash of it could be undone by trying; with a key it cannot,
and two towns' tokens of one card have nothing in common.  The key is the town's, once its roster has come; the
terminal's own until then.
"""

import hashlib
import hmac

KEY_BYTES = 32


def token(key: bytes, identifier: bytes) -> str:
    """32 hex digits for a card. `identifier` is the number as the reader gave it, whatever the technology.

    Raises ValueError when the key is not KEY_BYTES long or the number is empty.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"the card key has {len(key)} bytes, not {KEY_BYTES}")
    if not identifier:
        raise ValueError("a card without a number")
    return hmac.new(key, identifier, hashlib.sha256).hexdigest()[:32]
