"""Rule: a guest's session as a value: begun, counted, lengthened, ended, told.

1. Its name for ever is (access point, boot, id); its counters are cumulative and never fall.
2. Every limit is measured on the monotonic clock of the boot: a wall clock that is set lengthens nothing.
3. Event times are one wall clock reading at the beginning and the monotonic clock from there. A reading that could
   not be trusted is replaced once, when the clock has become synced.
4. An end is decided once. By time it lies where the time was over; for want of a sign of life, at the last one.
5. A session has no device's address: only the pseudonym of the day on which it began.
"""

import msgspec

from edge_agent.clock import Stamp
from wire.messages import Cause, TermsLanguage, Way, WifiSession

MINUTE_MS = 60_000
# So long a guest has for reading the mail with the code.
PROVISIONAL_MINUTES = 10


class Usage(msgspec.Struct, frozen=True):
    """What was counted: bytes of this session, what the kernel's counters last stood at, and the last sign of life."""

    up_bytes: int = 0
    down_bytes: int = 0
    seen_up: int = 0
    seen_down: int = 0
    last_mono_ms: int = 0


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session. Times `_mono_ms` are of `boot`; `ends_mono_ms` 0: it has no end.

    `before_up` and `before_down` are what the guest had used in the session that this one goes on with (`origin`).
    `sure` says that `began_ms` came from a synced clock. `number` is that of the last telling; `told_mono_ms` the last
    sign of life that it told of, `due_mono_ms` when the next is due. `whole_ms`: how long it lasts once the guest's
    address is confirmed; 0 where nothing waits for that.
    """

    id: str
    boot: str
    mark: int
    guest: str
    day: str
    began_mono_ms: int
    began_ms: int
    ends_mono_ms: int
    usage: Usage
    sure: bool = False
    way: Way = "click"
    terms: str = ""
    language: TermsLanguage = "ja"
    network: str = ""
    origin: str = ""
    voucher: str = ""
    whole_ms: int = 0
    extensions: int = 0
    before_up: int = 0
    before_down: int = 0
    slowed: bool = False
    number: int = 0
    told_mono_ms: int = 0
    due_mono_ms: int = 0
    cause: Cause = ""
    ended_mono_ms: int = 0

    @property
    def used_bytes(self) -> int:
        """What counts against the quota, both ways."""
        return self.usage.up_bytes + self.usage.down_bytes + self.before_up + self.before_down

    @property
    def provisional(self) -> bool:
        """Whether it waits for the guest to confirm an address."""
        return self.whole_ms > 0


class Rules(msgspec.Struct, frozen=True):
    """The town's rules of this moment. `open`: guests are received; `timeless`: nobody's time runs out and there is no
    quota (a disaster). `quota_bytes` 0: none."""

    session_minutes: int
    extensions: int
    idle_ms: int
    quota_bytes: int
    down_kbit: int
    up_kbit: int
    slow_kbit: int
    network: str = ""
    open: bool = True
    timeless: bool = False


def begun(
    *, id_: str, mark: int, guest: str, day: str, now: Stamp, lasts_ms: int, way: Way = "click", network: str = ""
) -> Session:
    """A session that begins now; `lasts_ms` 0: without an end."""
    ends = now.mono_ms + lasts_ms if lasts_ms else 0
    usage = Usage(last_mono_ms=now.mono_ms)
    sure = now.clock == "synced"
    return Session(id_, now.boot, mark, guest, day, now.mono_ms, now.at_ms, ends, usage, sure, way, network=network)


def counted(session: Session, up: int, down: int, mono_ms: int, rules: Rules) -> Session:
    """With the kernel's counters as they stand now; counters that began anew have counted since then."""
    before = session.usage
    if session.ends_mono_ms and not rules.timeless:
        # The kernel let nothing through after the end: what is counted later flowed before it.
        mono_ms = min(mono_ms, max(session.ends_mono_ms, before.last_mono_ms))
    if (up, down) == (before.seen_up, before.seen_down):
        return session
    more_up = up - before.seen_up if up >= before.seen_up else up
    more_down = down - before.seen_down if down >= before.seen_down else down
    last = mono_ms if more_up or more_down else before.last_mono_ms
    usage = Usage(before.up_bytes + more_up, before.down_bytes + more_down, up, down, last)
    return msgspec.structs.replace(session, usage=usage)


def end_by_itself(session: Session, mono_ms: int, rules: Rules) -> Cause:
    """Why it ends now without anybody's doing; empty when it goes on."""
    if not rules.open:
        return "closed"
    if not rules.timeless and (session.way == "disaster" or 0 < session.ends_mono_ms <= mono_ms):
        return "time"
    return "idle" if mono_ms - session.usage.last_mono_ms >= rules.idle_ms else ""


