"""What is deleted when, of what could lead to a person who used the Wi-Fi (rule).

1. Personal fields (the pseudonym of a device, a contact, a voucher, the session that one was continued from) are kept
   for `keep_days`: 180 unless the town says otherwise, 365 at most.  Source: the commentary on the guidelines on
   personal data in telecommunications (電気通信事業における個人情報等の保護に関するガイドライン 解説): for records of
   connections about 6 months is generally accepted, 1 year where there is a need; then they are deleted at once.
2. Time is counted from the event: from a session's last sign of life.  A time that cannot be (a clock that was never
   set, or is ahead) is taken for when the hub was told.
3. A record as it came (its raw body) has been counted by then, and is kept for 30 days after it came, but never beyond
   its own time.
4. Keys go by age: a month's sealing key when nothing of that month is kept any more, so that old backups open nothing.
5. Each run leaves a row of proof that names the hash of the one before it: none can be taken out or changed unseen.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from hub import shown

DAY_MS = 86_400_000
KEEP_DAYS, MOST_DAYS, FEWEST_DAYS = 180, 365, 1
RAW_DAYS = 30
# Kinds of records whose bodies hold what could lead to a person.
PERSONAL_KINDS = ("wifi_session", "consent")
# What a run counts, in the order in which it is shown.
What = Literal["sessions", "consents", "raw", "latest", "quarantine", "apart", "day_keys", "sealing_keys"]
WHAT: tuple[What, ...] = (
    "sessions",
    "consents",
    "raw",
    "latest",
    "quarantine",
    "apart",
    "day_keys",
    "sealing_keys",
)
_DOMAIN = b"machinaka-wifi-purge-v1\0"
START = "0" * 64


class Setting(msgspec.Struct, frozen=True):
    """What the town has set: how long personal fields are kept, below how many a count is hidden."""

    keep_days: int = KEEP_DAYS
    fewest: int = 5


class Cut(msgspec.Struct, frozen=True):
    """Moments of a run: personal fields of before `before_ms` are overdue, and raw bodies that came before `raw_ms`.

    A raw body whose event was before `fresh_ms` would be overdue before its turn comes, and goes at once.
    """

    before_ms: int
    raw_ms: int
    fresh_ms: int


class Proof(msgspec.Struct, frozen=True):
    """A run: when, of before when, how much of what was deleted, how much was left over, and its hash."""

    id: int
    at_ms: int
    before_ms: int
    counts: dict[str, int]
    left_over: int
    hash: str


def cut(now_ms: int, keep_days: int) -> Cut:
    """The moments of a run now."""
    raw_days = min(RAW_DAYS, keep_days)
    before_ms = now_ms - keep_days * DAY_MS
    return Cut(before_ms, now_ms - raw_days * DAY_MS, before_ms + raw_days * DAY_MS)


def bad_days(text: str) -> bool:
    """Whether a number of days as typed cannot be set."""
    return not (text.isascii() and text.isdigit() and len(text) <= 3 and FEWEST_DAYS <= int(text) <= MOST_DAYS)


def first_month_kept(before_ms: int) -> str:
    """The earliest month in Japan of which something is kept: sealing keys of months before it are destroyed."""
    return shown.day_of(before_ms)[:7]


def digest(prev: str, at_ms: int, before_ms: int, counts: Mapping[str, int], left_over: int, number: int) -> str:
    """The hash of a proof: of the one before, and all that it says."""
    body = {"at": at_ms, "before": before_ms, "counts": dict(counts), "id": number, "left": left_over}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_DOMAIN + prev.encode() + text.encode()).hexdigest()


def first_broken(proofs: Iterable[Proof]) -> int | None:
    """The number of the first proof, oldest first, that is not as it was written, or does not follow; None for none."""
    prev = START
    for expected, proof in enumerate(proofs, 1):
        said = digest(prev, proof.at_ms, proof.before_ms, proof.counts, proof.left_over, proof.id)
        if proof.id != expected or proof.hash != said:
            return expected
        prev = proof.hash
    return None
