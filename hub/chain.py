"""The audit log's chain: each entry carries the hash of the one before it; anchors outside the hub hold it fast.

Also a program of its own, for whoever checks an exported log without the hub (Python and `cryptography`, nothing else):

    python chain.py EXPORTED.jsonl [--anchors FOLDER_OR_FILE] [--key KEY]

1. `hash = SHA-256("machinaka-audit-v1" NUL, seq as 8 bytes, prev, SHA-256(body))`; the body is JSON with sorted keys,
   without spaces, in UTF-8; the first entry's `prev` is 32 zero bytes.
2. A chain alone tells of an entry that was edited or taken out.  Who cuts the tail or computes every hash anew is found
   by an anchor: sequence number, hash and time, signed by the hub (Ed25519) and kept where the hub cannot reach it.
3. The signature only says that the hub said so: that the copies of an anchor are alike is what counts.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

START = bytes(32)
_DOMAIN = b"machinaka-audit-v1\0"
_ANCHOR_DOMAIN = b"machinaka-anchor-v1\0"


class Unreadable(Exception):
    """A file that is no export or no anchor, in one sentence."""


@dataclass(frozen=True)
class Link:
    """One entry: its number from 1, the hash of the one before, what was done, its own hash."""

    seq: int
    prev: bytes
    body: dict[str, Any]
    hash: bytes


@dataclass(frozen=True)
class Anchor:
    """What was the newest entry at a time (milliseconds of UTC), signed."""

    seq: int
    hash: bytes
    at_ms: int
    key: str
    signature: str


Why = Literal["edited", "unlinked", "missing", "other", "cut"]


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was, and why; `about` is another entry that tells of it."""

    seq: int
    why: Why
    about: int = 0


def digest(seq: int, prev: bytes, body: dict[str, Any]) -> bytes:
    """The hash of an entry."""
    inner = hashlib.sha256(canonical(body)).digest()
    return hashlib.sha256(_DOMAIN + seq.to_bytes(8, "big") + prev + inner).digest()


def body(at_ms: int, who: str, did: str, what: str, detail: str) -> dict[str, Any]:
    """What an entry says: when (milliseconds of UTC), who did what to whom."""
    return {"at": at_ms, "who": who, "did": did, "what": what, "detail": detail}


def canonical(value: dict[str, Any]) -> bytes:
    """The one way in which a body is written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def anchor_bytes(seq: int, hashed: bytes, at_ms: int) -> bytes:
    """What the hub signs."""
    return _ANCHOR_DOMAIN + seq.to_bytes(8, "big") + hashed + at_ms.to_bytes(8, "big")


def check(links: Iterable[Link], anchors: Iterable[Anchor] = ()) -> tuple[int, Broken | None]:
    """How many entries hold, and the first that does not; reads each entry once (rule)."""
    waiting: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        waiting.setdefault(anchor.seq, []).append(anchor)
    held, head, held_fast = 0, START, 0
    for link in links:
        why = _why_not(link, held + 1, head)
        if why:
            return held, Broken(held + 1, why, link.seq)
        for anchor in waiting.pop(link.seq, []):
            if anchor.hash != link.hash:
                return held_fast, Broken(link.seq, "other", held_fast)
            held_fast = link.seq
        held, head = link.seq, link.hash
    if waiting:
        return held, Broken(held + 1, "cut", max(waiting))
    return held, None


def _why_not(link: Link, seq: int, head: bytes) -> Why | None:
    if link.seq != seq:
        return "missing"
    if link.prev != head:
        return "unlinked"
    try:
        return None if link.hash == digest(link.seq, link.prev, link.body) else "edited"
    except (TypeError, ValueError):
        # Something that can be no entry of ours: bytes where there is text.
        return "edited"


# ---- files


def line_of(link: Link) -> bytes:
    """An entry as a line of an export."""
    return canonical({"seq": link.seq, "prev": link.prev.hex(), "hash": link.hash.hex(), "body": link.body}) + b"\n"


def read_export(path: Path) -> Iterator[Link]:
    """The entries of an export, one after the other. Raises Unreadable, OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                found = json.loads(line)
                link = Link(found["seq"], bytes.fromhex(found["prev"]), found["body"], bytes.fromhex(found["hash"]))
                # Written otherwise than we write it (a name twice, say), a line may be read in two ways.
                odd = not isinstance(link.seq, int) or line_of(link) != line.rstrip(b"\r\n") + b"\n"
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                raise Unreadable(f"{path}: line {number} is no entry of an audit log") from error
            if odd:
                raise Unreadable(f"{path}: line {number} is not written as the hub writes an entry")
            yield link


def anchor_line(anchor: Anchor) -> str:
    """An anchor as it is printed, mailed and kept."""
    return json.dumps(
        {
            "seq": anchor.seq,
            "hash": anchor.hash.hex(),
            "time": anchor.at_ms,
            "key": anchor.key,
            "signature": anchor.signature,
        },
        separators=(",", ":"),
    )


def read_anchors(place: Path, key: str = "") -> list[Anchor]:
    """The anchors of a file, or of all files of a folder, their signatures looked at. Raises Unreadable, OSError."""
    paths = sorted(place.glob("*.json*")) if place.is_dir() else [place]
    lines = ((path, line) for path in paths for line in path.read_text("utf-8").splitlines())
    return [_anchor(path, line, key) for path, line in lines if line.strip()]


def _anchor(path: Path, line: str, key: str) -> Anchor:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        found = json.loads(line)
        anchor = Anchor(found["seq"], bytes.fromhex(found["hash"]), found["time"], found["key"], found["signature"])
        public = Ed25519PublicKey.from_public_bytes(_raw(anchor.key))
        public.verify(_raw(anchor.signature), anchor_bytes(anchor.seq, anchor.hash, anchor.at_ms))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, InvalidSignature) as error:
        raise Unreadable(f"{path}: an anchor that the hub has not signed: {line[:80]}") from error
    if key and anchor.key != key:
        raise Unreadable(f"{path}: an anchor under another key: {anchor.key}")
    return anchor


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_SAID: dict[Why, str] = {
    "edited": "what it says is not what was written",
    "unlinked": "it does not follow the entry before it",
    "missing": "it is missing, and entry {n} stands in its place",
    "other": "it is not the entry that was anchored; all after entry {n} may have been written anew",
    "cut": "it and all after it are missing, and entry {n} was anchored",
}


def told(held: int, broken: Broken | None, anchors: int) -> str:
    """The outcome, in a sentence."""
    if broken:
        return f"The audit log is broken at entry {broken.seq}: {_SAID[broken.why].format(n=broken.about)}."
    outside = f"anchors that agree: {anchors}" if anchors else "no anchor was looked at, so a cut tail would not show"
    return f"The audit log is whole: {held} entries; {outside}."


def main() -> int:
    """Checks an exported log: 0 when it is whole, 1 when it is broken, 2 for what cannot be read."""
    parser = argparse.ArgumentParser(description="Checks an exported audit log.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--anchors", type=Path, help="a file of anchors, or a folder of such files")
    parser.add_argument("--key", default="", help="the hub's public key, as it is printed with each anchor")
    arguments = parser.parse_args()
    try:
        anchors = read_anchors(arguments.anchors, arguments.key) if arguments.anchors else []
        held, broken = check(read_export(arguments.export), anchors)
    except (OSError, Unreadable) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(told(held, broken, len(anchors)))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
