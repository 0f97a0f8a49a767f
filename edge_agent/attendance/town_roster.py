"""The town's roster on the terminal's own disk, opened, as the hub sent it last (`roster.json`, 0600).

1. Replaced whole, and on disk before it counts; a power cut leaves the old or the new.
2. Its first line is the SHA-256 of the rest: a damaged file is none, and the hub sends the roster again.
3. Keys that were the town's before are kept: who was tapped under one is still the same person.
"""

import hashlib
from pathlib import Path

import msgspec

from wire import whole_file
from wire.messages import RosterReport
from wire.roster import Key, RosterContent

FILE = "roster.json"
_EARLIER = 3


class Kept(msgspec.Struct, frozen=True):
    """What the terminal goes by. `digest` is that of the signed bytes, `reported` what the hub was told of it."""

    incarnation: str = ""
    generation: int = 0
    digest: str = ""
    content: RosterContent | None = None
    earlier: tuple[Key, ...] = ()
    reported: RosterReport | None = None


_decoder = msgspec.json.Decoder(Kept)


def load(folder: Path) -> Kept:
    """What is kept and whole; nothing on a new disk."""
    try:
        head, _, body = (folder / FILE).read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() == head:
            return _decoder.decode(body)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return Kept()


def save(folder: Path, kept: Kept) -> None:
    """On disk when it returns. Raises OSError; then the one before is still there."""
    body = msgspec.json.encode(kept)
    whole_file.write(folder / FILE, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def remove(folder: Path) -> None:
    """Gone from the disk when it returns. Raises OSError."""
    whole_file.remove(folder / FILE)


def following(kept: Kept, incarnation: str, generation: int, digest: str, content: RosterContent) -> Kept:
    """What is kept once this roster counts."""
    earlier = kept.earlier
    if kept.content is not None and kept.content.card_key != content.card_key:
        earlier = (kept.content.card_key, *earlier)[:_EARLIER]
    return Kept(incarnation, generation, digest, content, earlier)
