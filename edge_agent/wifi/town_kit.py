"""Access: the kit on the access point's own disk, opened, as the hub sent it last (`kit.json`, 0600).

1. Replaced whole, and on disk before it counts; a power cut leaves the old or the new.
2. Its first line is the SHA-256 of the rest: a damaged file is none, and the hub sends the kit again.
3. The key of a day stays until that day has been over for one: a session begun before midnight is known after it.
   A key older than that is taken out of the file.
"""

import hashlib
from pathlib import Path

import msgspec

from wire import whole_file
from wire.kit import DayKey, KitContent
from wire.messages import KitReport

FILE = "kit.json"


class Kept(msgspec.Struct, frozen=True):
    """What the access point goes by. `digest` is that of the signed bytes, `reported` what the hub was told of it.

    `earlier` are keys of days that an earlier kit had and this one has not.
    """

    incarnation: str = ""
    generation: int = 0
    digest: str = ""
    content: KitContent | None = None
    earlier: tuple[DayKey, ...] = ()
    reported: KitReport | None = None


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


def following(kept: Kept, incarnation: str, generation: int, digest: str, content: KitContent) -> Kept:
    """What is kept once this kit counts."""
    days = {key.day for key in content.day_keys}
    earlier = tuple(key for key in _keys(kept) if key.day not in days)
    return Kept(incarnation, generation, digest, content, earlier)


def without_days_before(kept: Kept, day: str) -> Kept:
    """The same without keys of days before `day`; the very same when there are none."""
    if all(key.day >= day for key in _keys(kept)):
        return kept
    content = kept.content
    if content is not None:
        content = msgspec.structs.replace(content, day_keys=tuple(k for k in content.day_keys if k.day >= day))
    return msgspec.structs.replace(kept, content=content, earlier=tuple(k for k in kept.earlier if k.day >= day))


def key_of(kept: Kept, day: str) -> bytes | None:
    """The key of a day, when a kit said it."""
    return next((key.key for key in _keys(kept) if key.day == day), None)


def _keys(kept: Kept) -> tuple[DayKey, ...]:
    return (*(kept.content.day_keys if kept.content else ()), *kept.earlier)