def ended(session: Session, cause: Cause, mono_ms: int) -> Session:
    """Ended; one that has ended stays as it ended."""
    if session.cause:
        return session
    return msgspec.structs.replace(session, cause=cause, ended_mono_ms=_end_mono_ms(session, cause, mono_ms))


def _end_mono_ms(session: Session, cause: Cause, mono_ms: int) -> int:
    last = session.usage.last_mono_ms
    if cause in ("idle", "lost", "power"):
        return last
    if cause == "time" and session.ends_mono_ms:
        return max(last, min(session.ends_mono_ms, mono_ms))
    return max(last, mono_ms)


def extended(session: Session, minutes: int) -> Session:
    """Longer by one extension, which is told soon."""
    ends = session.ends_mono_ms + minutes * MINUTE_MS
    return msgspec.structs.replace(session, ends_mono_ms=ends, extensions=session.extensions + 1, due_mono_ms=0)


def confirmed(session: Session) -> Session:
    """The guest's address is confirmed: the whole time counts, from the beginning on."""
    ends = max(session.ends_mono_ms, session.began_mono_ms + session.whole_ms)
    return msgspec.structs.replace(session, ends_mono_ms=ends, whole_ms=0, due_mono_ms=0)


def with_clock(session: Session, now: Stamp) -> Session:
    """With its beginning by a clock that has become synced in the meantime."""
    if session.sure or now.clock != "synced" or now.boot != session.boot:
        return session
    began_ms = now.at_ms - (now.mono_ms - session.began_mono_ms)
    return msgspec.structs.replace(session, began_ms=began_ms, sure=True)


def is_over_quota(session: Session, rules: Rules) -> bool:
    """Whether the guest has used more than the quota and is to be slowed."""
    return bool(rules.quota_bytes) and not rules.timeless and session.used_bytes > rules.quota_bytes


def kbit(session: Session, rules: Rules) -> tuple[int, int]:
    """What a guest may take down and up, in kbit/s."""
    if session.slowed:
        return min(rules.slow_kbit, rules.down_kbit), min(rules.slow_kbit, rules.up_kbit)
    return rules.down_kbit, rules.up_kbit


def left_ms(session: Session, mono_ms: int, rules: Rules) -> int | None:
    """How much of its time is left; None where no time runs out."""
    if rules.timeless or not session.ends_mono_ms:
        return None
    return max(0, session.ends_mono_ms - mono_ms)


def bytes_left(session: Session, rules: Rules) -> int | None:
    """How many bytes remain before the guest is slowed; None where there is no quota, or it is used up."""
    if not rules.quota_bytes or rules.timeless or session.slowed:
        return None
    return max(0, rules.quota_bytes - session.used_bytes)


def extensions_left(session: Session, rules: Rules) -> int:
    """How often it can still be extended. A voucher's time and an unconfirmed guest's cannot."""
    if session.voucher or session.provisional or not session.ends_mono_ms:
        return 0
    return max(0, rules.extensions - session.extensions)


def is_due(session: Session, mono_ms: int) -> bool:
    """Whether there is something to tell and the time for it has come."""
    if session.cause:
        return True
    return mono_ms >= session.due_mono_ms and (session.due_mono_ms == 0 or _has_news(session))


def _has_news(session: Session) -> bool:
    return session.usage.last_mono_ms > session.told_mono_ms


def told(session: Session, mono_ms: int, every_ms: int) -> Session:
    """With the number of its next telling. Sessions that began together do not go on telling together: each has an
    interval of its own, a tenth shorter or longer."""
    spread = (int(session.id[:4], 16) - 0x8000) * every_ms // (10 * 0x8000)
    return msgspec.structs.replace(
        session,
        number=session.number + 1,
        told_mono_ms=session.usage.last_mono_ms,
        due_mono_ms=mono_ms + every_ms + spread,
    )


def telling(session: Session) -> WifiSession:
    """What the hub is told: all of it so far, in event times."""

    def at(mono_ms: int) -> int:
        return session.began_ms + mono_ms - session.began_mono_ms

    return WifiSession(
        session=session.id,
        boot=session.boot,
        number=session.number,
        began_ms=session.began_ms,
        last_ms=at(session.ended_mono_ms if session.cause else session.usage.last_mono_ms),
        up_bytes=session.usage.up_bytes,
        down_bytes=session.usage.down_bytes,
        guest=session.guest,
        day=session.day,
        network=session.network,
        way=session.way,
        cause=session.cause,
        extensions=session.extensions,
        slowed=session.slowed,
        origin=session.origin,
        ends_ms=at(session.ends_mono_ms) if session.ends_mono_ms else 0,
    )
